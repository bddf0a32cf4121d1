"""Boxes to crops of one size, and the boxes that a detector might have given instead.

Key: N boxes, H x W pixels of a photo, S the side of a crop.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rpc.features.embedding import fit_square
from rpc.structures import box_areas, box_iou, clip_boxes

FloatArray = NDArray[np.float64]
MARGIN = 0.04  # of a box's sides: the outline of a product tells it from its neighbours


def cut_crops(rgb: NDArray[np.uint8], boxes: FloatArray, side: int) -> NDArray[np.uint8]:
    """Crops (N, S, S, 3) of a photo (H, W, 3): boxes with a small margin, undistorted, grey around.

    What lies outside the box stays out: between neighbours, the box alone says which one is meant.
    """
    height, width = rgb.shape[:2]
    crops = np.empty((len(boxes), side, side, 3), np.uint8)
    for row, (x1, y1, x2, y2) in enumerate(np.asarray(boxes, dtype=np.float64).reshape(-1, 4)):
        mx, my = MARGIN * (x2 - x1), MARGIN * (y2 - y1)
        left, top = int(max(x1 - mx, 0)), int(max(y1 - my, 0))
        right, bottom = int(np.ceil(min(x2 + mx, width))), int(np.ceil(min(y2 + my, height)))
        left, top = min(left, width - 1), min(top, height - 1)
        crops[row] = fit_square(rgb[top : max(bottom, top + 1), left : max(right, left + 1)], side)
    return crops


def jitter_boxes(
    boxes: FloatArray, width: int, height: int, rng: np.random.Generator, strength: float = 0.06
) -> FloatArray:
    """Boxes (N, 4) as a detector gives them: each side moved by a share of the box's size."""
    array = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    sides = np.tile(array[:, 2:] - array[:, :2], 2)
    moved = array + sides * rng.normal(0, strength, array.shape).clip(-0.15, 0.15)
    return clip_boxes(moved, width, height)


def stray_boxes(
    boxes: FloatArray, count: int, width: int, height: int, rng: np.random.Generator
) -> FloatArray:
    """Boxes (M, 4), M <= `count`, that frame no item: a part of one, two at once, or the bare tray.

    None of them has an IoU above 0.4 with any of the N `boxes`.
    """
    array = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    if len(array) == 0:
        return np.zeros((0, 4))
    picked = array[rng.integers(len(array), size=count)]
    sides = picked[:, 2:] - picked[:, :2]
    scale = np.exp(rng.uniform(np.log(0.35), np.log(2.0), (count, 1)))
    centre = (picked[:, :2] + picked[:, 2:]) / 2 + rng.normal(0, 0.45, (count, 2)) * sides
    stray = np.concatenate([centre - sides * scale / 2, centre + sides * scale / 2], axis=1)
    stray = clip_boxes(stray, width, height)
    clear = (box_iou(stray, array).max(axis=1) < 0.4) & (box_areas(stray) > 64)
    return stray[clear]
