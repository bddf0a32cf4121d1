"""Which boxes name an item that a better box has named already.

Key: N boxes of one photo, best first; S settings that are tried at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rpc.structures import Detections, box_areas, box_iou
from rpc.structures.boxes import FloatArray, intersection_areas

BoolArray = NDArray[np.bool_]


def best_first(detections: Detections, scores: FloatArray) -> NDArray[np.int64]:
    """Row numbers (N,) by falling `scores` (N,); equal scores by label, then box.

    The order depends on what the rows say, never on where they stood.
    """
    x1, y1, x2, y2 = detections.boxes.T
    keys = (y2, x2, y1, x1, detections.labels, -scores)  # the last is the first key
    return np.lexsort(keys)


@dataclass(frozen=True, eq=False)
class Overlaps:
    """How much the boxes of one photo cover each other; best box first.

    Attributes:
        iou: (N, N) intersection over union.
        inside: (N, N) intersection over the smaller box: 1 where one lies inside the other.
        same_label: (N, N) whether both name the same SKU.
    """

    iou: FloatArray
    inside: FloatArray
    same_label: BoolArray

    @classmethod
    def of(cls, detections: Detections) -> Overlaps:
        """Overlaps of detections that are in the order of `best_first`."""
        inter = intersection_areas(detections.boxes, detections.boxes)
        areas = box_areas(detections.boxes)
        smaller = np.minimum(areas[:, None], areas[None, :])
        return cls(
            iou=box_iou(detections.boxes, detections.boxes),
            inside=np.divide(inter, smaller, out=np.zeros_like(inter), where=smaller > 0),
            same_label=detections.labels[:, None] == detections.labels[None, :],
        )


def suppress(
    overlaps: Overlaps,
    nms_iou: ArrayLike,
    agnostic_iou: ArrayLike,
    containment: ArrayLike,
    agnostic_containment: ArrayLike = 1.0,
) -> BoolArray:
    """Greedy suppression, for S settings at once.

    Going down the scores, a box stays unless a box that stayed before it overlaps it too much:
    by IoU above `nms_iou` with the same label, by IoU above `agnostic_iou` with another label (one
    item named twice), or by `inside` above `containment` with the same label (a part of an item
    beside the whole) or above `agnostic_containment` with another. No overlap is above 1, so 1
    switches a test off.

    What stays depends on better boxes alone. So a score threshold may as well be applied
    afterwards: the result is the same, and a sweep over thresholds needs one pass.

    Args:
        overlaps: of N boxes, best first.
        nms_iou: (S,) fractions.
        agnostic_iou: (S,) fractions.
        containment: (S,) fractions.
        agnostic_containment: (S,) fractions.

    Returns:
        Which boxes stay (S, N).
    """
    nms, agnostic, contained, agnostic_contained = (
        np.atleast_1d(np.asarray(limit, dtype=np.float64))[:, None]
        for limit in (nms_iou, agnostic_iou, containment, agnostic_containment)
    )
    count = len(overlaps.iou)
    stays = np.ones((len(nms), count), dtype=bool)
    for i in range(count - 1):
        later = slice(i + 1, None)
        iou, inside, same = (
            pair[i, later] for pair in (overlaps.iou, overlaps.inside, overlaps.same_label)
        )
        if not inside.any():
            continue
        over = np.where(  # (S, N - i - 1)
            same,
            (iou > nms) | (inside > contained),
            (iou > agnostic) | (inside > agnostic_contained),
        )
        stays[:, later] &= ~(over & stays[:, i, None])
    return stays
