"""Names for the files and folders that we write: readable, short, and never two the same.

A name is made of what a person called a thing: a SKU's name, a photo's. Two of these may come out
as one file (`1.jpg` and `1.png`, `7up/lime` and `7up lime`), and the file written last would
silently be taken for both. Here a name is given out once.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Final

MOST_BYTES: Final = 200  # UTF-8; file systems take 255, and writers put something before or after
PHOTO_SIGNS: Final = " !#$%&'()+,;=@[]^`{}~"  # harmless on every system, but for shells
DEVICES: Final = frozenset(
    ["con", "prn", "aux", "nul", "conin$", "conout$"]
    + [f"{port}{digit}" for port in ("com", "lpt") for digit in "0123456789¹²³"]
)  # Windows opens these instead of a file, whatever the suffix

_UNSEEN: Final = frozenset(  # select a glyph's form; names that differ in them alone look the same
    map(chr, [0x34F, *range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)])
)


class FileNames:
    """Gives out the names of one folder, each once.

    Two names count as the same where any common file system takes them so: in whatever case and
    whatever Unicode form. What is given depends on what was asked for before and on nothing else.

    Args:
        taken: names that are in the folder already.
        keep: signs that may stay beside letters, digits, `_`, `-` and inner dots, such as
            `PHOTO_SIGNS`; all others become `_`.
        most_bytes: of a name in UTF-8, its suffix included.

    Example:
        >>> names = FileNames()
        >>> [names.give(one, ".png") for one in ("7up/lime", "7up lime", "NUL", "7UP_Lime")]
        ['7up_lime.png', '7up_lime_2.png', '_NUL.png', '7UP_Lime_3.png']
    """

    def __init__(
        self, taken: Iterable[str] = (), *, keep: str = "", most_bytes: int = MOST_BYTES
    ) -> None:
        if most_bytes < 32:
            raise ValueError(f"most_bytes: expected 32 or more, got {most_bytes}")
        self._taken = {_as_one(name) for name in taken}
        self._times: dict[str, int] = {}
        self._signs = frozenset("_-." + keep)
        self._most = most_bytes

    def give(self, wanted: str, suffix: str = "", *, otherwise: str = "unnamed") -> str:
        """A name like `wanted` that was not given before, with `suffix` at its end.

        Args:
            wanted: any text, the name of something.
            suffix: of the file, such as `.png`: taken as it is.
            otherwise: the name where nothing of `wanted` can be used.
        """
        plain = self._plain(wanted) or otherwise
        if plain.partition(".")[0].rstrip().casefold() in DEVICES:
            plain = f"_{plain}"
        first = self._cut(plain, suffix)
        number = self._times.get(_as_one(first), 0)
        while True:
            number += 1
            name = first if number == 1 else self._cut(plain, f"_{number}{suffix}")
            if _as_one(name) not in self._taken:
                break
        self._times[_as_one(first)] = number
        self._taken.add(_as_one(name))
        return name

    def _plain(self, text: str) -> str:
        """The usable part of a text, in Unicode's composed form; `_` for each run of the rest."""
        signs: list[str] = []
        readable = gap = False  # a letter or its accent came last; something was left out last
        for sign in unicodedata.normalize("NFC", text):
            mark = readable and _is_mark(sign)
            usable = mark or sign.isalnum() or sign in self._signs
            if usable or not gap:
                signs.append(sign if usable else "_")
            readable, gap = mark or sign.isalpha(), not usable
        return "".join(signs).strip(" .")

    def _cut(self, plain: str, end: str) -> str:
        """`plain` made as short as it takes to end in `end`."""
        room = self._most - len(end.encode("utf-8", "surrogatepass"))
        data = plain.encode("utf-8")
        if len(data) <= room:
            return plain + end
        return data[: max(room, 1)].decode("utf-8", "ignore").rstrip(" .") + end


def _is_mark(sign: str) -> bool:
    """Whether a sign is an accent or a vowel sign, without which many scripts cannot be read."""
    return unicodedata.category(sign) in ("Mn", "Mc") and sign not in _UNSEEN


def _as_one(name: str) -> str:
    """The same text for all names that some file system takes for one."""
    folded = unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())
    return unicodedata.normalize("NFC", folded)
