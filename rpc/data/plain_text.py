"""Text of other people's files made harmless: for a screen, a page and a cell of a table.

Names of files and products may hold whatever their authors wrote: escape sequences that move a
terminal's cursor or set its title, a line break that forges a line, marks that turn the order of
the letters round. They are shown as JSON would write them, such as backslash-u-001b, and so
everybody sees that they are there.
"""

from __future__ import annotations

import re
from typing import Final

# C0 and C1 controls, line separators, bidirectional embeddings, overrides and isolates, characters
# without width that no script needs, lone surrogates (bytes of a name that is no text), tags.
_UNSAFE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u180e\u200b\u2028\u2029\u202a-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
_SHORT: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")  # full-width ones too


def plain_text(value: object) -> str:
    r"""One line of text that a terminal or a page shows as it is written.

    Example:
        >>> plain_text("tea\n\x1b[2Jsoap")
        'tea\\n\\u001b[2Jsoap'
    """
    text = str(value)
    return text if text.isascii() and text.isprintable() else _UNSAFE.sub(_visible, text)


def plain_lines(text: str) -> str:
    """A text of several lines, each made harmless; the line breaks stay."""
    return "\n".join(map(plain_text, text.split("\n")))


def csv_cell(value: object) -> object:
    """A cell of a CSV file that no spreadsheet takes for a formula; numbers stay numbers.

    A text that begins like a formula gets an apostrophe before it, as OWASP advises ("CSV
    Injection"): spreadsheets then show it as text.
    """
    if value is None or isinstance(value, int | float):
        return value
    text = str(value)
    return f"'{plain_text(text)}" if text.lstrip(" \n").startswith(_FORMULA) else plain_text(text)


def _visible(found: re.Match[str]) -> str:
    character = found.group()
    if character in _SHORT:
        return _SHORT[character]
    units = character.encode("utf-16-be", "surrogatepass")  # two, where one has no room for it
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
