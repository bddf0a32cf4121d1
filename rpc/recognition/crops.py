"""Boxes to crops of one size, and the boxes that a detector might have given instead.

Key: N boxes, H x W pixels of a photo, S the side of a crop.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from rpc.features.backbones.embedding import fit_square
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


def box_extents(boxes: FloatArray, width: int) -> NDArray[np.float32]:
    """Longer and shorter side (N, 2) of boxes (N, 4), as log2 of their share of a photo's width.

    Counted from an eighth of the width, as products often have; quarter turns change nothing.
    """
    array = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    sides = np.sort(array[:, 2:] - array[:, :2], axis=1)[:, ::-1]
    return np.log2(np.maximum(8 * sides / width, 1 / 16)).astype(np.float32)


def hide_face(crop: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """The crop (S, S, 3) with a plain disc or plate over 30 to 70 % of its middle.

    On trays, products show faces that no exemplar shows, plain bottoms above all: the name has to
    be read off what is left around them.
    """
    side = crop.shape[0]
    centre = side * (0.5 + rng.normal(0, 0.08, 2))
    half = side * rng.uniform(0.15, 0.35, 2) * [1, rng.uniform(0.7, 1.0)]
    grey = rng.uniform(90, 250)
    colour = (grey + rng.normal(0, 6, 3)).clip(0, 255)
    mask = np.zeros((side, side), np.float32)
    if rng.random() < 0.6:
        half[1] = half[0] * rng.uniform(0.75, 1.0)
        cv2.ellipse(mask, (tuple(centre), tuple(2 * half), rng.uniform(0, 180)), 1.0, -1)
    else:
        corners = cv2.boxPoints((tuple(centre), tuple(2 * half), rng.uniform(0, 180)))
        cv2.fillConvexPoly(mask, corners.astype(np.int32), 1.0)
    mask = cv2.GaussianBlur(mask, (0, 0), 1.0)[..., None]
    shade = np.linspace(rng.uniform(0.9, 1.1), rng.uniform(0.9, 1.1), side)[None, :, None]
    plate = (colour * shade).clip(0, 255)
    return np.asarray(crop * (1 - mask) + plate * mask, dtype=np.float32).astype(np.uint8)


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
