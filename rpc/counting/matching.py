"""Which counted box is which true item."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rpc.data import Dataset
from rpc.structures import Detections, box_iou
from rpc.structures.boxes import FloatArray

SAME_PLACE = 0.5
# A loose box of the right SKU still counts the item: the shopping list does not see the place.
LOOSE = 0.1


@dataclass(frozen=True)
class Matching:
    """One photo's counted boxes beside its true items; each is in exactly one of the lists.

    Attributes:
        right: (counted, true) rows: same SKU, same place.
        confused: (counted, true) rows: same place, another SKU.
        missed: true rows without a box.
        extra: counted rows without an item.
    """

    right: tuple[tuple[int, int], ...]
    confused: tuple[tuple[int, int], ...]
    missed: tuple[int, ...]
    extra: tuple[int, ...]


def match_items(counted: Detections, truth: Detections) -> Matching:
    """Match boxes to items one to one, closest first: by SKU and place, then by place alone.

    The same place is an IoU of at least 0.5. A box left over then goes to an item of its own SKU
    that it overlaps by 0.1 or more.

    Args:
        counted: what counts as items (after the rule).
        truth: the true items; their scores do not matter.
    """
    iou = box_iou(counted.boxes, truth.boxes)  # (counted, true)
    same = counted.labels[:, None] == truth.labels[None, :]
    free = np.ones(iou.shape, dtype=bool)
    right = list(_pairs(iou, same & (iou >= SAME_PLACE), free))
    confused = list(_pairs(iou, ~same & (iou >= SAME_PLACE), free))
    right += _pairs(iou, same & (iou >= LOOSE), free)
    boxes, items = ({pair[side] for pair in right + confused} for side in (0, 1))
    return Matching(
        right=tuple(sorted(right)),
        confused=tuple(sorted(confused)),
        missed=tuple(row for row in range(len(truth)) if row not in items),
        extra=tuple(row for row in range(len(counted)) if row not in boxes),
    )


def truth_of(dataset: Dataset, image_id: int) -> Detections:
    """The true items of one image, as detections with a score of 1.

    Raises:
        DataError: no image has this id.
    """
    items = dataset.annotations_of(image_id)
    return Detections(
        np.array([a.bbox for a in items], dtype=np.float64).reshape(-1, 4),
        np.ones(len(items)),
        dataset.taxonomy.labels(a.category_id for a in items),
    )


def _pairs(
    iou: FloatArray, allowed: NDArray[np.bool_], free: NDArray[np.bool_]
) -> Iterator[tuple[int, int]]:
    """Allowed pairs, closest first; each takes its row and column out of `free`."""
    rows, columns = np.nonzero(allowed)
    for at in np.argsort(-iou[rows, columns], kind="stable"):
        row, column = int(rows[at]), int(columns[at])
        if free[row, column]:
            free[row, :] = free[:, column] = False
            yield row, column
