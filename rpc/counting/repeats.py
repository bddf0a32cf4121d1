"""Names in the light of the tray: a SKU that lies there already is likelier to lie there again.

Customers take several of one product. How much that tells differs from store to store: with 200
SKUs and five of them on a tray it tells much, with six SKUs and four of them on a tray nothing. So
the one number, the gain g, is chosen on labelled trays, where the true names become likeliest.
With s(i, k) the share of SKU k in the probabilities of box i, and q(j) the item score of box j,

    t(i, k) = 1 - product over the other boxes j of (1 - q(j) s(j, k))

is how likely another item of SKU k lies on the tray; the new shares are s(i, k) (1 + g t(i, k)),
scaled to sum to 1. Boxes on the place of i (IoU above 0.5) look at the same item: no others.

Key: N boxes of a photo, K SKUs; the last column of probabilities is 'no single product'.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rpc.counting.matching import SAME_PLACE
from rpc.structures import box_iou
from rpc.structures.boxes import FloatArray

GAINS: Final = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
LEAST: Final = (
    1e-4  # of a share, where its logarithm is taken: one surely wrong name is no disaster
)


@dataclass(frozen=True, eq=False)
class NamedBoxes:
    """The boxes of one photo and what the recogniser says of each.

    Attributes:
        boxes: (N, 4).
        items: (N,) item scores, see `rpc.structures.Detections.item_scores`.
        probabilities: (N, K + 1).
    """

    boxes: FloatArray
    items: FloatArray
    probabilities: FloatArray


def with_repeats(seen: NamedBoxes, gain: float) -> FloatArray:
    """Probabilities (N, K + 1) in the light of the photo's other items; the last column stays."""
    if gain == 0 or len(seen.boxes) < 2:
        return seen.probabilities
    named = seen.probabilities[:, :-1]
    total = named.sum(axis=1, keepdims=True)
    shares = np.divide(named, total, out=np.zeros_like(named), where=total > 0)
    absent = np.log1p(-np.clip(seen.items[:, None] * shares, 0, 1 - 1e-9))  # (N, K)
    others = (box_iou(seen.boxes, seen.boxes) <= SAME_PLACE).astype(np.float64)
    there = 1 - np.exp(others @ absent)
    likelier = named * (1 + gain * there)
    sums = likelier.sum(axis=1, keepdims=True)
    likelier *= np.divide(total, sums, out=np.zeros_like(total), where=sums > 0)
    return np.concatenate([likelier, seen.probabilities[:, -1:]], axis=1)


def choose_gain(
    trays: Sequence[NamedBoxes], truth: Sequence[tuple[FloatArray, NDArray[np.int64]]]
) -> float:
    """The gain of `GAINS` under which the true names of labelled trays are likeliest.

    Args:
        trays: what was seen on each photo.
        truth: its true items: boxes (M, 4) and labels (M,).

    Returns:
        0 where no item was found.
    """
    found = [_found(seen, boxes) for seen, (boxes, _) in zip(trays, truth, strict=True)]
    if not any(len(rows) for rows, _ in found):
        return 0.0

    def likelihood(gain: float) -> float:
        total = 0.0
        for seen, (_, labels), (rows, items) in zip(trays, truth, found, strict=True):
            table = with_repeats(seen, gain)[rows]
            named = table[:, :-1].sum(axis=1)
            shares = table[np.arange(len(rows)), labels[items]] / np.maximum(named, LEAST)
            total += float(np.log(np.maximum(shares, LEAST)).sum())
        return total

    return max(GAINS, key=lambda gain: (round(likelihood(gain), 9), -gain))


def _found(seen: NamedBoxes, boxes: FloatArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each true item that a box lies on: the surest such box, and the item."""
    overlap = box_iou(seen.boxes, boxes) > SAME_PLACE  # (N, M)
    items = np.flatnonzero(overlap.any(axis=0))
    surest = np.where(overlap[:, items], seen.items[:, None], -1.0)
    rows = surest.argmax(axis=0) if len(items) else np.zeros(0, np.int64)
    return np.asarray(rows, np.int64), items
