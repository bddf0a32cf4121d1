"""Samples of a data set's images with boxes and items, as arrays for `rpc.metrics.suspicions`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from rpc.data import Dataset
from rpc.data.coco_checks import UNKNOWN_SIDE
from rpc.metrics.suspicions.orders import NONE
from rpc.metrics.suspicions.sample import IMAGES, MOST_BOXES, BoxSample, IntArray, evenly
from rpc.structures import Detections, xyxy_to_xywh
from rpc.structures.boxes import FloatArray


class Items:
    """The items of a data set's images, as arrays.

    Args:
        dataset: N images with their items.
    """

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset

    @cached_property
    def sizes(self) -> FloatArray:
        """Width and height (N, 2) of the images; what items take up where they are not known."""
        sizes = np.array([(i.width, i.height) for i in self.dataset.images], np.float64)
        unknown = sizes >= UNKNOWN_SIDE
        if unknown.any():
            far = [item.bbox[2:] for item in self.dataset.annotations] or [(1.0, 1.0)]
            sizes = np.where(unknown, np.max(far, axis=0), sizes)
        return sizes.reshape(-1, 2)

    @cached_property
    def per_image(self) -> IntArray:
        """How many items (N,) each image has."""
        return np.bincount(self.dataset.places()[0], minlength=len(self.dataset))

    def of(self, rows: IntArray) -> BoxSample:
        """The items of S images, without boxes; -1 is an image without items."""
        parts = [
            self.dataset.annotations_of(self.dataset.images[row].id) if row != NONE else ()
            for row in rows.tolist()
        ]
        items = [item for part in parts for item in part]
        return BoxSample(
            rows=np.zeros(0, dtype=np.int64),
            boxes=np.zeros((0, 4)),
            labels=np.zeros(0, dtype=np.int64),
            item_rows=np.repeat(np.arange(len(rows)), [len(part) for part in parts]),
            items=np.array([item.bbox for item in items], dtype=np.float64).reshape(-1, 4),
            item_labels=self.dataset.taxonomy.labels(item.category_id for item in items),
            sizes=self.sizes[rows],
        )


def sample_rows(boxes: IntArray, most: int = IMAGES) -> IntArray:
    """Images with boxes, evenly over all of them, by how many boxes (N,) each has."""
    return evenly(np.flatnonzero(boxes), most)


def box_sample(found: Sequence[Detections], items: Items, rows: IntArray) -> BoxSample:
    """The best boxes of S images, about as many as there are items, beside the items.

    Args:
        found: of all N images.
        items: likewise.
        rows: (S,) which images.
    """
    best = []
    for row in rows.tolist():
        one = found[row]
        most = min(max(int(items.per_image[row]), 4), MOST_BOXES)
        best.append(np.argsort(-one.scores, kind="stable")[:most])
    pairs = list(zip(rows.tolist(), best, strict=True))
    corners = [found[row].boxes[at] for row, at in pairs]
    labels = [found[row].labels[at] for row, at in pairs]
    beside = items.of(rows)
    return BoxSample(
        rows=np.repeat(np.arange(len(rows)), [len(at) for at in best]),
        boxes=xyxy_to_xywh(np.concatenate([np.zeros((0, 4)), *corners])),
        labels=np.concatenate([np.zeros(0, dtype=np.int64), *labels]),
        item_rows=beside.item_rows,
        items=beside.items,
        item_labels=beside.item_labels,
        sizes=beside.sizes,
    )


def joined(counted: Sequence[Detections], rows: IntArray) -> tuple[IntArray, IntArray, FloatArray]:
    """Image (M,), label (M,) and corners (M, 4) of the boxes that count on some images."""
    some = [counted[row] for row in rows.tolist()]
    return (
        np.repeat(np.arange(len(rows)), [len(one) for one in some]),
        np.concatenate([np.zeros(0, dtype=np.int64), *(one.labels for one in some)]),
        np.concatenate([np.zeros((0, 4)), *(one.boxes for one in some)]),
    )
