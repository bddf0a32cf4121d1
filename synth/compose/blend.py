"""Pasting an item: linear blending by its soft alpha, with a tint of its own."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from synth.compose.heap import clip_window
from synth.compose.warp import Patch

Gains = tuple[float, float, float]


def draw_gains(rng: np.random.Generator, tint: float) -> Gains:
    """Gains of red, green and blue for one item: a common brightness and a smaller colour cast."""
    brightness = 1 + rng.uniform(-tint, tint)
    red, green, blue = brightness * (1 + rng.uniform(-tint, tint, 3) / 2)
    return float(red), float(green), float(blue)


def paste(
    canvas: NDArray[np.uint8],
    patch: Patch,
    corner: tuple[int, int],
    gains: Gains = (1.0, 1.0, 1.0),
) -> None:
    """Lay an item on `canvas` (H, W, 3) in place; what lies outside the image is left away."""
    window, part = clip_window(patch.mask.shape, corner, canvas.shape)
    below = canvas[window]
    if not below.size:
        return
    # One factor a channel: OpenCV takes it, its types do not know it.
    colours = cv2.multiply(patch.rgb[part], (*gains, 1.0))  # type: ignore[call-overload]
    rest = cv2.cvtColor(cv2.bitwise_not(patch.alpha[part]), cv2.COLOR_GRAY2RGB)
    canvas[window] = cv2.add(cv2.multiply(below, rest, scale=1 / 255), colours)
