"""Dense RootSIFT: hand-crafted local descriptors on a grid, at several sizes.

RootSIFT: Arandjelovic and Zisserman, CVPR 2012: the root of the L1-normalised SIFT vector, so that
the dot product of two is the Hellinger kernel of their histograms.

Key: H x W pixels, M descriptors of dimension 128.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]

SIZES: Final = (16, 24, 32)  # px, side of the patch that a descriptor sees
STEP: Final = 8  # px between neighbours of the grid
DIMENSION: Final = 128
PATCH_PER_SIZE: Final = 6  # OpenCV: 4 bins of 3 times half the key point's size
LEAST_NORM: Final = 1e-6


def root_sift(sift: FloatArray) -> FloatArray:
    """SIFT vectors (M, 128), not negative, to their RootSIFT of unit length; zeros stay zeros."""
    total = sift.sum(axis=1, keepdims=True)
    share = np.divide(sift, total, out=np.zeros(sift.shape), where=total > LEAST_NORM)
    root: FloatArray = np.sqrt(share).astype(np.float32)
    return root


def dense_root_sift(
    rgb: NDArray[np.uint8], sizes: Sequence[int] = SIZES, step: int = STEP
) -> FloatArray:
    """Upright RootSIFT on a grid over the photo, (M, 128).

    Patches without any gradient say nothing and are left out; a patch lies inside the photo as a
    whole, so a photo smaller than all sizes gives none.

    Args:
        rgb: (H, W, 3) uint8.
        sizes: sides of the patches, px.
        step: px between the centres of neighbours.

    Raises:
        ValueError: no photo, or a size or step below 1.
    """
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or not rgb.size:
        raise ValueError(f"photo: expected uint8 (H, W, 3), got {rgb.dtype} {rgb.shape}")
    if step < 1 or not sizes or min(sizes) < 1:
        raise ValueError(f"expected sizes and a step of at least 1 px, got {sizes} and {step}")
    points = [point for size in sizes for point in _grid(rgb.shape[0], rgb.shape[1], size, step)]
    if not points:
        return np.zeros((0, DIMENSION), np.float32)
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    _, sift = cv2.SIFT_create().compute(grey, points)  # type: ignore[attr-defined]
    found = root_sift(np.asarray(sift))
    return found[found.any(axis=1)]


def _grid(height: int, width: int, size: int, step: int) -> list[cv2.KeyPoint]:
    return [
        cv2.KeyPoint(float(x), float(y), size / PATCH_PER_SIZE, 0.0)
        for y in range(size // 2, height - size // 2 + 1, step)
        for x in range(size // 2, width - size // 2 + 1, step)
    ]
