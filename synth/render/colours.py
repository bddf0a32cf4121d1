"""Colours as natural logarithms, in which gains and lights add, and in opponent terms of them.

Opponent: brightness (mean of the three logarithms), redness (red over green), blueness (blue
over green).
"""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

Rgb = NDArray[np.uint8]
Floats = NDArray[np.float32]

OFFSET: Final = 4.0  # grey levels added before the logarithm: noise in blacks weighs little


def to_log(rgb: NDArray[Any], offset: float = OFFSET) -> Floats:
    """Logarithms (H, W, 3) of grey levels 0 to 255; 0 is white."""
    return np.asarray(cv2.log((rgb.astype(np.float32) + offset) * (1 / (255 + offset))))


def from_log(log: Floats, offset: float = OFFSET) -> Floats:
    """Grey levels (H, W, 3), 0 to 255, not rounded."""
    levels = cv2.exp(log) * np.float32(255 + offset) - np.float32(offset)
    return np.asarray(np.clip(levels, 0, 255, out=levels))


def to_opponent(rgb: NDArray[Any], offset: float = OFFSET) -> Floats:
    """Brightness, redness and blueness (H, W, 3) of grey levels."""
    red, green, blue = cv2.split(to_log(rgb, offset))
    return np.asarray(cv2.merge([(red + green + blue) * (1 / 3), red - green, blue - green]))


def to_opponent_vector(log: NDArray[Any]) -> Floats:
    """Brightness, redness and blueness of logarithmic colours (..., 3)."""
    parts = [log.mean(axis=-1), log[..., 0] - log[..., 1], log[..., 2] - log[..., 1]]
    return np.stack(parts, axis=-1).astype(np.float32)


def from_opponent(opponent: NDArray[Any]) -> Floats:
    """Logarithmic colours (..., 3) of brightness, redness and blueness."""
    brightness, redness, blueness = (opponent[..., c] for c in range(3))
    green = brightness - (redness + blueness) / 3
    return np.stack([green + redness, green, green + blueness], axis=-1).astype(np.float32)
