"""The ground that a fixed camera sees under the products, put together from many of its photos.

A counter's camera hangs still: what a product hides on one photo, another one shows.

Key: P photos, h x w pixels at which the ground is looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Rgb = NDArray[np.uint8]
Floats = NDArray[np.float32]

SIDE: Final = 192  # px of the longer side: ground is smooth
_FEWEST: Final = 3  # photos that must show a place
_APART: Final = 0.05  # median distance in logarithms up to which a photo shows the same ground
_LIT: Final = 4.0  # grey levels added before the logarithm: black is noise


def fill_from_others(photos: Sequence[Rgb], gaps: Sequence[NDArray[np.bool_]]) -> list[Rgb | None]:
    """The smooth ground of each photo, (h, w, 3): what most of the photos show at each place.

    Photos may differ by one factor for each colour, as exposure and white balance do.

    Args:
        photos: (H, W, 3) each.
        gaps: (H, W), true where products lie.

    Returns:
        One for each photo: at most `SIDE` px a side; None where the photo is not of one fixed
        camera with others. Where too few photos show a place, it is the photo's own, or in a gap
        inpainted from around.
    """
    found: list[Rgb | None] = [None] * len(photos)
    for shape in {photo.shape for photo in photos}:
        rows = [n for n, photo in enumerate(photos) if photo.shape == shape]
        if len(rows) < _FEWEST:
            continue
        filled = _fill_alike([photos[n] for n in rows], [gaps[n] for n in rows])
        for row, ground in zip(rows, filled, strict=True):
            found[row] = ground
    return found


def _fill_alike(photos: Sequence[Rgb], gaps: Sequence[NDArray[np.bool_]]) -> list[Rgb | None]:
    """`fill_from_others` for photos of one size."""
    height, width = photos[0].shape[:2]
    factor = min(1.0, SIDE / max(height, width))
    size = (max(4, round(width * factor)), max(4, round(height * factor)))
    small = [cv2.resize(photo, size, interpolation=cv2.INTER_AREA) for photo in photos]
    hidden = np.stack(
        [
            cv2.resize(gap.astype(np.uint8) * 255, size, interpolation=cv2.INTER_AREA) > 0
            for gap in gaps
        ]
    )
    logs = np.log(np.stack(small).astype(np.float32) + _LIT)  # (P, h, w, 3)
    logs[hidden] = np.nan
    shown = (~hidden).sum(axis=0)
    if not (shown >= _FEWEST).any() or hidden.all(axis=(1, 2)).any():
        return [None] * len(photos)
    gains = np.zeros((len(photos), 1, 1, 3), np.float32)
    ground = np.zeros(logs.shape[1:], np.float32)
    for _ in range(4):
        ground = _median(logs - gains)
        gains = _median((logs - ground).reshape(len(photos), -1, 3).swapaxes(0, 1))
        gains = gains[:, None, None]
    apart = np.nanmedian(np.abs(logs - gains - ground).max(axis=3).reshape(len(photos), -1), axis=1)
    unknown = (shown < _FEWEST).astype(np.uint8)
    filled: list[Rgb | None] = []
    for row in range(len(photos)):
        if not apart[row] <= _APART:
            filled.append(None)
            continue
        full = (np.exp(np.nan_to_num(ground + gains[row])) - _LIT).round().clip(0, 255)
        known = (shown >= _FEWEST)[..., None]
        whole = np.where(known, full, small[row]).astype(np.uint8)
        holes = (unknown & hidden[row]).astype(np.uint8)
        filled.append(np.asarray(cv2.inpaint(whole, holes, 5, cv2.INPAINT_TELEA)))
    return filled


def _median(values: Floats) -> Floats:
    """Median over the first axis of what is known; 0 where nothing is."""
    known = ~np.isnan(values)
    count = known.sum(axis=0)
    ranked = np.sort(values, axis=0)  # NaN last
    low = np.maximum((count - 1) // 2, 0)[None]
    high = np.maximum(count // 2, 0)[None].clip(0, len(values) - 1)
    middle = (np.take_along_axis(ranked, low, 0) + np.take_along_axis(ranked, high, 0))[0] / 2
    return np.asarray(np.where(count > 0, middle, 0), dtype=np.float32)
