"""Backgrounds of scenes, and whether two sets of scenes agree in them.

A network that learned to translate scenes on one background does nothing sensible on another, so
the background that a renderer was made for goes into its file and is compared before it is used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from rpc.data.evenly_spaced import evenly_spaced
from synth.render.apply.scenes import SceneFolder
from synth.render.colours import Rgb

IMAGES: Final = 64  # scenes that are looked at; more change the quantiles little
QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)
_SIDE: Final = 320  # px of the longer side at which backgrounds are compared
_AROUND: Final = 0.02  # of the longer side, around items: soft edges and contact shadows
# A difference below this is none, in the unit of each measure.
_MARGINS: Final[Mapping[str, float]] = {
    "brightness": 0.06,
    "redness": 0.06,
    "blueness": 0.06,
    "roughness": 0.01,
}
_SAME_SIZE: Final = 1.1  # ratio up to which scenes are as large: blur and noise are told in pixels
_LEAST: Final = 0.02  # fraction of a scene that must be free of items to say anything of it


def background_statistics(scenes: Path) -> dict[str, Any]:
    """Statistics of the pixels outside all items in a folder of composed scenes: plain values.

    Returns:
        `images` (how many were looked at), `side` (median of their longer sides, px), and for
        each measure of `measure_background` its quantiles over the images, as a list at
        `QUANTILES`; the lists are empty where no scene shows its background.

    Raises:
        DataError: the scenes are missing or damaged, or have no masks.
    """
    folder = SceneFolder.open(scenes)
    found, sides = [], []
    for row in evenly_spaced(len(folder.dataset.images), IMAGES):
        image = folder.dataset.images[row]
        masks = folder.masks(image)
        items = np.any(masks, axis=0) if masks else np.zeros((image.height, image.width), bool)
        found.append(measure_background(folder.read(image), items))
        sides.append(max(image.width, image.height))
    seen = summarise([measures for measures in found if measures is not None])
    return seen | {"side": float(np.median(sides))}


def measure_background(rgb: Rgb, items: NDArray[np.bool_]) -> dict[str, float] | None:
    """Measures of one image's background; None where items leave nothing of it in sight.

    Args:
        rgb: (H, W, 3).
        items: (H, W), true on products.

    Returns:
        `brightness`: mean of the three colours, 0 to 1. `redness`, `blueness`: natural logarithm
        of red over green and of blue over green. `roughness`: standard deviation of brightness
        between 1 and 6 px of an image 320 px long, over the brightness: woven cloth, wood grain.
    """
    scale = _SIDE / max(rgb.shape[:2])
    size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    covered = cv2.resize(items.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    reach = 2 * round(_AROUND * _SIDE) + 1
    free = cv2.dilate(covered, np.ones((reach, reach), np.uint8)) == 0
    if free.mean() < _LEAST:
        return None
    red, green, blue = np.median(small[free], axis=0) + 1 / 255
    grey = small.mean(axis=2)
    band = _smooth(grey, free, 1.0) - _smooth(grey, free, 6.0)
    brightness = float(np.median(grey[free]))
    return {
        "brightness": brightness,
        "redness": float(np.log(red / green)),
        "blueness": float(np.log(blue / green)),
        "roughness": float(band[free].std()) / (brightness + 0.05),
    }


def summarise(found: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """Quantiles of each measure over images, as `background_statistics` gives them."""
    statistics: dict[str, Any] = {"images": len(found)}
    for name in _MARGINS:
        values = [measures[name] for measures in found]
        quantiles = np.quantile(values, QUANTILES) if values else np.empty(0)
        statistics[name] = [round(float(value), 4) for value in quantiles]
    return statistics


def background_mismatch(made_for: Mapping[str, Any], applied_to: Mapping[str, Any]) -> str | None:
    """One line on how scenes differ from those a renderer was made for; None where they agree.

    They differ in size where one is more than a tenth larger than the other; in a measure where a
    quarter of the images or more lies outside the range (5 % to 95 %) of those it was made for, by
    more than a margin that nobody would call another background.

    Args:
        made_for: the renderer's `origin["background"]`.
        applied_to: `background_statistics` of the scenes it is applied to.
    """
    parts = []
    for name, margin in _MARGINS.items():
        before, after = made_for.get(name), applied_to.get(name)
        if not before or not after:
            continue
        low, high = before[0] - margin, before[-1] + margin
        quarter, middle, three_quarters = after[1:4]
        if quarter < low or three_quarters > high:
            parts.append(f"{name} {middle:.2f}, made for {before[0]:.2f} to {before[-1]:.2f}")
    before, after = made_for.get("side"), applied_to.get("side")
    if before and after and max(before, after) > _SAME_SIZE * min(before, after):
        parts.append(f"size {after:.0f} px, made for {before:.0f} px")
    if not parts:
        return None
    return f"scenes are not like those the renderer was made for: {'; '.join(parts)}"


def _smooth(grey: NDArray[Any], free: NDArray[np.bool_], sigma: float) -> NDArray[np.float32]:
    """Gaussian mean over free pixels alone (normalised convolution)."""
    weight = cv2.GaussianBlur(free.astype(np.float32), (0, 0), sigma)
    total = cv2.GaussianBlur(grey * free, (0, 0), sigma)
    return np.asarray(total / np.maximum(weight, 1e-6), dtype=np.float32)
