"""Which box finds which item, at ten IoUs at once: the matching of pycocotools, on arrays.

Key: M boxes that were found, G true items, P pairs of both. A mask (uint16) answers yes or no for
each IoU at once: its bit t belongs to `IOUS[t]`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rpc.structures.boxes import FloatArray

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
Masks = NDArray[np.uint16]

IOUS: Final[FloatArray] = np.linspace(0.5, 0.95, 10)
MAX_DETECTIONS = 100  # of one SKU on one image; RPC's fullest tray holds 20 items
EVERY_IOU = (1 << len(IOUS)) - 1
BLOCK = 1 << 14  # boxes whose pairs are looked at together: as many as the cache holds
LARGEST_AREA = 1e10  # square pixels: larger ones are outside COCO's area range "all"


@dataclass(frozen=True, eq=False)
class FoundBoxes:
    """The boxes that a detector found on N images, in the order of the file.

    Attributes:
        rows: (M,) the image, 0 to N - 1.
        labels: (M,) the SKU, from 0.
        boxes: (M, 4) x, y, width, height in pixels.
        scores: (M,) finite.
    """

    rows: IntArray
    labels: IntArray
    boxes: FloatArray
    scores: FloatArray


@dataclass(frozen=True, eq=False)
class ItemBoxes:
    """The true items of N images, in the order of the file.

    Attributes:
        rows: (G,) the image, 0 to N - 1.
        labels: (G,) the SKU, from 0.
        boxes: (G, 4) x, y, width, height in pixels.
        crowd: (G,) takes any number of boxes; neither missed nor found.
        ignored: (G,) neither missed nor found; holds for crowds too.
        nameless: (G,) takes a box and stays missed, as pycocotools does with the annotation id 0,
            by which it tells "not found"; False throughout for a true count.
    """

    rows: IntArray
    labels: IntArray
    boxes: FloatArray
    crowd: BoolArray
    ignored: BoolArray
    nameless: BoolArray


@dataclass(frozen=True, eq=False)
class Matches:
    """The matches of the boxes, SKU by SKU and best first, as average precision takes them.

    Attributes:
        rows: (M,) the image.
        labels: (M,) the SKU, ascending.
        right: (M,) masks: the box finds an item.
        ignored: (M,) masks: the box is neither right nor wrong.
    """

    rows: IntArray
    labels: IntArray
    right: Masks
    ignored: Masks


def match_boxes(items: ItemBoxes, found: FoundBoxes) -> Matches:
    """Match boxes to items, by image and SKU.

    The better box chooses first. It takes the free item that it overlaps most (of equal ones the
    last), if their IoU reaches the threshold; an ignored item only where no other one is free.
    Equal scores go by row, then by place in the file.

    Args:
        items: G items.
        found: M boxes. Of one SKU on one image the 100 best are taken.
    """
    order = _best_first(found)
    cells, by_cell = _by_cell(found.rows.take(order), found.labels.take(order))
    surplus = _places(cells) >= MAX_DETECTIONS
    if surplus.any():
        order = np.delete(order, by_cell[surplus])
        cells, by_cell = _by_cell(found.rows[order], found.labels[order])
    box, item, reach = _pairs(cells, found.boxes, order[by_cell], items)
    turns = _turns(cells.take(box))
    right, ignored = _decide(turns, by_cell.take(box), item, reach, len(order), items)
    huge = found.boxes[order, 2] * found.boxes[order, 3] > LARGEST_AREA
    ignored[huge] |= ~right[huge]
    return Matches(found.rows.take(order), found.labels.take(order), right, ignored)


def _decide(
    turns: list[IntArray], box: IntArray, item: IntArray, reach: Masks, boxes: int, items: ItemBoxes
) -> tuple[Masks, Masks]:
    """Which boxes (M,) are right, and which are ignored, at each IoU."""
    right, ignored, matched = (np.zeros(boxes, dtype=np.uint16) for _ in range(3))
    taken = np.zeros(len(items.rows), dtype=np.uint16)
    closes, counts = _yes(~items.crowd), _yes(~items.ignored & ~items.nameless)
    excused = _yes(items.ignored)
    for turn in turns:
        b, i = box.take(turn), item.take(turn)
        new = reach.take(turn) & ~taken.take(i) & ~matched.take(b)
        matched[b] |= new
        taken[i] |= new & closes.take(i)
        right[b] |= new & counts.take(i)
        ignored[b] |= new & excused.take(i)
    return right, ignored


def _yes(answers: BoolArray) -> Masks:
    """Masks of one answer for all IoUs."""
    return np.where(answers, EVERY_IOU, 0).astype(np.uint16)


def _best_first(found: FoundBoxes) -> IntArray:
    """The boxes (M,) by SKU, then by falling score, row and place in the file."""
    order = _stable_order(found.rows)
    order = order.take(_falling(found.scores.take(order)))
    return order.take(_stable_order(found.labels.take(order)))


def _falling(scores: FloatArray) -> IntArray:
    """The order (M,) by falling score; equal ones stay.

    numpy sorts floats several times faster where equal ones may move: so the scores become ranks,
    and these are sorted 16 bits at a time.
    """
    order = np.argsort(-scores)
    rank = np.empty(len(scores), dtype=np.int64)
    rank[order] = np.cumsum(np.diff(scores.take(order), prepend=np.inf) != 0)
    order = _stable_order(rank & 0xFFFF)
    return order.take(_stable_order(rank.take(order) >> 16))


def _by_cell(rows: IntArray, labels: IntArray) -> tuple[IntArray, IntArray]:
    """Entries by cell (SKU of an image): the cells, ascending, and the entries; equal ones stay."""
    order = _stable_order(labels)
    order = order.take(_stable_order(rows.take(order)))
    return rows.take(order) << 32 | labels.take(order), order


def _stable_order(values: IntArray) -> IntArray:
    """The stable order of numbers >= 0; numpy is several times faster on 16 bits."""
    small = values.max(initial=0) < 2**16
    return np.argsort(values.astype(np.uint16) if small else values, kind="stable")


def _pairs(
    cells: IntArray, boxes: FloatArray, order: IntArray, items: ItemBoxes
) -> tuple[IntArray, IntArray, Masks]:
    """Pairs of a box (its place in `order`) and an item with an IoU of 0.5 or more.

    They come box by box, the choices of a box best first. The masks say which IoUs are reached.

    Args:
        cells: (M,) of the boxes, ascending.
        boxes: all boxes that were found.
        order: (M,) which of them are meant.
        items: G items.
    """
    item_cells, by_cell = _by_cell(items.rows, items.labels)
    first = np.searchsorted(item_cells, cells)
    number = np.searchsorted(item_cells, cells, side="right") - first
    parts = []
    for start in range(0, max(len(cells), 1), BLOCK):
        part = slice(start, start + BLOCK)
        box = np.repeat(np.arange(start, start + len(cells[part])), number[part])
        before = np.cumsum(number[part]) - number[part]
        item = by_cell.take(np.arange(len(box)) + np.repeat(first[part] - before, number[part]))
        mine, theirs = boxes.take(order.take(box), axis=0), items.boxes.take(item, axis=0)
        parts.append(_choices(box, item, _ious(mine, theirs, items.crowd.take(item)), items))
    box, item, iou = (np.concatenate(column) for column in zip(*parts, strict=True))
    reach = (1 << np.searchsorted(IOUS, iou, side="right")) - 1
    return box, item, reach.astype(np.uint16)


def _choices(
    box: IntArray, item: IntArray, iou: FloatArray, items: ItemBoxes
) -> tuple[IntArray, IntArray, FloatArray]:
    """The pairs with an IoU of 0.5 or more; the choices of a box best first."""
    near = np.flatnonzero(iou >= IOUS[0])
    box, item, iou = box.take(near), item.take(near), iou.take(near)
    alike = box[1:] == box[:-1]
    several = np.flatnonzero(np.append(alike, False) | np.append(False, alike))
    best = np.lexsort((-item[several], -iou[several], items.ignored[item[several]], box[several]))
    item[several], iou[several] = item[several][best], iou[several][best]
    return box, item, iou


def _ious(boxes: FloatArray, items: FloatArray, crowd: BoolArray) -> FloatArray:
    """IoU (P,) of pairs (P, 4) of x, y, width, height; with a crowd, the share of the box in it."""
    x, y, w, h = boxes.T
    item_x, item_y, item_w, item_h = items.T
    wide = np.minimum(x + w, item_x + item_w) - np.maximum(x, item_x)
    high = np.minimum(y + h, item_y + item_h) - np.maximum(y, item_y)
    inter = wide.clip(0) * high.clip(0)
    union = w * h + np.where(crowd, 0.0, item_w * item_h - inter)
    return np.asarray(np.divide(inter, union, out=np.zeros_like(inter), where=inter > 0))


def _turns(cells: IntArray) -> list[IntArray]:
    """Pairs (P,) in groups that can be decided at once: the first of every cell, the second, ...

    Args:
        cells: (P,) of the pairs, ascending.
    """
    turn = _places(cells)
    ends = np.cumsum(np.bincount(turn))[:-1]
    return np.split(_stable_order(turn), ends)


def _places(values: IntArray) -> IntArray:
    """Which of its equals each of sorted `values` (P,) is, from 0."""
    starts = np.flatnonzero(np.diff(values, prepend=values[:1] - 1))
    return np.arange(len(values)) - np.repeat(starts, np.diff(starts, append=len(values)))
