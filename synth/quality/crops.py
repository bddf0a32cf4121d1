"""Crops of a photo to compare: the whole at a common size, and patches at random places.

Key: H x W pixels, P patches, S pixels a side.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from rpc.data.files import DataError
from rpc.data.images import image_size

Rgb = NDArray[np.uint8]

SIDE: Final = 640  # px of the longer side at most: what detectors here are trained at
PATCH: Final = 128  # px: a fifth of the tray's width, about one item
PATCHES: Final = 8  # of each photo


def common_side(paths: Iterable[Path], most: int = SIDE) -> int:
    """Longer side in pixels to which all photos can be brought without enlarging one.

    Raises:
        DataError: a photo is unreadable, or smaller than a patch.
    """
    side = most
    for path in paths:
        longer = max(image_size(path))
        if longer < PATCH:
            raise DataError(
                f"{path}: its longer side has {longer} px; expected {PATCH} px or more, "
                "the size of a patch"
            )
        side = min(side, longer)
    return side


def fit(rgb: Rgb, side: int) -> Rgb:
    """The photo scaled down (by areas) to this longer side; one of that size as it is."""
    height, width = rgb.shape[:2]
    scale = side / max(height, width)
    if scale >= 1.0:
        return rgb
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def patches(
    rgb: Rgb, rng: np.random.Generator, count: int = PATCHES, size: int = PATCH
) -> NDArray[np.uint8]:
    """Square patches (P, S, S, 3) of a photo (H, W, 3), at places uniform over the photo.

    A side shorter than a patch is continued by its mirror image.
    """
    height, width = rgb.shape[:2]
    below, beside = max(size - height, 0), max(size - width, 0)
    if below or beside:
        rgb = np.pad(rgb, ((0, below), (0, beside), (0, 0)), mode="symmetric")
    tops = rng.integers(0, rgb.shape[0] - size, count, endpoint=True)
    lefts = rng.integers(0, rgb.shape[1] - size, count, endpoint=True)
    places = zip(tops.tolist(), lefts.tolist(), strict=True)
    return np.stack([rgb[top : top + size, left : left + size] for top, left in places])
