"""A crop classifier's way from boxes to probabilities, around whatever runs its network.

Key: B crops, N boxes of a photo, S x S pixels of a crop, K classes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rpc.data.files import DataError
from rpc.inference.crops import box_extents, cut_crops, fit_square

FloatArray = NDArray[np.float64]
Rgb = NDArray[np.uint8]
SETTLED: Final = 0.9  # a first answer of this probability is not asked again
TURNS: Final = 4
AT_ONCE: Final = 64  # pictures in the network together
Pooled = Callable[[Rgb], NDArray[np.float32]]  # crops (B, S, S, 3) to features (B, F)
# Crops (B, S, S, 3) uint8 RGB and their extents (B, 2), to scores before the softmax (B, K).
Logits = Callable[[Rgb, NDArray[np.float32]], NDArray[np.float32]]


class NamesCrops:
    """Names boxes by what a network says of their crops.

    A crop is seen as it lies. Where the answer is less sure than `settled`, it is seen in other
    quarter turns as well, and the answers are averaged: that costs time where there is doubt alone.

    Args:
        logits: the network.
        side: S.
        classes: K; at a counter the SKUs, then 'no single product'.
        turns: doubtful crops are seen in so many of the four quarter turns, 1 to 4.
        settled: probability from which a first answer stands; above 1 none does.
        pooled: what the network sees before it decides, see `features`; None where it cannot say.
    """

    def __init__(
        self,
        logits: Logits,
        side: int,
        classes: int,
        turns: int = TURNS,
        settled: float = SETTLED,
        pooled: Pooled | None = None,
    ) -> None:
        self.pooled = pooled
        self.logits, self.side, self.classes = logits, side, classes
        self.turns, self.settled = turns, settled

    def probabilities(self, rgb: Rgb, boxes: FloatArray) -> FloatArray:
        """Probabilities (N, K), each row summing to 1, of boxes (N, 4) of a photo (H, W, 3)."""
        return self.batch_probabilities([rgb], [boxes])[0]

    def batch_probabilities(
        self, photos: Sequence[Rgb], boxes: Sequence[FloatArray]
    ) -> list[FloatArray]:
        """As `probabilities`, of each photo and its boxes; the network sees all crops at once."""
        pairs = [pair for pair in zip(photos, boxes, strict=True) if len(pair[1])]
        ends = np.cumsum([len(places) for places in boxes])
        if not pairs:
            return [np.zeros((0, self.classes)) for _ in photos]
        crops = np.concatenate([cut_crops(rgb, places, self.side) for rgb, places in pairs])
        sizes = np.concatenate([box_extents(places, rgb.shape[1]) for rgb, places in pairs])
        found = self._seen(crops, sizes, 0)
        open_ = np.flatnonzero(found.max(axis=1) < self.settled)
        if len(open_) and self.turns > 1:
            others = [self._seen(crops[open_], sizes[open_], turn) for turn in range(1, self.turns)]
            found[open_] = (found[open_] + sum(others)) / self.turns
        return np.split(found, ends[:-1])

    def features(self, pictures: Sequence[Rgb]) -> NDArray[np.float32]:
        """Features (N, F) of pictures (h, w, 3) of one product each, as they lie, N of 1 or more.

        Raises:
            DataError: the network gives none.
        """
        if self.pooled is None:
            raise DataError("this recogniser gives no features: export its model again")
        crops = np.stack([fit_square(picture, self.side) for picture in pictures])
        starts = range(0, len(crops), AT_ONCE)
        return np.concatenate([self.pooled(crops[at : at + AT_ONCE]) for at in starts])

    def _seen(self, crops: Rgb, sizes: NDArray[np.float32], turn: int) -> FloatArray:
        """Probabilities (B, K) of crops (B, S, S, 3) after so many quarter turns."""
        turned = np.ascontiguousarray(np.rot90(crops, turn, axes=(1, 2)))
        return softmax(self.logits(turned, sizes))


def softmax(logits: NDArray[np.float32]) -> FloatArray:
    """Probabilities (B, K) of scores (B, K), each row summing to 1."""
    raised = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    shares: FloatArray = raised / raised.sum(axis=1, keepdims=True)
    return shares
