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
    """The pieces of a text: two and three characters of a word, and single wide characters.

    Example:
        >>> sorted(grams_of("Mint"))
        ['ln', 'lnt', 'ml', 'mln', 'nt']
    """
    grams: set[str] = set()
    for word in words_of(text):
        for length in LENGTHS:
            grams.update(word[start : start + length] for start in range(len(word) - length + 1))
        grams.update(c for c in word if unicodedata.east_asian_width(c) in "WF")
    return grams


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
