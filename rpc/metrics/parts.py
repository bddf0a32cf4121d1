"""PCP: how many parts of objects are found where they are.

Key: N photos, G parts; boxes are xyxy in pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

LEAST_IOU: Final = 0.5


@dataclass(frozen=True)
class PartRates:
    """Percentage of correctly localised parts, as shares.

    Attributes:
        rate: share of all true boxes that are found; None where there is no true box.
        rates: (G,) the same of each part; NaN of a part without a true box.
        true: (G,) on how many photos each part has a true box.
        overlaps: (N, G) IoU; 0 where a part is not found, NaN without a true box.
    """

    rate: float | None
    rates: NDArray[np.float64]
    true: NDArray[np.int64]
    overlaps: NDArray[np.float64] = field(repr=False)


def part_rates(found: ArrayLike, true: ArrayLike, least_iou: float = LEAST_IOU) -> PartRates:
    """Share of the parts in sight whose found box has an IoU of 0.5 or more with the true box.

    A part that is not found is wrong. A part without a true box (out of sight) has nothing to be
    found and does not count, whatever was found.

    Source: PCP as Zhang, Donahue, Girshick and Darrell (ECCV 2014) report it, at an overlap of 0.5.

    Args:
        found: (N, G, 4); NaN of a part that is not found.
        true: (N, G, 4); NaN of a part that is out of sight.
        least_iou: to be reached.

    Raises:
        ValueError: other shapes, or an end of a box that is infinite or before its beginning.
    """
    boxes, truths = np.asarray(found, np.float64), np.asarray(true, np.float64)
    if boxes.shape != truths.shape or boxes.ndim != 3 or boxes.shape[2] != 4:
        raise ValueError(
            f"part rates: expected two arrays (N, G, 4), got {boxes.shape} and {truths.shape}"
        )
    for name, some in (("found", boxes), ("true", truths)):
        if np.isinf(some).any() or (some[..., 2:] < some[..., :2]).any():
            raise ValueError(f"part rates: {name}: expected x1 <= x2 and y1 <= y2, finite or NaN")
    low, high = np.maximum(boxes, truths)[..., :2], np.minimum(boxes, truths)[..., 2:]
    shared = (high - low).clip(0).prod(axis=-1)
    union = _areas(boxes) + _areas(truths) - shared
    overlaps = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    there = ~np.isnan(truths).any(axis=-1)
    overlaps = np.where(there, np.nan_to_num(overlaps), np.nan)
    counts = there.sum(axis=0).astype(np.int64)
    right = (overlaps >= least_iou).sum(axis=0)
    rates = np.divide(right, counts, out=np.full(len(counts), np.nan), where=counts > 0)
    rate = float(right.sum() / counts.sum()) if counts.sum() else None
    return PartRates(rate, rates, counts, overlaps)


def _areas(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((boxes[..., 2:] - boxes[..., :2]).prod(axis=-1))
