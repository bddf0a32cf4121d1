"""Bodies of drawn packages: bottles with cap, content and label, bags with seams and folds, rims.

All of them turn a printed surface (H, W, 3) into what a camera sees of the package.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Surface = NDArray[np.uint8]
WRAPPED: Final = 0.25  # of the bottles are printed from top to bottom


def with_body(
    form: str, surface: Surface, palette: Surface, chance: np.random.Generator
) -> Surface:
    """The package of a form around its print.

    Args:
        form: of `synth.drawn.package.FORMS`; one without a body of its own stays as it is.
        surface: (H, W, 3), the print.
        palette: (5, 3) colours of the product.
        chance: the same for all views of one product, so that it keeps its body.
    """
    body = _BODIES.get(form)
    return surface if body is None else body(surface, palette, chance)


def folds(height: int, width: int, chance: np.random.Generator) -> NDArray[np.float32]:
    """Brightness factor (H, W, 1) of a crumpled bag: broad folds and sharp creases."""
    coarse = chance.normal(0, 1, (5, 4)).astype(np.float32)
    fine = chance.normal(0, 1, (14, 10)).astype(np.float32)
    size = (width, height)
    relief = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
    relief = relief + 0.35 * np.abs(cv2.resize(fine, size, interpolation=cv2.INTER_CUBIC))
    across = cv2.Sobel(relief, cv2.CV_32F, 1, 0, ksize=3) * width / 8
    down = cv2.Sobel(relief, cv2.CV_32F, 0, 1, ksize=3) * height / 8
    towards = float(chance.uniform(0, 2 * np.pi))
    slope = np.cos(towards) * across + np.sin(towards) * down
    factor = 1 + float(chance.uniform(0.06, 0.16)) * np.tanh(slope / (2 * slope.std() + 1e-6)) * 2
    return np.asarray(factor[..., None], dtype=np.float32)


def _bottle(surface: Surface, palette: Surface, chance: np.random.Generator) -> Surface:
    if chance.random() < WRAPPED:
        return surface
    height, width = surface.shape[:2]
    made = np.empty_like(surface)
    made[:] = _content(palette, chance)
    top, bottom = chance.uniform(0.4, 0.55), chance.uniform(0.72, 0.92)
    first, last = int(top * height), int(bottom * height)
    label = surface[int(0.1 * height) : int(0.95 * height)]
    made[first:last] = cv2.resize(label, (width, last - first), interpolation=cv2.INTER_AREA)
    made[: int(chance.uniform(0.06, 0.13) * height)] = palette[int(chance.integers(5))]
    return made


def _content(palette: Surface, chance: np.random.Generator) -> NDArray[np.int64]:
    """The colour (3,) of what is in a bottle: dark, clear, or any."""
    kind = chance.integers(4)
    if kind == 0:
        return np.array([45, 28, 20]) + chance.integers(-15, 25)
    if kind == 1:
        return np.array([205, 212, 215]) + chance.integers(-25, 30)
    hsv = np.array([[[chance.integers(180), chance.integers(60, 220), chance.integers(110, 250)]]])
    rgb = cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB)[0, 0].astype(np.int64)
    colour = rgb if kind == 2 else palette[int(chance.integers(2))]
    return np.asarray(colour, dtype=np.int64)


def _bag(surface: Surface, palette: Surface, chance: np.random.Generator) -> Surface:
    made = surface.copy()
    height, width = surface.shape[:2]
    seam = max(int(chance.uniform(0.03, 0.08) * height), 3)
    grey = int(chance.integers(150, 235))
    colour = np.array([grey] * 3) if chance.random() < 0.5 else palette[0].astype(np.int64)
    ridges = 1 + 0.12 * np.sign(np.sin(np.arange(seam) * 2 * np.pi / max(seam / 4, 2)))
    strip = np.clip(colour[None, None] * ridges[:, None, None], 0, 255)
    strip = np.broadcast_to(strip, (seam, width, 3)).astype(np.uint8)
    made[:seam], made[-seam:] = strip, strip[::-1]
    return made


def _rims(surface: Surface, palette: Surface, chance: np.random.Generator) -> Surface:
    """A can's metal above and below."""
    made = surface.copy()
    height = surface.shape[0]
    for rows in (slice(0, None), slice(None, None, -1)):
        depth = max(int(chance.uniform(0.02, 0.06) * height), 2)
        made[rows][:depth] = int(chance.integers(130, 230))
    return made


def _lidded(surface: Surface, palette: Surface, chance: np.random.Generator) -> Surface:
    """A cup's rim, or a tube's cap (upside down)."""
    made = surface.copy()
    depth = max(int(chance.uniform(0.04, 0.1) * surface.shape[0]), 2)
    made[:depth] = palette[2] if chance.random() < 0.6 else palette[int(chance.integers(5))]
    return made


def _capped(surface: Surface, palette: Surface, chance: np.random.Generator) -> Surface:
    made = surface.copy()
    made[int(0.8 * surface.shape[0]) :] = palette[int(chance.integers(5))]
    return made


def _carton(surface: Surface, palette: Surface, chance: np.random.Generator) -> Surface:
    """Sometimes a side is seen as well, in other light."""
    if chance.random() < 0.5:
        return surface
    height, width = surface.shape[:2]
    side = max(int(chance.uniform(0.08, 0.25) * width), 2)
    made = np.empty_like(surface)
    made[:, side:] = cv2.resize(surface, (width - side, height), interpolation=cv2.INTER_AREA)
    light = float(chance.uniform(0.55, 1.25))
    face = palette[int(chance.integers(3))].astype(np.float64) * light
    made[:, :side] = np.clip(face, 0, 255).astype(np.uint8)
    return made[:, ::-1] if chance.random() < 0.5 else made


_BODIES: Final[Mapping[str, Callable[[Surface, Surface, np.random.Generator], Surface]]] = {
    "bottle": _bottle,
    "pouch": _bag,
    "bar": _bag,
    "can": _rims,
    "cup": _lidded,
    "tube": _capped,
    "carton": _carton,
}
