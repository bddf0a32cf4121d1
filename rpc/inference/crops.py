"""Boxes to crops of one size, and how large each one appears.

Key: N boxes, H x W pixels of a photo, S the side of a crop.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
MARGIN: Final = 0.04  # of a box's sides: the outline of a product tells it from its neighbours


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


def fit_square(rgb: NDArray[np.uint8], side: int, fill: int = 127) -> NDArray[np.uint8]:
    """Scale a picture (H, W, 3) into the middle of a square (S, S, 3), its shape kept."""
    height, width = rgb.shape[:2]
    scale = side / max(height, width)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    square = np.full((side, side, 3), fill, np.uint8)
    x, y = (side - size[0]) // 2, (side - size[1]) // 2
    square[y : y + size[1], x : x + size[0]] = small
    return square
