"""Trays of packages drawn by the project itself: real enough for a network's maps to differ."""

import numpy as np

from synth.drawn import draw_package


def draw_trays(count, seed=0, side=200):
    """Photos (side, side, 3) of three packages each on a grey ground, with a little noise."""
    return [draw_tray(np.random.default_rng([seed, n]), side) for n in range(count)]


def draw_tray(rng, side):
    rgb = np.full((side, side, 3), rng.uniform(150, 190), np.float32)
    for _ in range(3):
        product, variant = rng.integers(0, 1000, 2).tolist()
        small = draw_package(0, product, "front", variant, long_side=side // 3)
        height, width = small.shape[:2]
        top, left = rng.integers(0, side - height), rng.integers(0, side - width)
        alpha = small[..., 3:].astype(np.float32) / 255
        place = rgb[top : top + height, left : left + width]
        place[:] = small[..., :3] * alpha + place * (1 - alpha)
    return np.clip(rgb + rng.normal(0, 1, rgb.shape), 0, 255).astype(np.uint8)
