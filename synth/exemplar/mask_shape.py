"""Geometry of one mask: parts, holes, hull, and how well it fills the box it was given.

Key: masks are boolean (H, W); boxes are xyxy in pixels, x2 and y2 exclusive.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from rpc.structures import box_iou, mask_to_box

BoolMask = NDArray[np.bool_]


def ellipse(radius: int) -> NDArray[np.uint8]:
    """Round structuring element of `radius` pixels."""
    side = 2 * max(0, radius) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), dtype=np.uint8)


def fill_holes(mask: BoolMask) -> BoolMask:
    """`mask` (H, W) with everything filled that has no way to the frame around the mask."""
    padded = np.pad(mask.astype(np.uint8), 1)
    cv2.floodFill(padded, None, (0, 0), 2)
    return np.asarray(padded[1:-1, 1:-1] != 2)


def main_part(mask: BoolMask, box: Sequence[float]) -> BoolMask:
    """The connected part of `mask` (H, W) that has most pixels inside `box`; empty if none has."""
    number, labels = cv2.connectedComponents(mask.astype(np.uint8))
    counts = np.bincount(labels[_slices(box, mask.shape)].ravel(), minlength=number)
    counts[0] = 0
    return np.asarray(labels == counts.argmax()) if counts.any() else np.zeros_like(mask)


def clip_to_box(mask: BoolMask, box: Sequence[float], slack: int = 1) -> BoolMask:
    """`mask` (H, W) without what is more than `slack` pixels outside `box`."""
    clipped = np.zeros_like(mask)
    window = _slices(box, mask.shape, slack)
    clipped[window] = mask[window]
    return clipped


def convex_hull(mask: BoolMask) -> BoolMask:
    """Filled convex hull of `mask` (H, W); empty for an empty mask."""
    hull = np.zeros(mask.shape, dtype=np.uint8)
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if contours:
        cv2.fillConvexPoly(hull, cv2.convexHull(np.vstack(contours)), 1)
    return hull.astype(bool)


def solidity(mask: BoolMask) -> float:
    """Area over the area of the convex hull, 0 to 1; 0 for an empty mask."""
    area = int(mask.sum())
    return area / int(convex_hull(mask).sum()) if area else 0.0


def box_fit(mask: BoolMask, box: Sequence[float]) -> float:
    """IoU of the mask's tight box and `box`, 0 to 1: 1 where the mask touches all four sides."""
    tight = mask_to_box(mask)
    return 0.0 if tight is None else float(box_iou([tight], [list(box)])[0, 0])


def rectangle_sides(mask: BoolMask) -> tuple[float, float]:
    """Short and long side in pixels of the smallest rotated rectangle around `mask` (H, W)."""
    points = cv2.findNonZero(mask.astype(np.uint8))
    if points is None:
        return 0.0, 0.0
    sides = sorted(side + 1 for side in cv2.minAreaRect(points)[1])
    return float(sides[0]), float(sides[1])


def _slices(box: Sequence[float], shape: tuple[int, ...], slack: int = 0) -> tuple[slice, slice]:
    x1, y1, x2, y2 = (round(value) for value in box)
    rows = slice(max(0, y1 - slack), max(0, min(shape[0], y2 + slack)))
    return rows, slice(max(0, x1 - slack), max(0, min(shape[1], x2 + slack)))
