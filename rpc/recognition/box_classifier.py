"""Who can name what a detector found: the shape of every classifier of boxes.

Key: N boxes of a photo of H x W pixels, K SKUs; the last column of probabilities is 'none of them'.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Rgb = NDArray[np.uint8]


class BoxClassifier(Protocol):
    """Photo and boxes to probabilities of each SKU, and of 'no single product'."""

    def probabilities(self, rgb: Rgb, boxes: FloatArray) -> FloatArray:
        """(N, K + 1), each row summing to 1, of boxes (N, 4) of a photo (H, W, 3)."""
        ...


@runtime_checkable
class BatchClassifier(BoxClassifier, Protocol):
    """One that is faster on the boxes of several photos at once."""

    def batch_probabilities(
        self, photos: Sequence[Rgb], boxes: Sequence[FloatArray]
    ) -> list[FloatArray]:
        """As `probabilities`, of each photo and its boxes."""
        ...


@runtime_checkable
class SeesPictures(Protocol):
    """A recogniser whose features can be had: what it sees before it decides for a SKU."""

    def features(self, pictures: Sequence[Rgb]) -> NDArray[np.float32]:
        """Features (N, F) of N pictures (h, w, 3) of one product each, as they lie."""
        ...


def batch_probabilities(
    classifier: BoxClassifier, photos: Sequence[Rgb], boxes: Sequence[FloatArray]
) -> list[FloatArray]:
    """Probabilities (N, K + 1) of each photo's boxes: at once where the classifier can."""
    if isinstance(classifier, BatchClassifier):
        return classifier.batch_probabilities(photos, boxes)
    pairs = zip(photos, boxes, strict=True)
    return [classifier.probabilities(rgb, places) for rgb, places in pairs]
