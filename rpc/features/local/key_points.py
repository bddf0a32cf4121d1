"""Key points of a picture and their SIFT descriptors, and which of two pictures fit.

SIFT: Lowe, IJCV 2004; compared as RootSIFT (`rpc.features.encodings.root_sift`).

Key: P key points of a picture of H x W pixels, Q pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
Rgb = NDArray[np.uint8]

CONTRAST: Final = 0.02  # least of a key point: half of OpenCV's, for pale print
DIMENSION: Final = 128


@dataclass(frozen=True, eq=False)
class KeyPoints:
    """The key points of one picture.

    Attributes:
        points: (P, 2) x, y in pixels.
        sift: (P, 128) uint8, as OpenCV rounds them.
    """

    points: FloatArray
    sift: NDArray[np.uint8]


def scaled(rgb: Rgb, side: int) -> Rgb:
    """A picture (H, W, 3) whose longer side has so many pixels, up or down; a side has 8 at least.

    Raises:
        ValueError: no picture, or a side below 1.
    """
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or not rgb.size or side < 1:
        raise ValueError(f"picture: expected uint8 (H, W, 3), got {rgb.dtype} {rgb.shape}, {side}")
    factor = side / max(rgb.shape[:2])
    size = (max(round(rgb.shape[1] * factor), 8), max(round(rgb.shape[0] * factor), 8))
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(np.ascontiguousarray(rgb), size, interpolation=how), np.uint8)


def key_points(rgb: Rgb, most: int) -> KeyPoints:
    """The `most` clearest key points of a picture (H, W, 3); none where nothing is printed."""
    grey = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY)
    made: Any = cv2.SIFT_create(  # type: ignore[attr-defined]
        nfeatures=most, contrastThreshold=CONTRAST
    )
    found, sift = made.detectAndCompute(grey, None)
    if sift is None:
        return KeyPoints(np.zeros((0, 2), np.float32), np.zeros((0, DIMENSION), np.uint8))
    points = np.array([point.pt for point in found], dtype=np.float32)
    return KeyPoints(points, np.asarray(sift).astype(np.uint8))


def mutual_pairs(first: FloatArray, second: FloatArray, ratio: float) -> NDArray[np.int64]:
    """Pairs (Q, 2) of unit vectors (P, D) and (P', D): mutual nearest that pass the ratio test.

    Args:
        first: of one picture.
        second: of the other one; fewer than two of them pass no test.
        ratio: largest distance to the nearest, over that to the second nearest.
    """
    if len(first) == 0 or len(second) < 2:
        return np.zeros((0, 2), np.int64)
    near = first @ second.T
    rows = np.arange(len(first))
    best = near.argmax(axis=1)
    mutual = near.argmax(axis=0)[best] == rows
    top = near[rows, best]
    near[rows, best] = -np.inf
    # Distances of unit vectors: the ratio of 2 - 2s.
    clear = np.maximum(2 - 2 * top, 0) < ratio**2 * np.maximum(2 - 2 * near.max(axis=1), 0)
    kept = np.flatnonzero(clear & mutual)
    return np.stack([kept, best[kept]], axis=1)
