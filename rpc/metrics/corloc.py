"""CorLoc: on how many images of a set the one box found is right.

Key: N images, G true boxes of one image; boxes are xyxy in pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rpc.structures import box_iou


@dataclass(frozen=True)
class CorLoc:
    """Correct localisation of a set of images.

    Attributes:
        images: those that hold the object, by which `rate` is divided.
        found: of them, those that were given a box.
        rate: share of `images` whose box is right, 0 to 1; 0 where there is no image.
        overlaps: (N,) the best IoU with a true box; 0 without a box, NaN without a true box.
        right: (N,) whether the box is right.
    """

    images: int
    found: int
    rate: float
    overlaps: NDArray[np.float64] = field(repr=False)
    right: NDArray[np.bool_] = field(repr=False)


def corloc(
    boxes: Sequence[ArrayLike | None],
    truths: Sequence[ArrayLike],
    *,
    least_iou: float = 0.5,
    strict: bool = True,
) -> CorLoc:
    """Share of the images whose box overlaps a true box of the object by IoU > 0.5.

    An image without a box is wrong. An image without a true box (noise in the set) has nothing
    to be found on and does not count.

    Source: Deselaers, Alexe and Ferrari, ECCV 2010, as DDT (Wei et al., IJCAI 2017) uses it.

    Args:
        boxes: of each of N images the box found, or None.
        truths: of each the true boxes (G, 4), any one of which counts.
        least_iou: the bar.
        strict: more than the bar is needed; otherwise to reach it is enough, as in some codes.

    Raises:
        ValueError: the two differ in length, or a box is not four finite numbers in order.
    """
    if len(boxes) != len(truths):
        raise ValueError(f"corloc: {len(boxes)} boxes for {len(truths)} images")
    overlaps = np.full(len(boxes), np.nan)
    found = 0
    for row, (box, truth) in enumerate(zip(boxes, truths, strict=True)):
        if np.asarray(truth, dtype=np.float64).size:
            overlaps[row] = 0 if box is None else box_iou([np.asarray(box)], truth).max()
            found += box is not None
    good = np.nan_to_num(overlaps, nan=-1.0)
    right = np.asarray(good > least_iou if strict else good >= least_iou)
    images = int(np.isfinite(overlaps).sum())
    rate = float(right.sum() / images) if images else 0.0
    return CorLoc(images, found, rate, overlaps, right)
