"""Boxes as float arrays (N, 4), xyxy in pixels: x1, y1 inclusive, x2, y2 exclusive.

Key: N boxes of the first set, M of the second.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


def as_boxes(boxes: ArrayLike) -> FloatArray:
    """Return `boxes` as a float64 array (N, 4); an empty input gives (0, 4).

    Raises:
        ValueError: another shape, a value that is not finite, or x2 < x1 or y2 < y1.
    """
    array = np.asarray(boxes, dtype=np.float64)
    if array.size == 0:
        return np.zeros((0, 4))
    if array.ndim != 2 or array.shape[1] != 4:
        raise ValueError(f"boxes: expected shape (N, 4), got {array.shape}")
    if not np.isfinite(array).all():
        row = int(np.flatnonzero(~np.isfinite(array).all(axis=1))[0])
        raise ValueError(f"boxes: row {row} is not finite: {array[row].tolist()}")
    bad = (array[:, 2] < array[:, 0]) | (array[:, 3] < array[:, 1])
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise ValueError(f"boxes: row {row} has x2 < x1 or y2 < y1: {array[row].tolist()}")
    return array


def xywh_to_xyxy(boxes: ArrayLike) -> FloatArray:
    """COCO boxes (N, 4) as x, y, width, height to xyxy (N, 4)."""
    array = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    return np.concatenate([array[:, :2], array[:, :2] + array[:, 2:]], axis=1)


def xyxy_to_xywh(boxes: ArrayLike) -> FloatArray:
    """Boxes xyxy (N, 4) to COCO's x, y, width, height (N, 4)."""
    array = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    return np.concatenate([array[:, :2], array[:, 2:] - array[:, :2]], axis=1)


def box_areas(boxes: ArrayLike) -> FloatArray:
    """Areas (N,) in square pixels."""
    array = as_boxes(boxes)
    return (array[:, 2] - array[:, 0]) * (array[:, 3] - array[:, 1])


def intersection_areas(first: ArrayLike, second: ArrayLike) -> FloatArray:
    """Pairwise intersection areas (N, M) of boxes (N, 4) and (M, 4)."""
    a, b = as_boxes(first), as_boxes(second)
    top_left = np.maximum(a[:, None, :2], b[None, :, :2])  # (N, M, 2)
    bottom_right = np.minimum(a[:, None, 2:], b[None, :, 2:])  # (N, M, 2)
    sides = np.clip(bottom_right - top_left, 0, None)
    return np.asarray(sides[..., 0] * sides[..., 1])


def box_iou(first: ArrayLike, second: ArrayLike) -> FloatArray:
    """Pairwise intersection over union (N, M); 0 where both boxes are empty."""
    inter = intersection_areas(first, second)
    union = box_areas(first)[:, None] + box_areas(second)[None, :] - inter
    return np.divide(inter, union, out=np.zeros_like(inter), where=union > 0)


def clip_boxes(boxes: ArrayLike, width: int, height: int) -> FloatArray:
    """Boxes (N, 4) cut to an image of `width` x `height` pixels."""
    array = np.array(as_boxes(boxes))
    array[:, 0::2] = array[:, 0::2].clip(0, width)
    array[:, 1::2] = array[:, 1::2].clip(0, height)
    return array


def order_corners(boxes: ArrayLike) -> FloatArray:
    """Boxes (N, 4) with x1 <= x2 and y1 <= y2: an untrained model turns some inside out."""
    array = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    low = np.minimum(array[:, :2], array[:, 2:])
    return np.concatenate([low, np.maximum(array[:, :2], array[:, 2:])], axis=1)
