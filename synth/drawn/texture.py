"""Invented surfaces that trays and tables may have: grain, weave, tiles, planks."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def draw_texture(seed: int, index: int, side: int = 640) -> NDArray[np.uint8]:
    """One surface (S, S, 3) uint8 RGB: two colours, mixed by noise of several grain sizes."""
    chance = np.random.default_rng([seed, index])
    # Mostly woods, stones and greys; strong colours now and then.
    spread = 80 if chance.random() < 0.2 else 22
    first = np.clip(chance.uniform(30, 225) + chance.normal(0, spread, 3), 5, 250)
    second = np.clip(first + chance.normal(0, 35, 3), 0, 255)
    stretch = float(np.exp(chance.uniform(-2.3, 2.3)))  # wood and brushed steel have a direction
    mix = np.zeros((side, side), np.float32)
    for grain in (4, 16, 64, 256):
        cells = (
            max(int(side / grain * max(stretch, 1)), 2),
            max(int(side / grain / min(stretch, 1)), 2),
        )
        noise = chance.normal(0, 1, (min(cells[1], side), min(cells[0], side))).astype(np.float32)
        mix += float(chance.uniform(0, 0.6)) * cv2.resize(
            noise, (side, side), interpolation=cv2.INTER_CUBIC
        )
    if chance.random() < 0.4:  # joints of tiles or planks
        step = int(chance.integers(side // 8, side // 2))
        width = int(chance.integers(1, 6))
        depth = float(chance.uniform(-2.5, 2.5))
        offset = int(chance.integers(step))
        for at in range(offset, side, step):
            mix[at : at + width] += depth
            if stretch < 2:
                mix[:, at : at + width] += depth
    share = 1 / (1 + np.exp(-2 * mix))[..., None]
    picture = (first * share + second * (1 - share)).clip(0, 255).astype(np.uint8)
    turns = int(chance.integers(4))
    return np.ascontiguousarray(np.rot90(picture, turns))
