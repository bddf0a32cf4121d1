"""Light and camera over a clip's time: exposure, colour, shadows of people, focus, noise."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float32]
Rgb = NDArray[np.uint8]

STEP_S: Final = 0.15  # in which an exposure changes


@dataclass(frozen=True)
class Conditions:
    """A camera and its room.

    Attributes:
        noise: standard deviation of the sensor's noise, of 255.
        jitter: px by which the picture trembles.
        quality: of JPEG frames, as most webcams send them; 0: none.
        drift: share by which the light slowly rises and falls.
        steps: (time, factor): from then on it is so much brighter than before all steps.
        shadow: (first second, last second, depth): somebody walks by; the light falls by so much.
        shadow_width: of its soft edge, as a fraction of the picture's width.
        pulses: times at which the focus searches, half a second each.
    """

    noise: float = 3.0
    jitter: float = 0.2
    quality: int = 85
    drift: float = 0.05
    steps: tuple[tuple[float, float], ...] = ()
    shadow: tuple[tuple[float, float, float], ...] = ()
    shadow_width: float = 0.15
    pulses: tuple[float, ...] = ()

    def gain(self, time_s: float) -> float:
        """Brightness by the light and the exposure."""
        value, factor = 1 + self.drift * np.sin(time_s / 3.0), 1.0
        for when, to in self.steps:
            part = float(np.clip((time_s - when) / STEP_S, 0, 1))
            factor += (to - factor) * part
        return float(value * factor)


def drawn_conditions(rng: np.random.Generator, seconds: float, kind: str) -> Conditions:
    """Conditions of one clip; its kind (see `synth.clips.script.KINDS`) makes one of them hard."""
    often = 1.0 if kind == "light" else 0.25
    steps = [
        (float(rng.uniform(1, seconds)), float(rng.uniform(0.7, 1.3)))
        for _ in range(rng.binomial(3, often))
    ]
    walks = [
        (when, when + float(rng.uniform(0.8, 3.0)), float(rng.uniform(0.1, 0.35)))
        for when in rng.uniform(0, seconds, rng.binomial(3, 1.0 if kind == "shadow" else 0.2))
    ]
    pulses = rng.uniform(0, seconds, rng.binomial(4, 1.0 if kind == "focus" else 0.15))
    return Conditions(
        noise=float(rng.uniform(1.5, 6.0)),
        jitter=float(rng.uniform(0.0, 0.4)),
        quality=int(rng.integers(60, 95)) if rng.random() < 0.7 else 0,
        drift=float(rng.uniform(0, 0.1)),
        steps=tuple(sorted(steps)),
        shadow=tuple((float(a), float(b), depth) for a, b, depth in walks),
        shadow_width=float(rng.uniform(0.1, 0.25)),
        pulses=tuple(float(one) for one in pulses),
    )


def taken(scene: Picture, time_s: float, conditions: Conditions, rng: np.random.Generator) -> Rgb:
    """The frame that the camera takes of a scene (H, W, 3), 0 to 255."""
    picture = scene * np.float32(conditions.gain(time_s))
    for begin, end, depth in conditions.shadow:
        if begin <= time_s <= end:
            part = (time_s - begin) / (end - begin)
            picture = picture * _shade(scene.shape[1], part, depth, conditions.shadow_width)
    picture = _moved(picture, _focus(conditions, time_s), conditions.jitter, rng)
    picture += conditions.noise * _noise(picture.shape[:2], rng)
    frame = np.clip(picture, 0, 255).round().astype(np.uint8)
    if not conditions.quality:
        return frame
    flags = [cv2.IMWRITE_JPEG_QUALITY, conditions.quality]
    return np.asarray(cv2.imdecode(cv2.imencode(".jpg", frame, flags)[1], cv2.IMREAD_COLOR))


@cache
def _noise_bank(height: int, width: int) -> Picture:
    """Noise of variance 1, larger than a frame: drawing it anew for each takes most of the time."""
    rng = np.random.default_rng([height, width])
    return np.asarray(rng.standard_normal((2 * height, 2 * width, 3), np.float32))


def _noise(shape: tuple[int, int], rng: np.random.Generator) -> Picture:
    """A part (H, W, 3) of the bank, another one each time."""
    y, x = (int(rng.integers(side)) for side in shape)
    return _noise_bank(*shape)[y : y + shape[0], x : x + shape[1]]


def _shade(width: int, part: float, depth: float, soft: float) -> Picture:
    """Factors (1, W, 1) of a shadow that comes in on the left, up to the middle, and goes."""
    reach = 1.1 * np.sin(np.pi * part) - 0.3  # of the width
    x = np.arange(width) / width
    inside = 1 / (1 + np.exp((x - reach) / (soft / 4)))
    return np.asarray((1 - depth * inside)[None, :, None], np.float32)


def _focus(conditions: Conditions, time_s: float) -> float:
    """How far the focus is off, 0 to 1."""
    since = [time_s - when for when in conditions.pulses if 0 <= time_s - when <= 0.5]
    return float(np.sin(np.pi * since[0] / 0.5)) if since else 0.0


def _moved(picture: Picture, off: float, jitter: float, rng: np.random.Generator) -> Picture:
    """Trembling, and what a focus that is off does: blur, and a slightly larger picture."""
    height, width = picture.shape[:2]
    x, y = rng.normal(0, jitter, 2)
    scale = 1 + 0.01 * off
    matrix = np.array(
        [[scale, 0, x - (scale - 1) * width / 2], [0, scale, y - (scale - 1) * height / 2]],
        np.float32,
    )
    moved = cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REFLECT)
    if off > 0.1:
        moved = cv2.GaussianBlur(moved, (0, 0), 1.5 * off * width / 320)
    return np.asarray(moved, np.float32)
