"""A second look at items whose name is in doubt: what costs too much to ask of every item.

Key: N boxes of a photo of H x W pixels, K SKUs; the last column of probabilities is 'none of them'.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np

from rpc.recognition.box_classifier import BoxClassifier, FloatArray, Rgb, batch_probabilities

SURE: Final = 0.9  # probability from which the first look is believed


class SecondLook(Protocol):
    """Looks again at boxes that were named, and says how likely each SKU is now."""

    def look_again(self, rgb: Rgb, boxes: FloatArray, probabilities: FloatArray) -> FloatArray:
        """Better probabilities (N, K + 1), rows summing to 1.

        Args:
            rgb: (H, W, 3) uint8.
            boxes: (N, 4) x1, y1, x2, y2 px, N of one or more.
            probabilities: (N, K + 1) of the look before.
        """
        ...


class LooksAgain:
    """A classifier of boxes that has second looks at those which it is not sure of.

    Args:
        first: looks at all boxes.
        looks: one after the other, each at what is still in doubt.
        sure: probability of a SKU, or of 'none of them', from which nobody looks again.
    """

    def __init__(
        self, first: BoxClassifier, looks: Sequence[SecondLook], sure: float = SURE
    ) -> None:
        if not 0 <= sure <= 1:
            raise ValueError(f"second look: expected a probability, got {sure}")
        self.first, self.looks, self.sure = first, tuple(looks), sure

    def probabilities(self, rgb: Rgb, boxes: FloatArray) -> FloatArray:
        """(N, K + 1), each row summing to 1, of boxes (N, 4) of a photo (H, W, 3)."""
        return self.batch_probabilities([rgb], [boxes])[0]

    def batch_probabilities(
        self, photos: Sequence[Rgb], boxes: Sequence[FloatArray]
    ) -> list[FloatArray]:
        """As `probabilities`, of each photo and its boxes."""
        found = batch_probabilities(self.first, photos, boxes)
        rows = zip(photos, boxes, found, strict=True)
        return [
            looked_again(self.looks, rgb, places, probabilities, self.sure)
            for rgb, places, probabilities in rows
        ]


def looked_again(
    looks: Sequence[SecondLook],
    rgb: Rgb,
    boxes: FloatArray,
    probabilities: FloatArray,
    sure: float = SURE,
) -> FloatArray:
    """Probabilities (N, K + 1) of boxes (N, 4) after the second looks; see `LooksAgain`."""
    for look in looks:
        doubtful = np.flatnonzero(probabilities.max(axis=1, initial=0.0) < sure)
        if len(doubtful):
            better = look.look_again(rgb, boxes[doubtful], probabilities[doubtful])
            probabilities = probabilities.copy()
            probabilities[doubtful] = better
    return probabilities
