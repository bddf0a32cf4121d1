"""Tiny pictures, and settings that learn from them in a blink."""

import numpy as np
from scipy.ndimage import gaussian_filter

from rpc.data import write_image
from synth.render.training.settings_reader import read_settings

TINY = {
    "generator": {"width": 4, "blocks": 1},
    "discriminator": {"width": 4, "layers": 1},
    "adversarial": {"pool": 3},
    "crops": {"side": 32},
    "training": {"iterations": 6, "batch_size": 2, "workers": 0},
    "objective": {"type": "cyclegan"},
}
CUT = {"type": "contrastive", "patches": 16, "width": 8}


def tiny_settings(**parts):
    """`TINY`, with changes by part."""
    merged = {name: {**TINY.get(name, {}), **parts.get(name, {})} for name in {**TINY, **parts}}
    if "type" in parts.get("objective", {}):
        merged["objective"] = parts["objective"]
    return read_settings(merged, "tiny")


def make_pictures(folder, number, low, high, side=48):
    """Smooth noise with a sharp square, brightness from `low` to `high`."""
    paths = []
    for index in range(number):
        rng = np.random.default_rng([index, side, low])
        field = gaussian_filter(rng.random((side, side, 3)), (3, 3, 0))
        field = (field - field.min()) / np.ptp(field)
        rgb = (low + field * (high - low)).astype(np.uint8)
        top, left = rng.integers(4, side - 20, 2)
        rgb[top : top + 14, left : left + 14] = rng.integers(low, high, 3)
        paths.append(write_image(folder / f"{index:03d}.png", rgb))
    return paths
