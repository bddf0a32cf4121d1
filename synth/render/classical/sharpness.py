"""How sharp a photo is: the width of its edges, whatever they show."""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

Rgb = NDArray[np.uint8]

BLUNTEST: Final = 4.0  # px; more is no edge
_FINE: Final = 0.7  # px, standard deviations of the two derivatives that are compared
_COARSE: Final = 1.4
_DIFFERENCE: Final = 1 / 3  # px^2, variance that a difference over two pixels adds
_FEWEST: Final = 50  # edges that make a measurement
_WEAKEST: Final = 6.0  # grey levels a px at the fine scale


def edge_blur(rgb: Rgb) -> float | None:
    """Standard deviation, in pixels, of the Gaussian that would blur an ideal step so much.

    A step behind a Gaussian of deviation s has, under a Gaussian derivative of deviation d, a
    peak in proportion to 1 / sqrt(s^2 + d^2); the ratio of two such peaks gives s, whatever the
    step's height (as in Zhuo and Sim, "Defocus map estimation from a single image", 2011). Taken
    is the median over the strongest edges. Thin lines seem sharper than they are, so only images
    of the same kind of things compare.

    Args:
        rgb: (H, W, 3).

    Returns:
        0 to `BLUNTEST`; None where fewer than 50 edges are strong enough.
    """
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    fine, coarse = _gradient(grey, _FINE), _gradient(grey, _COARSE)
    peaks = fine >= cv2.dilate(fine, np.ones((3, 3), np.uint8))
    peaks[:4], peaks[-4:], peaks[:, :4], peaks[:, -4:] = False, False, False, False
    strong = peaks & (fine > _WEAKEST)
    if strong.sum() < _FEWEST:
        return None
    strong &= fine >= np.quantile(fine[strong], 0.6)
    squared = np.square(fine[strong] / np.maximum(coarse[strong], 1e-3))
    top = _COARSE**2 + _DIFFERENCE - squared * (_FINE**2 + _DIFFERENCE)
    bottom = squared - 1
    variance = np.where(bottom > 1e-3, top / np.maximum(bottom, 1e-3), BLUNTEST**2)
    return float(np.sqrt(np.median(variance.clip(0, BLUNTEST**2))))


def match_blur(rgb: NDArray[Any], now: float, wanted: float, most: float = 0.5) -> NDArray[Any]:
    """An image of another edge width: blurred, or sharpened a little; its type is kept.

    Args:
        rgb: (H, W, 3).
        now: its edges' width as `edge_blur` measures it.
        wanted: the width to come to.
        most: strength of an unsharp mask that is not exceeded, whatever is wanted.
    """
    squared = wanted**2 - now**2
    if squared > 0.02:
        return np.asarray(cv2.GaussianBlur(rgb, (0, 0), float(np.sqrt(squared))))
    if squared < -0.1:
        amount = min(most, -squared)
        soft = cv2.GaussianBlur(rgb, (0, 0), 1.0)
        return np.asarray(cv2.addWeighted(rgb, 1 + amount, soft, -amount, 0))
    return rgb


def _gradient(grey: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Gradient's magnitude after a Gaussian."""
    smooth = cv2.GaussianBlur(grey, (0, 0), sigma)
    dx = cv2.filter2D(smooth, cv2.CV_32F, np.array([[-0.5, 0, 0.5]], np.float32))
    dy = cv2.filter2D(smooth, cv2.CV_32F, np.array([[-0.5], [0], [0.5]], np.float32))
    return np.asarray(cv2.magnitude(dx, dy))
