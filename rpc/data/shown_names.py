"""Names of files and of classes as they are told to people: one line, text that can be written."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

from rpc.data.plain_text import plain_text


def shown_name(name: str | Path) -> str:
    r"""A name that is safe on a screen and in a file of UTF-8.

    Accents are composed (NFC), bytes that are no text are shown as `\xe9`, and letters that steer
    a terminal as `rpc.data.plain_text` shows them.
    """
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return plain_text(unicodedata.normalize("NFC", text))


def is_text(name: str) -> bool:
    """Whether a name is text: names of old archives may hold bytes that are not UTF-8."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def same_name_key(name: str) -> str:
    """Equal for names that look the same or differ in case or outer blanks alone."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).strip().casefold())


def title_of(name: str) -> str:
    """A folder's name as the title of a class: NFC, without control characters and outer blanks."""
    text = unicodedata.normalize("NFC", name)
    return " ".join("".join(" " if _steers(c) else c for c in text).split(" ")).strip()


def _steers(letter: str) -> bool:
    """Control characters, line ends and marks of direction; not the joiners of some scripts."""
    if letter in "\u200c\u200d":
        return False
    return unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp")
