"""A sensor's noise: how strong, how it grows with light, how coarse; and JPEG's blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from rpc.data.evenly_spaced import evenly_spaced

Rgb = NDArray[np.uint8]
Floats = NDArray[np.float32]

_PATCH: Final = 16  # px a side: flat if nothing but noise is in it
_MOST: Final = 500  # patches that are looked at, spread over the image
_FEWEST: Final = 12  # flat patches that make a measurement
_BINS: Final = 8  # of brightness, within which patches are compared
_NOISIEST: Final = 64.0  # variance at middle grey: more is texture
_PRINT: Final = 8.0  # times the variance of the quietest tenth: more is print, not noise
_QUIETEST: Final = 0.25  # quantile of the variances of a bin that are taken for noise alone


@dataclass(frozen=True)
class Grain:
    """Noise of one photo; variances in squared grey levels of 255, of a single colour.

    Attributes:
        dark: variance where it is black.
        light: what a brightness of 255 adds to it.
        size: px, deviation of the Gaussian that white noise would have gone through.
        common: correlation of two colours' noise, 0 to 1.
    """

    dark: float
    light: float
    size: float
    common: float

    def variance(self, brightness: Floats | float) -> Floats:
        """Variance at brightnesses of 0 to 255."""
        return np.asarray(self.dark + self.light * np.asarray(brightness) / 255, dtype=np.float32)


def measure_grain(rgb: Rgb) -> Grain | None:
    """Noise in the flattest patches of an image; None where fewer than 12 are usable.

    None too where even those are rougher than any sensor is: carpet, or a rug of fur.

    Of each patch a plane is taken away; within a range of brightness the quiet quarter of the
    patches is believed to show noise alone.

    Args:
        rgb: (H, W, 3).
    """
    patches = _cut(rgb)  # (N, P, P, 3)
    brightness = patches.mean(axis=(1, 2, 3))
    usable = (brightness > 8) & (brightness < 247)
    if usable.sum() < _FEWEST:
        return None
    patches, brightness = patches[usable], brightness[usable]
    residual = _without_plane(patches)
    degrees = _PATCH**2 / (_PATCH**2 - 3)  # a plane has three parameters
    variances = np.square(residual).mean(axis=(1, 2, 3)) * degrees
    quiet, levels, values = _quiet_patches(brightness, variances)
    dark, light = _line(levels, values)
    if dark + light / 2 > _NOISIEST:
        return None
    flat = residual[quiet]
    return Grain(dark, light, _size(flat), _common(flat))


def add_noise(rgb: Floats, grain: Grain, variance: Floats, rng: np.random.Generator) -> Floats:
    """An image with noise of this grain.

    Args:
        rgb: (H, W, 3), 0 to 255.
        grain: its size and what the colours have in common.
        variance: (H, W) variance of the noise at each pixel.
        rng: chance.
    """
    shape = rgb.shape[:2]
    common = rng.standard_normal((*shape, 1), dtype=np.float32)
    noise = np.sqrt(grain.common) * common + np.sqrt(1 - grain.common) * rng.standard_normal(
        (*shape, 3), dtype=np.float32
    )
    if grain.size > 0.25:
        noise = cv2.GaussianBlur(noise, (0, 0), grain.size)
        noise /= max(float(noise.std()), 1e-6)
    return np.asarray(rgb + noise * np.sqrt(variance)[..., None], dtype=np.float32)


def blockiness(rgb: Rgb) -> float:
    """How much steps between JPEG's 8 px blocks stand out: their mean over others' mean, minus 1.

    Steps are capped at 8 grey levels, so that the content's own edges weigh little. About 0 for
    an image that never was a JPEG, or was scaled since.
    """
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    at, between = [], []
    for image in (grey, grey.T):
        steps = np.minimum(np.abs(np.diff(image, axis=1)), 8).mean(axis=0)
        on_grid = np.arange(len(steps)) % 8 == 7
        if on_grid.any():
            at.append(float(steps[on_grid].mean()))
            between.append(float(steps[~on_grid].mean()))
    return float(sum(at) / max(sum(between), 1e-6)) - 1 if at else 0.0


def _cut(rgb: Rgb) -> Floats:
    rows, columns = rgb.shape[0] // _PATCH, rgb.shape[1] // _PATCH
    used = rgb[: rows * _PATCH, : columns * _PATCH]
    grid = used.reshape(rows, _PATCH, columns, _PATCH, 3).swapaxes(1, 2)
    patches = grid.reshape(-1, _PATCH, _PATCH, 3)
    return np.asarray(patches[evenly_spaced(len(patches), _MOST)].astype(np.float32))


def _without_plane(patches: Floats) -> Floats:
    ramp = np.linspace(-1, 1, _PATCH, dtype=np.float32)
    norm = float(np.square(ramp).sum()) * _PATCH
    down = np.einsum("nyxc,y->nc", patches, ramp) / norm
    right = np.einsum("nyxc,x->nc", patches, ramp) / norm
    plane = down[:, None, None] * ramp[:, None, None] + right[:, None, None] * ramp[:, None]
    return np.asarray(patches - patches.mean(axis=(1, 2), keepdims=True) - plane)


def _quiet_patches(
    brightness: Floats, variances: Floats
) -> tuple[NDArray[np.bool_], list[float], list[float]]:
    """Which patches are quiet (N,), and the brightness and variance of each bin's quiet ones."""
    quiet = np.zeros(len(brightness), bool)
    levels, values = [], []
    bins = (brightness / 256 * _BINS).astype(int)
    print_at = _PRINT * float(np.quantile(variances, 0.1)) + 1
    for number in np.unique(bins):
        rows = np.flatnonzero(bins == number)
        if len(rows) < _FEWEST // 2 and len(np.unique(bins)) > 1:
            continue
        limit = float(np.quantile(variances[rows], _QUIETEST))
        if limit > print_at:
            continue
        chosen = rows[variances[rows] <= limit]
        quiet[chosen] = True
        levels += [float(brightness[chosen].mean())] * len(chosen)
        values += [limit] * len(chosen)
    if not levels:
        limit = float(np.quantile(variances, _QUIETEST))
        quiet = variances <= limit
        levels, values = [float(brightness[quiet].mean())], [limit]
    return quiet, levels, values


