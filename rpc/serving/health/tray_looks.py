"""Looks of trays' pictures over time: is it dark, has the camera moved, is its glass dirty?

Three things of each picture are kept with its sale: how light it is, how sharp its edges are (fine
detail over coarse, so that what lies there hardly matters), and the grey values around its border,
where no product lies. The newest trays are compared
with the ones before them, in units of how much those differ among themselves: a shop by a window
differs more from tray to tray than one in a cellar, and is warned later.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE: Final = 192  # px of the copy that is measured: noise is gone from it
COARSE: Final = 4  # times smaller: detail that no dirt takes away
RING: Final = 8  # border values a side
NEW: Final = 8  # trays that are compared
LEAST: Final = 20  # trays before them, to know what is usual
FAR: Final = 6.0  # robust standard deviations: chance alone does not reach it
DARK: Final = 25.0  # of 255: too dark for anybody
HALF: Final = 0.5  # light that drops by this share is told
SHARP: Final = 0.8  # of the usual sharpness: below it is dirt, or a lost focus
MOVED: Final = 12.0  # of 255: a border that differs less has not moved


def look_of(rgb: NDArray[np.uint8]) -> dict[str, Any]:
    """The numbers of a picture (H, W, 3): `light`, `sharp` and `ring`, plain values."""
    small = cv2.resize(rgb, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    coarse = cv2.resize(grey, (SIDE // COARSE,) * 2, interpolation=cv2.INTER_AREA)
    sharp = _edges(np.asarray(grey)) / max(_edges(np.asarray(coarse)), 1.0)
    tiny = cv2.resize(grey, (RING, RING), interpolation=cv2.INTER_AREA).astype(np.float64)
    ring = np.concatenate([tiny[0], tiny[-1], tiny[1:-1, 0], tiny[1:-1, -1]])
    return {
        "light": round(float(grey.mean()), 2),
        "sharp": round(sharp, 4),
        "ring": [round(value, 1) for value in ring.tolist()],
    }


def warnings_of(looks: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Warnings by their code, of the looks of trays in the order of time."""
    if len(looks) < NEW:
        return {}
    new, before = looks[-NEW:], looks[:-NEW]
    found = {}
    light = np.array([look["light"] for look in looks], dtype=np.float64)
    dark = float(np.median(light[-NEW:])) < DARK
    if len(before) >= LEAST:
        usual, scatter = _usual(light[:-NEW])
        drop = usual - float(np.median(light[-NEW:]))
        dark |= drop > FAR * scatter and drop > HALF * usual
        if _is_dirty(before, new) and not dark:
            found["camera_dirty"] = (
                "pictures are less sharp than they were: clean the camera's glass, check its focus"
            )
        if _has_moved(before, new) and not dark:
            found["camera_moved"] = (
                "the edge of the pictures changed: was the camera moved, or the tray?"
            )
    if dark:
        found["dark"] = "pictures are dark: switch the light on, or open the camera's exposure"
    return found


def _edges(grey: NDArray[Any]) -> float:
    """How strong the strongest edges are."""
    return float(np.percentile(np.abs(cv2.Laplacian(grey, cv2.CV_64F)), 99))


def _is_dirty(before: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]) -> bool:
    usual, scatter = _usual(np.log([max(look["sharp"], 1e-3) for look in before]))
    now = float(np.log(max(np.median([look["sharp"] for look in new]), 1e-3)))
    return usual - now > max(FAR * scatter, -math.log(SHARP))


def _has_moved(before: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the border differs from the usual one, light apart, more than it ever did."""
    rings = _without_light(np.array([look["ring"] for look in before], dtype=np.float64))
    usual = np.median(rings, axis=0)
    distances = np.abs(rings - usual).mean(axis=1)
    now = np.median(_without_light(np.array([look["ring"] for look in new])), axis=0)
    distance = float(np.abs(now - usual).mean())
    middle, scatter = _usual(distances)
    return distance > MOVED and distance - middle > FAR * scatter


def _without_light(rings: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(rings - rings.mean(axis=1, keepdims=True))


def _usual(values: NDArray[np.float64]) -> tuple[float, float]:
    """Median, and a robust standard deviation that is never zero."""
    middle = float(np.median(values))
    return middle, max(1.4826 * float(np.median(np.abs(values - middle))), 1e-3 * abs(middle), 1e-6)
