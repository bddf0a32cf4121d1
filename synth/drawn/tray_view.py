"""A flat package as a checkout's camera may see it: rotated, tilted, lit and blurred, half hidden.

From RGBA pictures, one crop a call. Nothing is taken from any tray: the ranges are wide.

Key: S the side of the scene in pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Rgb = NDArray[np.uint8]
RGBA = NDArray[np.uint8]
FloatPicture = NDArray[np.floating]

SIDE: Final = 420  # px of the scene around the product
LONG: Final = (120.0, 260.0)  # px of a product's longer side
TILT: Final = 0.65  # least foreshortening
MOST_HIDDEN: Final = 0.25  # of the product, by one neighbour


def tray_view(package: RGBA, others: Sequence[RGBA], rng: np.random.Generator) -> Rgb:
    """A tight crop (h, w, 3) of `package` (H, W, 4) on a plain tray, among up to two neighbours.

    Args:
        package: its alpha tells its outline.
        others: what neighbours are drawn from; may be empty.
        rng: decides everything else.
    """
    centre = np.array([SIDE / 2, SIDE / 2])
    long = rng.uniform(*LONG)
    scene, seen = _paste(package, centre, long, _ground(rng), rng)
    for _ in range(int(rng.integers(0, 3)) if len(others) else 0):
        other = others[int(rng.integers(len(others)))]
        angle, distance = rng.uniform(0, 2 * np.pi), long * rng.uniform(0.75, 1.1)
        place = centre + distance * np.array([np.cos(angle), np.sin(angle)])
        covered, outline = _paste(other, place, rng.uniform(*LONG), scene, rng)
        if (seen & outline).sum() < MOST_HIDDEN * seen.sum():
            scene, seen = covered, seen & ~outline
    picture = _photograph(scene, rng)
    return _crop(picture, seen, rng)


def _ground(rng: np.random.Generator) -> FloatPicture:
    """A plain, unevenly lit surface (S, S, 3)."""
    colour = rng.uniform(150, 235) + rng.normal(0, 5, 3)
    stains = cv2.resize(rng.normal(0, 8, (6, 6)), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    return np.asarray(colour + stains[..., None])


def _paste(
    package: RGBA,
    centre: NDArray[np.float64],
    long: float,
    scene: FloatPicture,
    rng: np.random.Generator,
) -> tuple[FloatPicture, NDArray[np.bool_]]:
    """The scene with the package on it, rotated and tilted anyhow, and where it covers it."""
    height, width = package.shape[:2]
    scale = long / max(height, width)
    turn, axis = rng.uniform(0, 2 * np.pi), rng.uniform(0, np.pi)
    squash = _rotation(axis) @ np.diag([1, rng.uniform(TILT, 1)]) @ _rotation(axis).T
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
    moved = (corners - [width / 2, height / 2]) @ (squash @ _rotation(turn) * scale).T
    moved *= 1 + 0.12 * rng.uniform(-1, 1) * moved[:, :1] / long  # the far end looks smaller
    warp = cv2.getPerspectiveTransform(
        corners.astype(np.float32), (moved + centre).astype(np.float32)
    )
    sharp = package.astype(np.float32)
    if scale < 0.6:
        sharp = np.asarray(cv2.GaussianBlur(sharp, (0, 0), 0.4 / scale), dtype=np.float32)
    alpha = sharp[..., 3:] / 255
    layer = np.concatenate([sharp[..., :3] * alpha, alpha], axis=2)
    seen = cv2.warpPerspective(layer, warp, (SIDE, SIDE), flags=cv2.INTER_LINEAR)
    return scene * (1 - seen[..., 3:]) + seen[..., :3], seen[..., 3] > 0.5


def _rotation(angle: float) -> NDArray[np.float64]:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, -sin], [sin, cos]])


def _photograph(scene: FloatPicture, rng: np.random.Generator) -> Rgb:
    """Another exposure, white balance, contrast and sharpness; noise; a JPEG."""
    light = np.clip(scene / 255, 0, 1) ** np.exp(rng.normal(0, 0.25))
    light = light * rng.uniform(0.75, 1.2) * np.exp(rng.normal(0, 0.07, 3))
    light = 0.5 + (light - 0.5) * rng.uniform(0.75, 1.15)
    light = cv2.GaussianBlur(light, (0, 0), rng.uniform(0.3, 1.6))
    light = light + rng.normal(0, rng.uniform(0.003, 0.02), light.shape)
    pixels = (np.clip(light, 0, 1) * 255).astype(np.uint8)
    quality = int(rng.integers(60, 95))
    _, packed = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(packed, cv2.IMREAD_COLOR)
    assert decoded is not None
    return np.asarray(decoded[..., ::-1], dtype=np.uint8)


def _crop(picture: Rgb, seen: NDArray[np.bool_], rng: np.random.Generator) -> Rgb:
    """A crop as a detector's box would cut it: up to 3 px wrong on each side."""
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    if len(rows) == 0:
        rows = columns = np.array([SIDE // 2 - 10, SIDE // 2 + 10])
    off = rng.integers(-3, 4, 4)
    top, bottom = max(int(rows[0] + off[0]), 0), int(rows[-1] + 2 + off[1])
    left, right = max(int(columns[0] + off[2]), 0), int(columns[-1] + 2 + off[3])
    bottom, right = max(bottom, top + 1), max(right, left + 1)
    return np.ascontiguousarray(picture[top:bottom, left:right])
