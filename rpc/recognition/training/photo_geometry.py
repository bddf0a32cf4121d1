"""Where the pixels, the box and the key points of a photo go in the network's square input.

Key: S x S pixels of the input, H x W of a photo, P key points.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Rgb = NDArray[np.uint8]
Floats = NDArray[np.float64]

GREY: Final = 127  # around a photo that is no square


@dataclass(frozen=True)
class Seen:
    """The network's view of a photo: pixels, box and key points of the input."""

    image: Rgb  # (S, S, 3)
    box: NDArray[np.float32]  # (4,)
    points: NDArray[np.float32]  # (P, 3)


@dataclass(frozen=True)
class Placed:
    """Box and key points in pixels of what is taken of a photo."""

    box: Floats  # (4,)
    points: Floats  # (P, 3)


def fit_window(corner: Floats, window: Floats, side: int) -> Floats:
    """Matrix (3, 3) that takes a window of a photo to the middle of a square, undistorted."""
    scale = side / window.max()
    shift = (side - scale * window) / 2 - scale * corner
    return np.array([[scale, 0, shift[0]], [0, scale, shift[1]], [0, 0, 1]])


def about_middle(side: int, turn: Floats) -> Floats:
    """Matrix (3, 3) of a turn (2, 2) about the middle of the square."""
    middle = np.full(2, side / 2)
    matrix = np.eye(3)
    matrix[:2, :2], matrix[:2, 2] = turn, middle - turn @ middle
    return matrix


def warp_photo(rgb: Rgb, placed: Placed, matrix: Floats, side: int) -> Seen:
    """Photo, box and points through a matrix in coordinates where a pixel is a unit square."""
    shrink = float(np.sqrt(abs(np.linalg.det(matrix[:2, :2]))))
    if shrink < 0.5:  # a warp reads four pixels: what shrinks more must be averaged first
        size = tuple(max(round(2 * shrink * n), 1) for n in rgb.shape[1::-1])
        small = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
        grown = np.diag([rgb.shape[1] / size[0], rgb.shape[0] / size[1], 1.0])
    else:
        small, grown = rgb, np.eye(3)
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])  # OpenCV counts from pixels' middles
    warped: Rgb = np.asarray(
        cv2.warpAffine(
            small,
            (np.linalg.inv(half) @ matrix @ grown @ half)[:2],
            (side, side),
            flags=cv2.INTER_LINEAR,
            borderValue=(GREY, GREY, GREY),
        ),
        np.uint8,
    )
    x1, y1, x2, y2 = placed.box
    corners = np.array([[x1, y1, 1], [x2, y1, 1], [x2, y2, 1], [x1, y2, 1]]) @ matrix.T
    ends = np.concatenate([corners[:, :2].min(axis=0), corners[:, :2].max(axis=0)])
    points = placed.points.copy()
    points[:, :2] = points[:, :2] @ matrix[:2, :2].T + matrix[:2, 2]
    inside = ((points[:, :2] >= 0) & (points[:, :2] < side)).all(axis=1)
    points[:, 2] *= inside
    return Seen(warped, ends.clip(0, side).astype(np.float32), points.astype(np.float32))


def quarter_turn(times: int) -> Floats:
    """Matrix (2, 2) of so many quarter turns."""
    quarter = np.array([[0.0, -1.0], [1.0, 0.0]])
    return np.linalg.matrix_power(quarter, times % 4)
