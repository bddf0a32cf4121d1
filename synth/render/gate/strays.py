"""New things on the board: blobs and edges that a renderer drew where a scene shows none."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from rpc.structures.masks import BoolMask
from synth.render.colours import Floats
from synth.render.gate.structure import Views

# Longer side in px at which a band is looked at, and its two scales in px of that.
_BANDS: Final = ((320, 0.75, 2.0), (160, 1.0, 3.0), (64, 1.2, 3.6))
_SIDE: Final = 320  # px of the longer side of the result
_AROUND: Final = 3  # px of that, around items
_ALLOWED: Final = 1.5  # times what the scene itself shows nearby is no new thing


def strays(before: Views, after: Views, items: BoolMask) -> Floats:
    """How strongly each place outside items shows something that was not there, (h, w).

    Bands of brightness, redness and blueness over the free board (normalised convolution), in
    logarithms; what the scene shows within a few pixels is taken off, with a half more. The result
    is of at most 320 px a side; 0 on items.

    Args:
        before: the scene.
        after: its rendering.
        items: (H, W), true on products.
    """
    size = _size(items.shape, _SIDE)
    kernel = np.ones((2 * _AROUND + 1, 2 * _AROUND + 1), np.uint8)
    covered = cv2.resize(items.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    free = (cv2.dilate(covered, kernel) == 0).astype(np.float32)
    was, now = (
        np.asarray(cv2.resize(view.colour, size, interpolation=cv2.INTER_AREA), np.float32)
        for view in (before, after)
    )
    new = np.zeros(free.shape, np.float32)
    for side, narrow, wide in _BANDS:
        found = _new_in_band(was, now, free, _size(items.shape, side), narrow, wide)
        new = np.maximum(new, cv2.resize(found, size, interpolation=cv2.INTER_LINEAR))
    return np.asarray(new * free)


def _size(shape: tuple[int, ...], side: int) -> tuple[int, int]:
    """Width and height of an image with this longer side; never larger than it is."""
    factor = min(1.0, side / max(shape))
    return max(8, round(shape[1] * factor)), max(8, round(shape[0] * factor))


def _new_in_band(
    before: Floats, after: Floats, free: Floats, size: tuple[int, int], narrow: float, wide: float
) -> Floats:
    """Strength of what the band shows after and not before, at `size`."""
    weight = np.asarray(cv2.resize(free, size, interpolation=cv2.INTER_AREA), np.float32)
    bands = []
    for colour in (before, after):
        seen = cv2.resize(colour * free[..., None], size, interpolation=cv2.INTER_AREA)
        bands.append(_band(np.asarray(seen, np.float32), weight, narrow, wide))
    reach = 2 * round(wide) + 1
    was = cv2.dilate(bands[0], np.ones((reach, reach), np.uint8))
    return np.asarray(np.maximum(bands[1] - _ALLOWED * was, 0))


def _band(seen: Floats, weight: Floats, narrow: float, wide: float) -> Floats:
    """Strength of what lies between two scales, over the three channels.

    Args:
        seen: (h, w, 3) colours times the weight.
        weight: (h, w) how much of a pixel is free.
        narrow: px, the finer scale.
        wide: px, the coarser one.
    """
    difference = _mean(seen, weight, narrow) - _mean(seen, weight, wide)
    strength = np.sqrt(np.square(difference).sum(axis=2))
    return np.asarray(strength * (weight > 0.25), dtype=np.float32)


def _mean(seen: Floats, weight: Floats, sigma: float) -> Floats:
    total = cv2.GaussianBlur(seen, (0, 0), sigma)
    around = cv2.GaussianBlur(weight, (0, 0), sigma)
    return np.asarray(total / np.maximum(around, 1e-4)[..., None])
