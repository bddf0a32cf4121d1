"""Text on a picture: pieces that a reader saw, each with how sure it is, and barcodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

Rgb = NDArray[np.uint8]
LONGEST: Final = 200  # characters of a piece of text: more is no line of a pack


@dataclass(frozen=True)
class Reading:
    """A piece of text that was read on a picture, such as a word or a line.

    Attributes:
        text: as it was read; 1 to 200 characters.
        confidence: of the reader, 0 to 1.

    Raises:
        ValueError: no text, too long a text, or a confidence that is no number from 0 to 1.
    """

    text: str
    confidence: float = 1.0

    def __post_init__(self) -> None:
        if not isinstance(self.text, str) or not 1 <= len(self.text) <= LONGEST:
            raise ValueError(f"text: expected 1 to {LONGEST} characters, got {self.text!r:.60}")
        number = isinstance(self.confidence, int | float) and not isinstance(self.confidence, bool)
        if not number or not 0 <= self.confidence <= 1:
            raise ValueError(f"confidence: expected 0 to 1, got {self.confidence!r:.40}")
        object.__setattr__(self, "confidence", float(self.confidence))


@dataclass(frozen=True)
class PackText:
    """All that was read on a picture of a product.

    Attributes:
        readings: the pieces of text; none where nothing was legible.
        codes: barcodes, as 14 digits each (`rpc.structures.gtin`).
    """

    readings: tuple[Reading, ...] = ()
    codes: tuple[str, ...] = ()


class ReadsPacks(Protocol):
    """Reads what is on a picture, in whatever direction it lies."""

    def __call__(self, picture: Rgb) -> PackText:
        """Text and barcodes on a picture (H, W, 3) uint8 RGB."""
        ...


def readings_to_json(readings: Sequence[Reading]) -> list[list[Any]]:
    """Plain values: `[[text, confidence], ...]`."""
    return [[one.text, round(one.confidence, 3)] for one in readings]


def readings_from_json(values: Any) -> tuple[Reading, ...]:
    """The readings of `readings_to_json`.

    Raises:
        ValueError: it is something else.
    """
    if not isinstance(values, list):
        raise ValueError(f"words: expected a list of [text, confidence], got {values!r:.60}")
    readings = []
    for entry in values:
        if not isinstance(entry, list | tuple) or len(entry) != 2:
            raise ValueError(f"words: expected [text, confidence], got {entry!r:.60}")
        readings.append(Reading(*entry))
    return tuple(readings)
