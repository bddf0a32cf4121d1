"""Photos at the size that a detector's network wants.

Key: H x W pixels of a photo.
"""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Rgb = NDArray[np.uint8]
PAD_VALUE: Final = 114
DIVISOR: Final = 32  # of the sides of a square: the coarsest stride of the networks


def letterbox(rgb: Rgb, longer: int, shorter: int) -> tuple[Rgb, float]:
    """Scale a photo (H, W, 3) as large as both sides allow; pad it where one square serves all.

    Args:
        rgb: the photo.
        longer: pixels that its longer side may have.
        shorter: pixels that its shorter side may have; as `longer` for a square.

    Returns:
        The scaled photo, in the upper left corner of a square whose sides are a multiple of 32
        where both lengths are equal; and the factor from photo to picture.
    """
    height, width = rgb.shape[:2]
    scale = min(longer / max(height, width), shorter / min(height, width))
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    # As mmdet's own Resize in training: bilinear, whatever the factor.
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_LINEAR)
    if longer != shorter:  # the network's own preprocessor pads, as it did in training
        return np.asarray(small, np.uint8), scale
    full = square_side(longer)
    padded = np.full((full, full, 3), PAD_VALUE, np.uint8)
    padded[: size[1], : size[0]] = small
    return padded, scale


def square_side(longer: int) -> int:
    """Side of the square that photos of so many pixels are laid into."""
    return math.ceil(longer / DIVISOR) * DIVISOR
