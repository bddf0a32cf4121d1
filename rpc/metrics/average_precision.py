"""Average precision of matched boxes, as COCO defines it.

Key: M matched boxes, K SKUs that have items, T IoUs, R recalls.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rpc.metrics.box_matching import IOUS, BoolArray, ItemBoxes, Masks, Matches
from rpc.structures.boxes import FloatArray

RECALLS = np.linspace(0.0, 1.0, 101)  # where the precision is read off


def average_precisions(matches: Matches, items: ItemBoxes, images: BoolArray) -> FloatArray:
    """Average precision (T, K) of each SKU that has an item on these images.

    It is the mean over 101 recalls of the highest precision at that recall or beyond; 0 for a
    recall that is never reached.

    Args:
        matches: of all images.
        items: of all images.
        images: (N,) which images to look at.
    """
    counted = items.labels[images.take(items.rows) & ~items.ignored]
    seen = np.flatnonzero(images.take(matches.rows))
    right, ignored = matches.right.take(seen), matches.ignored.take(seen)
    skus, numbers = np.unique(counted, return_counts=True)
    ends = np.searchsorted(matches.labels.take(seen), skus, side="right")
    starts = np.searchsorted(matches.labels.take(seen), skus)
    found = [
        _of_one_sku(right[start:end], ignored[start:end], int(number))
        for start, end, number in zip(starts, ends, numbers, strict=True)
    ]
    return np.stack(found, axis=1) if found else np.zeros((len(IOUS), 0))


def _of_one_sku(right: Masks, ignored: Masks, items: int) -> FloatArray:
    """Average precision (T,) of the boxes of one SKU, best first, of which there are `items`."""
    at = np.flatnonzero(right)  # P boxes that are right at an IoU at least: they make the curve
    hits = _each_iou(right.take(at))  # (T, P)
    rank: NDArray[np.int64] = at + 1
    if ignored.any():
        rank = np.maximum(rank - _each_iou(ignored).cumsum(axis=1).take(at, axis=1), 1)
    precision = hits.cumsum(axis=1) / rank
    best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1][hits > 0]  # IoU by IoU
    number = hits.sum(axis=1)[:, None]
    # The place of the first right box that reaches each recall, if any does.
    place = np.searchsorted(np.arange(1, items + 1) / items, RECALLS)[None]
    reached = place < number  # (T, R)
    curve = np.zeros(reached.shape)
    curve[reached] = best[(number.cumsum()[:, None] - number + place)[reached]]
    return np.asarray(curve.mean(axis=1))


def _each_iou(masks: Masks) -> NDArray[np.int64]:
    """Masks (P,) as zeros and ones (T, P)."""
    return (masks >> np.arange(len(IOUS), dtype=np.uint16)[:, None] & 1).astype(np.int64)
