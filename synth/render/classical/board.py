"""The board under the products, found in a photo without any mask: its colour and its light.

A board is what most of the image's border shows, and whatever elsewhere has that colour under a
light that changes slowly. Colours are natural logarithms, so that light and gains add.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from synth.render.colours import Floats, Rgb, from_opponent, to_opponent, to_opponent_vector

_SIDE: Final = 160  # px of the longer side at which the board is fitted
_RING: Final = 0.08  # of each side: the border in which the board's colour is looked for
_KERNEL: Final = np.array([0.12, 0.05, 0.05], np.float32)  # brightness, redness, blueness
_REACH: Final = (0.3, 0.15, 0.15)  # least distance at which a colour is no longer the board's
_VIVID: Final = 0.35  # of a coloured board's distance to grey, likewise
_SHADOW: Final = 3.0  # times as far for what is darker
_SPECK: Final = 0.0004  # of an image: a smaller hole in the board is dirt or noise
_SCALES: Final = (0.02, 0.15)  # bounds of the spread of a board's pixels, in logarithms
_RIDGE: Final = 3e-4  # pull of the light towards none, per pixel of the image
_STEEPEST: Final = 0.5  # bound of each coefficient of the light


@dataclass(frozen=True)
class Board:
    """A board's look.

    Attributes:
        colour: (3,) logarithm of its RGB under the light in the middle of the image.
        light: (3,) coefficients of the logarithm of the light: to the right (over half the
            width), down, and of the squared radius (1 in the corners; negative: a vignette).
        spread: (3,) standard deviations of its brightness, redness and blueness.
        share: fraction of the image that it fills.
    """

    colour: Floats
    light: Floats
    spread: Floats
    share: float


def find_board(rgb: Rgb) -> Board:
    """Fit colour and light to the board by reweighted least squares with Tukey's biweight.

    The start is the densest colour of the border. An image without a board gives the fit of what
    came closest, with a small `share`.

    Args:
        rgb: (H, W, 3).
    """
    opponent = to_opponent(_shrink(rgb, _SIDE))
    height, width = opponent.shape[:2]
    basis = light_basis(height, width).reshape(3, -1)
    pixels = opponent.reshape(-1, 3)
    design = np.concatenate([np.ones_like(basis[:1]), basis]).T  # (pixels, 4)
    middle, spread = _start(opponent)
    residual = pixels - middle
    coefficients = np.zeros(4, np.float32)
    weight = _biweight(residual / (2 * _KERNEL))
    for _ in range(8):
        if weight.sum() < 16:
            break
        coefficients = _fit_light(design, pixels[:, 0], weight)
        chroma = [_weighted_median(pixels[:, c], weight) for c in (1, 2)]
        fitted = design @ coefficients
        residual = np.stack(
            [pixels[:, 0] - fitted, pixels[:, 1] - chroma[0], pixels[:, 2] - chroma[1]], axis=1
        )
        middle = np.array([coefficients[0], *chroma], np.float32)
        near = weight > 0.2
        if near.sum() >= 16:
            spread = 1.4826 * np.median(np.abs(residual[near]), axis=0)
            spread = spread.clip(*_SCALES)
        weight = _biweight(residual / spread)
    return Board(
        colour=from_opponent(middle),
        light=coefficients[1:].astype(np.float32),
        spread=spread.astype(np.float32),
        share=float((weight > 0.2).mean()),
    )


def board_matte(rgb: Rgb, board: Board) -> Floats:
    """How much each pixel is board, (H, W), 0 to 1: its colour under its light, or in a shadow.

    Parts that neither touch the border nor are large are taken for products of that colour.
    """
    half = _shrink(rgb, max(rgb.shape[:2]) // 2)
    opponent = to_opponent(cv2.medianBlur(half, 5))  # noise goes, edges stay
    height, width = opponent.shape[:2]
    light = np.tensordot(board.light, light_basis(height, width), 1)
    away = opponent - to_opponent_vector(board.colour)
    away[..., 0] -= light
    reach = np.maximum(3 * board.spread, _REACH)
    vivid = float(np.hypot(*to_opponent_vector(board.colour)[1:]))
    reach[1:] = np.maximum(reach[1:], _VIVID * vivid)  # its shadows are less or more so
    away[..., 0] /= np.where(away[..., 0] < 0, _SHADOW * reach[0], reach[0])
    away[..., 1:] /= reach[1:]
    distance = np.sqrt(np.square(away).sum(axis=2))
    matte = (2 * (1 - distance)).clip(0, 1).astype(np.float32)  # 1 up to half the reach
    matte *= _connected(matte > 0.3)
    specks = _specks(matte < 0.5)
    matte[specks] = 1
    full = cv2.resize(
        cv2.GaussianBlur(matte, (0, 0), 0.7),
        (rgb.shape[1], rgb.shape[0]),
        interpolation=cv2.INTER_LINEAR,
    )
    return np.asarray(full)


def light_basis(height: int, width: int) -> Floats:
    """(3, H, W): to the right, down, squared radius; -1 to 1 over a side, and 1 in the corners."""
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    return np.stack([x, y, (x * x + y * y) / 2]).astype(np.float32)


def _shrink(rgb: Rgb, side: int) -> Rgb:
    factor = min(1.0, side / max(rgb.shape[:2]))
    size = (max(4, round(rgb.shape[1] * factor)), max(4, round(rgb.shape[0] * factor)))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA))


def _start(opponent: Floats) -> tuple[Floats, Floats]:
    """The border's densest colour (3,), and the kernel it was found with."""
    height, width = opponent.shape[:2]
    rows, columns = max(1, round(_RING * height)), max(1, round(_RING * width))
    ring = np.ones((height, width), bool)
    ring[rows:-rows, columns:-columns] = False
    pixels = cv2.GaussianBlur(opponent, (0, 0), 2.0)[ring]  # noise in the dark is wide
    pixels = pixels[:: max(1, len(pixels) // 400)]
    scaled = pixels / _KERNEL
    distances = np.square(scaled[:, None] - scaled[None]).sum(axis=2)
    crowd = np.exp(-0.5 * distances)
    best = crowd[int(crowd.sum(axis=1).argmax())]
    return (best[:, None] * pixels).sum(axis=0) / best.sum(), _KERNEL


def _fit_light(design: Floats, brightness: Floats, weight: Floats) -> Floats:
    """Weighted least squares for (level, light); few pixels say little about the light (ridge)."""
    weighted = design * weight[:, None]
    ridge = np.diag(np.array([0, 1, 1, 1], np.float32) * _RIDGE * len(weight))
    solved = np.linalg.solve(weighted.T @ design + ridge, weighted.T @ brightness)
    solved[1:] = solved[1:].clip(-_STEEPEST, _STEEPEST)
    return np.asarray(solved, dtype=np.float32)


def _biweight(scaled: Floats) -> Floats:
    """Tukey's biweight of residuals (N, 3) in standard deviations, the three taken together."""
    squared = np.square(scaled).sum(axis=1) / 4.685**2
    return np.asarray(np.square(np.maximum(1 - squared, 0)), dtype=np.float32)


def _weighted_median(values: Floats, weight: Floats) -> float:
    order = np.argsort(values)
    total = np.cumsum(weight[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])


def _connected(likely: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The parts that touch the border or fill a fiftieth of the image."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(likely.astype(np.uint8))
    keep = stats[:, cv2.CC_STAT_AREA] > likely.size / 50
    border = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    keep[np.unique(border)] = True
    keep[0] = False
    return np.asarray(keep[labels]) if count > 1 else likely


def _specks(holes: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The holes that are too small for a product."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(holes.astype(np.uint8))
    small = stats[:, cv2.CC_STAT_AREA] < _SPECK * holes.size
    small[0] = False
    return np.asarray(small[labels])
