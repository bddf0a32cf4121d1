"""Where the ground of a tray is in sight, told without labels.

Key: H x W pixels.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

BINS: Final = (10, 16, 16)  # of lightness and the two colour axes
NEAR: Final = 14.0  # CIE units
LIGHT_WEIGHT: Final = 0.5  # light falls off over a tray, its colour hardly


def ground_mask(rgb: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Pixels (H, W) near the photo's most frequent colour: never empty.

    The photo is blurred by a hundredth of its side and taken to CIE Lab; the fullest bin of a
    coarse histogram gives the ground's colour, refined by the mean of what lies near. Items of the
    ground's colour count as ground, and the figure says so much and no more.
    """
    sigma = max(max(rgb.shape[:2]) / 100, 0.5)
    blurred = cv2.GaussianBlur(rgb, (0, 0), sigma).astype(np.float32) / 255
    lab = cv2.cvtColor(blurred, cv2.COLOR_RGB2LAB) * np.array([LIGHT_WEIGHT, 1, 1], np.float32)
    pixels = lab.reshape(-1, 3)
    ranges = ((0.0, 100.0 * LIGHT_WEIGHT + 1e-3), (-128.0, 128.0), (-128.0, 128.0))
    counts, edges = np.histogramdd(pixels, bins=BINS, range=ranges)
    fullest = np.unravel_index(int(counts.argmax()), counts.shape)
    colour = np.array([(e[i] + e[i + 1]) / 2 for e, i in zip(edges, fullest, strict=True)])
    for _ in range(3):
        near = np.linalg.norm(pixels - colour, axis=1) < NEAR
        if not near.any():
            break
        colour = pixels[near].mean(axis=0)
    mask = np.linalg.norm(lab - colour, axis=2) < NEAR
    return mask if mask.any() else np.ones_like(mask)
