"""Soft contact shadows: what lies beneath an item gets darker close to it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from synth.compose.heap import clip_window
from synth.compose.warp import Patch

_SHRINK = 4  # shadows are soft: a quarter of the resolution is enough


@dataclass(frozen=True)
class Light:
    """The light of one scene.

    Attributes:
        direction: unit vector in which shadows fall.
        offset: how far they fall, as a fraction of an item's size (root of its area).
        softness: standard deviation of the soft part, as a fraction of the item's size.
        soft: darkness of the soft part, 0 to 1.
        contact: darkness of the narrow part right at the item's edge, 0 to 1.
    """

    direction: tuple[float, float]
    offset: float
    softness: float
    soft: float
    contact: float


def draw_light(rng: np.random.Generator, strength: float) -> Light:
    """Draw the light of a scene; `strength` 0 gives no shadow, 1 the usual range."""
    angle = rng.uniform(0, 2 * math.pi)
    return Light(
        direction=(math.cos(angle), math.sin(angle)),
        offset=float(rng.uniform(0.0, 0.14)),
        softness=float(rng.uniform(0.03, 0.14)),
        soft=min(0.9, strength * float(rng.uniform(0.1, 0.5))),
        contact=min(0.9, strength * float(rng.uniform(0.0, 0.4))),
    )


def cast_shadow(
    canvas: NDArray[np.uint8], patch: Patch, corner: tuple[int, int], light: Light
) -> None:
    """Darken `canvas` (H, W, 3) in place where the item's shadow falls; call before pasting it."""
    if light.soft <= 0 and light.contact <= 0:
        return
    size = math.sqrt(max(patch.area, 1))
    sigma, shift = light.softness * size, light.offset * size
    pad = _SHRINK * math.ceil((2.5 * sigma + shift) / _SHRINK + 1)
    factor = _factor(patch, light, size, pad)
    place = (corner[0] - pad, corner[1] - pad)
    window, part = clip_window(factor.shape, place, canvas.shape)
    below = canvas[window]
    if below.size:
        canvas[window] = cv2.multiply(
            below, cv2.cvtColor(factor[part], cv2.COLOR_GRAY2RGB), scale=1 / 255
        )


def _factor(patch: Patch, light: Light, size: float, pad: int) -> NDArray[np.uint8]:
    """The light that is left around the item, 255 for all of it: (h + 2 pad, w + 2 pad)."""
    alpha = patch.alpha
    height, width = (math.ceil(n / _SHRINK) for n in alpha.shape)
    small = cv2.resize(alpha, (width, height), interpolation=cv2.INTER_AREA)
    border = pad // _SHRINK
    small = cv2.copyMakeBorder(small, border, border, border, border, cv2.BORDER_CONSTANT, value=0)
    shift = light.offset * size / _SHRINK
    move = np.array([[1, 0, light.direction[0] * shift], [0, 1, light.direction[1] * shift]])
    moved = cv2.warpAffine(small, move, (small.shape[1], small.shape[0]))
    wide = cv2.GaussianBlur(moved, (0, 0), max(0.3, light.softness * size / _SHRINK))
    near = cv2.GaussianBlur(small, (0, 0), max(0.3, 0.03 * size / _SHRINK))
    left = (1 - wide * np.float32(light.soft / 255)) * (1 - near * np.float32(light.contact / 255))
    full = (small.shape[1] * _SHRINK, small.shape[0] * _SHRINK)
    return np.asarray(
        cv2.resize((left * 255).astype(np.uint8), full, interpolation=cv2.INTER_LINEAR)
    )
