"""Effects of a lens and a sensor, as cheap albumentations transforms: vignette, noise."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rpc.data.packages import needed

with needed("albumentations"):
    from albumentations import ImageOnlyTransform

Rgb = NDArray[np.uint8]

_TILE = 512  # pixels a side of the drawn noise, repeated over the scene from a random offset
_UNIT = 32  # grey levels that stand for one standard deviation in a tile
_FIELD = 32  # points a side of a light field before it is enlarged


class LightField(ImageOnlyTransform):
    """Darker towards the corners, and brighter on one side, as under a real lamp.

    Args:
        vignette: range of the light lost in the corners, as a fraction.
        slope: largest change of light from the middle to one side, as a fraction.
        p: probability.
    """

    def __init__(
        self, vignette: tuple[float, float] = (0.0, 0.4), slope: float = 0.1, p: float = 1.0
    ) -> None:
        super().__init__(p=p)
        self.vignette = vignette
        self.slope = slope

    def get_params(self) -> dict[str, Any]:
        """Draw the field's strength, middle and slope."""
        draw = self.py_random.uniform
        return {
            "loss": draw(*self.vignette),
            "middle": (draw(-0.2, 0.2), draw(-0.2, 0.2)),
            "tilt": (draw(-self.slope, self.slope), draw(-self.slope, self.slope)),
        }

    def apply(
        self,
        img: Rgb,
        loss: float = 0.0,
        middle: tuple[float, float] = (0.0, 0.0),
        tilt: tuple[float, float] = (0.0, 0.0),
        **params: Any,
    ) -> Rgb:
        """Multiply `img` (H, W, 3) by the field."""
        y, x = np.mgrid[-1 : 1 : _FIELD * 1j, -1 : 1 : _FIELD * 1j]
        radius = np.square(x - middle[0]) + np.square(y - middle[1])
        field = (1 - loss * radius / 2) * (1 + tilt[0] * x + tilt[1] * y)
        return multiply_field(img, field)


class SensorNoise(ImageOnlyTransform):
    """Grain: a part of it common to the three colours, a part in each.

    The grain is cut from tiles that are drawn once, which is far cheaper than fresh numbers.

    Args:
        sigma: range of the standard deviation in grey levels of 255.
        p: probability.
    """

    def __init__(self, sigma: tuple[float, float] = (0.0, 8.0), p: float = 1.0) -> None:
        super().__init__(p=p)
        self.sigma = sigma

    def get_params(self) -> dict[str, Any]:
        """Draw the grain's strength, coarseness and place."""
        # Squared: most cameras are quiet, few are bad.
        fraction = self.py_random.random() ** 2
        return {
            "strength": self.sigma[0] + (self.sigma[1] - self.sigma[0]) * fraction,
            "coarse": self.py_random.randrange(len(_BLURS)),
            "offset": (self.py_random.randrange(_TILE), self.py_random.randrange(_TILE)),
        }

    def apply(
        self,
        img: Rgb,
        strength: float = 0.0,
        coarse: int = 0,
        offset: tuple[int, int] = (0, 0),
        **params: Any,
    ) -> Rgb:
        """Add grain to `img` (H, W, 3)."""
        return add_grain(img, strength, coarse, offset)


def multiply_field(img: Rgb, field: NDArray[Any]) -> Rgb:
    """`img` (H, W, 3) times a small field of gains (h, w) or (h, w, 3), 0 to 2, enlarged to it."""
    small = (field.clip(0, 1.99) * 128).astype(np.uint8)
    full = cv2.resize(small, (img.shape[1], img.shape[0]), interpolation=cv2.INTER_LINEAR)
    if full.ndim == 2:
        full = cv2.cvtColor(full, cv2.COLOR_GRAY2RGB)
    return np.asarray(cv2.multiply(img, full, scale=1 / 128))


def add_grain(img: Rgb, strength: float, coarse: int, offset: tuple[int, int]) -> Rgb:
    """`img` (H, W, 3) with grain of standard deviation `strength`, rounded and clipped once."""
    if strength <= 0:
        return img
    height, width = img.shape[:2]
    y, x = offset
    down, right = max(0, y + height - _TILE), max(0, x + width - _TILE)
    grain = cv2.copyMakeBorder(_grain_tile(coarse), 0, down, 0, right, cv2.BORDER_WRAP)
    grain = grain[y : y + height, x : x + width]
    gain = strength / _UNIT
    return np.asarray(cv2.addWeighted(img, 1.0, grain, gain, -128 * gain))


_BLURS = (0.0, 0.5, 0.9)  # standard deviation in pixels: after a camera's own smoothing


@lru_cache(maxsize=len(_BLURS))
def _grain_tile(coarse: int) -> Rgb:
    """Grain (_TILE, _TILE, 3): mean 128, standard deviation `_UNIT`; always the same."""
    rng = np.random.default_rng(coarse)
    common = rng.standard_normal((_TILE, _TILE, 1), dtype=np.float32)
    grain = 0.8 * common + 0.6 * rng.standard_normal((_TILE, _TILE, 3), dtype=np.float32)
    if _BLURS[coarse] > 0:
        grain = cv2.GaussianBlur(grain, (0, 0), _BLURS[coarse], borderType=cv2.BORDER_REFLECT)
    grain *= _UNIT / grain.std()
    return np.asarray((grain + 128).round().clip(0, 255), dtype=np.uint8)
