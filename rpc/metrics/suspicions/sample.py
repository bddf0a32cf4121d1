"""Some images' best boxes beside their items: enough to see whether boxes lie on items at all.

Key: S images looked at, M boxes, G items, P pairs of a box and an item of one image.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtrc

from rpc.structures.boxes import FloatArray

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

ON_ITEM: Final = 0.5  # IoU
IMAGES: Final = 64
MOST_BOXES: Final = 30  # of an image
RARE: Final = 1e-4  # chance that no suspicion may have, over all candidates together
# Where boxes are moved to, in parts of the image, to see how many lie on items by chance.
MOVES: Final = ((0.31, 0.23), (0.57, 0.71), (0.79, 0.43), (0.17, 0.61))


@dataclass(frozen=True, eq=False)
class BoxSample:
    """The best boxes of some images and the items there.

    Attributes:
        rows: (M,) the image, 0 to S - 1, ascending.
        boxes: (M, 4) four numbers as the file gives them.
        labels: (M,) the SKU that the box is given.
        item_rows: (G,) the image, ascending.
        items: (G, 4) x1, y1, x2, y2 in pixels.
        item_labels: (G,) the SKU.
        sizes: (S, 2) width and height in pixels.
    """

    rows: IntArray
    boxes: FloatArray
    labels: IntArray
    item_rows: IntArray
    items: FloatArray
    item_labels: IntArray
    sizes: FloatArray

    def __len__(self) -> int:
        """Number of boxes."""
        return len(self.rows)

    @cached_property
    def pairs(self) -> tuple[IntArray, IntArray]:
        """Box and item (P,) of all pairs of one image, by box."""
        first = np.searchsorted(self.item_rows, self.rows)
        number = np.searchsorted(self.item_rows, self.rows, side="right") - first
        box = np.repeat(np.arange(len(self)), number)
        before = np.cumsum(number) - number
        return box, np.arange(len(box)) + np.repeat(first - before, number)

    def ious(self, corners: FloatArray) -> FloatArray:
        """IoU (P,) of the pairs, for boxes (M, 4) x1, y1, x2, y2; 0 for what is no box."""
        box, item = self.pairs
        x1, y1, x2, y2 = corners.T
        i1, j1, i2, j2 = self.items.T
        wide = np.minimum(x2[box], i2[item]) - np.maximum(x1[box], i1[item])
        high = np.minimum(y2[box], j2[item]) - np.maximum(y1[box], j1[item])
        inter = wide.clip(0) * high.clip(0)
        areas, item_areas = (x2 - x1) * (y2 - y1), (i2 - i1) * (j2 - j1)
        union = areas[box] + item_areas[item] - inter
        good = (inter > 0) & (union > 0)
        return np.asarray(np.divide(inter, union, out=np.zeros_like(inter), where=good))

    def on_items(self, corners: FloatArray) -> BoolArray:
        """Which boxes (M,) lie on an item."""
        on = np.zeros(len(self), dtype=np.bool_)
        on[self.pairs[0][self.ious(corners) >= ON_ITEM]] = True
        return on

    @cached_property
    def as_given(self) -> BoolArray:
        """Which boxes (M,) lie on an item, read as x, y, width, height in pixels."""
        return self.on_items(xywh_corners(self.boxes))

    def nearest(self, corners: FloatArray) -> tuple[IntArray, IntArray]:
        """Boxes that lie on an item, and the item that each overlaps most."""
        box, item = self.pairs
        iou = self.ious(corners)
        order = np.lexsort((-iou, box))
        order = order[iou[order] >= ON_ITEM]
        first = np.diff(box[order], prepend=-1) != 0
        return box[order][first], item[order][first]

    def chance(self, corners: FloatArray) -> float:
        """Share of boxes that lie on an item when all of them are moved elsewhere, round the image.

        Trays are full: even boxes drawn at random lie on items now and then.
        """
        if not len(self):
            return 0.0
        size = self.sizes[self.rows]
        centres = (corners[:, :2] + corners[:, 2:]) / 2
        shares = []
        for move in MOVES:
            shift = (centres + size * move) % size - centres
            shares.append(self.on_items(corners + np.tile(shift, 2)).mean())
        return float(np.mean(shares))

    def against(self, other: BoxSample) -> BoxSample:
        """These boxes beside the items of as many other images."""
        return replace(
            self,
            item_rows=other.item_rows,
            items=other.items,
            item_labels=other.item_labels,
            sizes=other.sizes,
        )


def xywh_corners(boxes: FloatArray) -> FloatArray:
    """Corners (M, 4) of x, y, width, height."""
    return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)


def evenly(values: IntArray, most: int) -> IntArray:
    """At most so many of the values, evenly over all of them."""
    if len(values) <= most:
        return values
    return values[np.linspace(0, len(values) - 1, most).round().astype(np.int64)]


def is_beyond_chance(hits: int, trials: int, chance: float, candidates: int) -> bool:
    """Whether so many hits are too many for chance, with so many candidates tried."""
    if hits < 1:
        return False
    return bool(candidates * bdtrc(hits - 1, trials, min(max(chance, 0.02), 1.0)) < RARE)
