"""Text as a set of short pieces: most of them survive a misread letter.

A word is compared by the two and three characters that follow each other in it, so that CARAMEL and
CARAME1 share most of what they have. Scripts that write a word in one or two wide characters
(Chinese, Japanese, Korean) also give each character by itself.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from rpc.structures.readings import Reading

LENGTHS: Final = (2, 3)
_ACCENTS: Final = re.compile("[\u0300-\u036f]")  # of Latin, Greek and Cyrillic letters
# Characters that readers take for each other, after case folding: all of a class become one.
_ALIKE: Final = str.maketrans(
    {"0": "o", "1": "l", "i": "l", "|": "l", "!": "l", "5": "s", "8": "b"}
)


def words_of(text: str) -> list[str]:
    """The words of a text, in one form each: NFKC, case folded, look-alike characters made one.

    Example:
        >>> words_of("DARK 70%")
        ['dark', '7o']
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", folded))
    letters = unicodedata.normalize("NFC", plain).translate(_ALIKE)
    return "".join(c if _in_words(c) else " " for c in letters).split()


def grams_of(text: str) -> set[str]:
    """The pieces of a line: two and three characters on end, and single wide characters.

    Pieces go over the gaps between words: readers lose gaps, and which word stands beside which
    tells "Noodles Beef" from "Noodles Spicy Beef".

    Example:
        >>> sorted(grams_of("Mint"))
        ['ln', 'lnt', 'ml', 'mln', 'nt']
    """
    line = "".join(words_of(text))
    grams = {line[at : at + long] for long in LENGTHS for at in range(len(line) - long + 1)}
    return grams | {c for c in line if unicodedata.east_asian_width(c) in "WF"}


def gram_confidences(readings: Iterable[Reading]) -> dict[str, float]:
    """Each piece that was read, and how sure the surest reading with it is."""
    found: dict[str, float] = {}
    for reading in readings:
        for gram in grams_of(reading.text):
            found[gram] = max(found.get(gram, 0.0), reading.confidence)
    return found


def _in_words(character: str) -> bool:
    """Letters, digits, and the vowel signs of scripts that write them as marks."""
    return character.isalnum() or unicodedata.category(character).startswith("M")
