"""A second look at items whose name is in doubt: what costs too much to ask of every item.

It comes in two halves: what is observed on a crop costs time and does not ask what was thought
before; what follows from that is arithmetic. So who tries several ways to name the same photos
observes each item once (`ObservedItems`).

Key: N boxes of a photo of H x W pixels, K SKUs; the last column of probabilities is 'none of them'.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from rpc.recognition.box_classifier import BoxClassifier, FloatArray, Rgb, batch_probabilities
from rpc.retrieval.descriptors.product_crops import crop_products

SURE: Final = 0.9  # probability from which the first look is believed


class SecondLook(Protocol):
    """Looks again at items that were named, and says how likely each SKU is now."""

    def observe(self, crop: Rgb) -> Any:
        """Look at a crop (H, W, 3) uint8 of one item; an observation of the look's own kind."""
        ...

    def judge(self, observed: Sequence[Any], probabilities: FloatArray) -> FloatArray:
        """Better probabilities (N, K + 1), rows summing to 1.

        Args:
            observed: what was observed on each of N items, N of one or more.
            probabilities: (N, K + 1) of the look before.
        """
        ...


class ObservedItems:
    """The items of a photo, each observed by a look when it is first asked for, and only once.

    Args:
        photo: gives the pixels (H, W, 3); asked when they are needed, and not kept.
        boxes: (N, 4) x1, y1, x2, y2 px.
    """

    def __init__(self, photo: Callable[[], Rgb], boxes: FloatArray) -> None:
        self.photo, self.boxes = photo, boxes
        self._by_look: dict[SecondLook, dict[int, Any]] = {}

    def observed(self, look: SecondLook, rows: NDArray[np.int64]) -> list[Any]:
        """Observations of a look on the boxes of these rows."""
        known = self._by_look.setdefault(look, {})
        new = [row for row in rows.tolist() if row not in known]
        if new:
            crops = crop_products(self.photo(), self.boxes[new])
            known |= {row: look.observe(crop) for row, crop in zip(new, crops, strict=True)}
        return [known[row] for row in rows.tolist()]


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
        return [self._again(*row) for row in zip(photos, boxes, found, strict=True)]

    def _again(self, rgb: Rgb, boxes: FloatArray, probabilities: FloatArray) -> FloatArray:
        items = ObservedItems(lambda: rgb, boxes)
        return looked_again(self.looks, items, probabilities, self.sure)


def looked_again(
    looks: Sequence[SecondLook],
    items: ObservedItems,
    probabilities: FloatArray,
    sure: float = SURE,
) -> FloatArray:
    """Probabilities (N, K + 1) of N items after the second looks; see `LooksAgain`."""
    for look in looks:
        doubtful = np.flatnonzero(probabilities.max(axis=1, initial=0.0) < sure)
        if len(doubtful):
            better = look.judge(items.observed(look, doubtful), probabilities[doubtful])
            probabilities = probabilities.copy()
            probabilities[doubtful] = better
    return probabilities