def _line(levels: list[float], values: list[float]) -> tuple[float, float]:
    """Variance at black, and what white adds, both >= 0, by least squares."""
    x, y = np.asarray(levels) / 255, np.asarray(values)
    if np.ptp(x) < 0.15:
        return float(y.mean()), 0.0
    slope, start = np.polyfit(x, y, 1)
    if slope < 0:
        return float(y.mean()), 0.0
    if start < 0:
        return 0.0, float((x * y).sum() / np.square(x).sum())
    return float(start), float(slope)


def _size(residual: Floats) -> float:
    """From the correlation of neighbours: exp(-1 / (4 s^2)) after a Gaussian of deviation s."""
    square = float(np.square(residual).mean())
    if square < 1e-3:
        return 0.0
    right = float((residual[:, :, 1:] * residual[:, :, :-1]).mean())
    down = float((residual[:, 1:] * residual[:, :-1]).mean())
    correlation = (right + down) / 2 / square
    if correlation < 0.05:
        return 0.0
    return float(min(2.0, np.sqrt(-1 / (4 * np.log(min(correlation, 0.99))))))


def _common(residual: Floats) -> float:
    flat = residual.reshape(-1, 3)
    if float(flat.std()) < 1e-2:
        return 0.0
    with np.errstate(invalid="ignore", divide="ignore"):
        table = np.asarray(np.corrcoef(flat.T))
    mean = float((table[0, 1] + table[0, 2] + table[1, 2]) / 3)
    return float(np.clip(mean, 0, 1)) if np.isfinite(mean) else 0.0
