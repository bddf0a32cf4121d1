"""A cut-out as it lies in the scene: rotated, sized, seen by a camera a little from the side."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from synth.compose.config import SceneConfig
from synth.compose.library import Rgba

ALPHA_INSIDE = 128  # a pixel belongs to the item from this alpha on
_REMAINING = 0.75  # what is left to the warp after area averaging: it must not skip pixels


@dataclass(frozen=True)
class Pose:
    """How an item lies.

    Attributes:
        angle: rotation in radians, 0 to 2 pi.
        scale: factor by which this item differs from the scene's scale.
        stretch: width over height, both about 1.
        tilt: perspective: how much larger the item is at its right and lower end, as a fraction.
    """

    angle: float
    scale: float
    stretch: float
    tilt: tuple[float, float]


@dataclass(frozen=True, eq=False)
class Patch:
    """A warped cut-out.

    Attributes:
        rgb: (h, w, 3) uint8, multiplied by alpha; the window is tight on alpha > 0.
        alpha: (h, w) uint8.
        mask: (h, w) uint8, 1 where the item is.
        area: pixels of the mask.
    """

    rgb: NDArray[np.uint8]
    alpha: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    area: int


def draw_pose(rng: np.random.Generator, config: SceneConfig) -> Pose:
    """Draw a pose: any rotation, small jitter of size and perspective."""
    low, high = config.item_scale
    warp = config.warp
    return Pose(
        angle=float(rng.uniform(0, 2 * math.pi)),
        scale=float(math.exp(rng.uniform(math.log(low), math.log(high)))),
        stretch=float(math.exp(rng.uniform(-warp, warp))),
        tilt=(float(rng.uniform(-warp, warp)), float(rng.uniform(-warp, warp))),
    )


def warp_cutout(rgba: Rgba, scale: float, pose: Pose) -> Patch:
    """Warp a cut-out once.

    Args:
        rgba: (H, W, 4) uint8, colours multiplied by alpha.
        scale: pixels of the scene per pixel of `rgba`, before `pose.scale`.
        pose: how it lies.

    Returns:
        The patch; its area is 0 where the item became too small to be seen.
    """
    scale *= pose.scale
    if scale < _REMAINING:
        height, width = rgba.shape[:2]
        size = tuple(max(1, round(n * scale / _REMAINING)) for n in (width, height))
        shrunk = cv2.resize(rgba, size, interpolation=cv2.INTER_AREA)
        scale *= width / shrunk.shape[1]
        rgba = np.asarray(shrunk)
    matrix, (width, height) = _homography(rgba.shape[1], rgba.shape[0], scale, pose)
    warped = cv2.warpPerspective(rgba, matrix, (width, height), flags=cv2.INTER_LINEAR)
    opacity = cv2.extractChannel(warped, 3)
    x, y, w, h = cv2.boundingRect(opacity)
    if w == 0 or h == 0:
        x, y, w, h = 0, 0, 1, 1
    alpha = np.asarray(opacity[y : y + h, x : x + w], np.uint8)
    rgb = np.asarray(cv2.cvtColor(warped[y : y + h, x : x + w], cv2.COLOR_RGBA2RGB), np.uint8)
    mask = (alpha >= ALPHA_INSIDE).astype(np.uint8)
    return Patch(rgb, alpha, mask, cv2.countNonZero(mask))


def _homography(
    width: int, height: int, scale: float, pose: Pose
) -> tuple[NDArray[np.float64], tuple[int, int]]:
    """The 3x3 matrix from a cut-out to its patch, and the patch's width and height in pixels."""
    to_centre = np.array([[1, 0, (1 - width) / 2], [0, 1, (1 - height) / 2], [0, 0, 1.0]])
    c, s = math.cos(pose.angle) * scale, math.sin(pose.angle) * scale
    root = math.sqrt(pose.stretch)
    turn = np.array([[c * root, -s / root, 0], [s * root, c / root, 0], [0, 0, 1.0]])
    reach = max(1.0, scale * math.hypot(width, height) / 2)
    tilt = np.array([[1, 0, 0], [0, 1, 0], [pose.tilt[0] / reach, pose.tilt[1] / reach, 1.0]])
    matrix = tilt @ turn @ to_centre
    edges = np.array([(-1, -1), (width, -1), (-1, height), (width, height)], dtype=np.float64)
    corners = cv2.perspectiveTransform(edges[None], matrix)[0]  # (4, 2)
    low, high = np.floor(corners.min(axis=0)), np.ceil(corners.max(axis=0))
    shift = np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1.0]])
    size = (high - low).astype(int) + 1
    return shift @ matrix, (int(size[0]), int(size[1]))
