"""The camera: light, white balance, tone, blur, noise and compression, by albumentations.

The ranges are wide on purpose. They stand for cameras nobody has seen yet (domain randomisation)
and are not fitted to any labelled photo.
"""

from __future__ import annotations

import random
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rpc.data.packages import needed

with needed("albumentations"):
    import albumentations as A

from synth.compose.sensor import LightField, SensorNoise


def vary_camera(
    image: NDArray[np.uint8], rng: np.random.Generator, strength: float = 1.0
) -> NDArray[np.uint8]:
    """A photo (H, W, 3) uint8 as another camera would take it, at the same size.

    Args:
        image: RGB.
        rng: chance; the result is a function of the image, its state and `strength`.
        strength: 0 leaves the image alone, 1 is the usual range.
    """
    if strength <= 0:
        return image
    camera = _camera(strength)
    # Both generators are set by hand: `seed=` would mix in a data loader's worker number.
    seed = int(rng.integers(2**63))
    camera.set_random_state(np.random.default_rng(seed), random.Random(seed))
    return np.asarray(camera(image=image)["image"])


@lru_cache(maxsize=4)
def _camera(strength: float) -> A.Compose:
    """Light, lens, sensor and the camera's processing, in the order in which they happen."""
    s = strength
    exposure = (max(0.3, 1 - 0.32 * s), 1 + 0.22 * s)
    gains = (max(0.5, 1 - 0.07 * s), 1 + 0.07 * s)
    return A.Compose(
        [
            LightField(vignette=(0.0, min(0.9, 0.45 * s)), slope=0.1 * s),
            A.MultiplicativeNoise(exposure, p=0.9),
            A.RandomBrightnessContrast(0.04 * s, (-0.12 * s, 0.2 * s), p=0.7),
            A.OneOf(
                [
                    A.GaussianBlur(blur_limit=0, sigma_limit=(0.3, 0.3 + 0.9 * s), p=1.0),
                    A.MotionBlur(blur_limit=(3, 5), p=0.3),
                    A.Downscale(scale_range=(max(0.3, 1 - 0.5 * s), 1.0), p=0.3),
                ],
                p=min(1.0, 0.6 * s),
            ),
            SensorNoise(sigma=(0.0, 8.0 * s)),
            A.MultiplicativeNoise(gains, per_channel=True, p=0.7),
            A.HueSaturationValue(round(4 * s), (round(-20 * s), round(45 * s)), 0, p=0.5),
            A.RandomGamma((100 - 25 * s, 100 + 30 * s), p=0.5),
            A.ImageCompression(quality_range=(round(max(10, 100 - 50 * s)), 100), p=0.4),
        ]
    )
