"""Cans and cups as a tray's camera sees them standing on their heads: a side that no photo shows.

A turntable shows every side of a product but the one it stands on. On trays, cans and cups do
stand on their heads: a plain disc, with a ring of print around it or to one side of it. Products
that look equally wide and tall from every side are taken to be round; their print is unrolled from
photos from the side, and seen again from above.

Key: H x W pixels of a cut-out; lengths in its pixels; heights from the foot of the product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Rgba = NDArray[np.uint8]
FloatArray = NDArray[np.float64]
VIEWS: Final = 3  # photos from the side, at least
SAME: Final = 0.04  # sides of round products differ by less from photo to photo
STRAIGHT: Final = 0.075  # a foot that bends more, as a share of the width, is seen from above
CONE: Final = 0.03  # the outline of a can or a cup leaves two straight lines by less
ROUNDEST: Final = (0.6, 1.35)  # foot over top: beyond that it is no can or cup
FLATTEST: Final = 0.5  # height over width of what is worth the trouble


@dataclass(frozen=True)
class Cone:
    """A can or a cup: straight sides, a round foot, a round top.

    Attributes:
        foot: radius at the foot.
        top: radius at the top.
        height: of the product.
    """

    foot: float
    top: float
    height: float


def find_cone(masks: Sequence[NDArray[np.bool_]]) -> Cone | None:
    """The can or cup of which these are the outlines (H, W), seen from the side; else None.

    Each mask is tight: its first and last rows and columns hold a pixel.
    """
    if len(masks) < VIEWS:
        return None
    sizes = np.array([mask.shape for mask in masks], np.float64)
    if (sizes.std(axis=0) > SAME * sizes.mean(axis=0)).any():
        return None
    height, width = sizes.mean(axis=0)
    if height < FLATTEST * width or np.median([_bend(mask) for mask in masks]) > STRAIGHT * width:
        return None
    feet, tops = zip(*(_ends(mask) for mask in masks), strict=True)
    if float(np.median([_crooked(mask) for mask in masks])) > CONE * width:
        return None
    cone = Cone(float(np.mean(feet)) / 2, float(np.mean(tops)) / 2, float(height))
    return cone if ROUNDEST[0] <= cone.foot / cone.top <= ROUNDEST[1] else None


def _bend(mask: NDArray[np.bool_]) -> float:
    """How much lower the foot is in its middle than towards its sides."""
    height, width = mask.shape
    low = height - mask[::-1].argmax(axis=0)  # first row below the product, by column
    middle = np.median(low[int(0.4 * width) : max(int(0.6 * width), int(0.4 * width) + 1)])
    columns = np.flatnonzero(mask[int(0.9 * height) :].any(axis=0))
    left, right = columns[0], columns[-1]
    inset = max(int(0.12 * (right - left)), 1)
    return float(abs(middle - (low[left + inset] + low[right - inset]) / 2))


def _ends(mask: NDArray[np.bool_]) -> tuple[float, float]:
    """Widths near the foot and near the top, on the straight lines of the outline."""
    rows, widths = _widths(mask)
    slope, offset = np.polyfit(rows, widths, 1)
    return float(slope * mask.shape[0] + offset), float(offset)


def _crooked(mask: NDArray[np.bool_]) -> float:
    """How far the outline leaves straight sides, 80th percentile."""
    rows, widths = _widths(mask)
    fit = np.polyval(np.polyfit(rows, widths, 1), rows)
    return float(np.percentile(np.abs(widths - fit), 80))


def _widths(mask: NDArray[np.bool_]) -> tuple[FloatArray, FloatArray]:
    """Rows between foot and top, and the width of the mask in each."""
    height = mask.shape[0]
    rows = np.arange(int(0.12 * height), max(int(0.9 * height), int(0.12 * height) + 2))
    rows = rows[rows < height]
    return rows.astype(np.float64), mask[rows].sum(axis=1).astype(np.float64)


def upside_down(
    near: Rgba, far: Rgba, cone: Cone, rng: np.random.Generator, *, most_aside: float = 0.45
) -> Rgba:
    """A can or cup on its head, seen from above.

    Args:
        near: photo from the side (H, W, 4), tight: the half that faces the camera.
        far: another one, for the other half, of which a cup shows a little.
        cone: its shape.
        rng: of its place below the camera, of the light and of the colour of its foot.
        most_aside: how far from below the camera it stands at most, as a share of the camera's
            height.

    Returns:
        (H', W', 4) tight on its alpha, in the photos' scale.
    """
    camera = cone.height * rng.uniform(4, 9)
    aside = camera * most_aside * rng.random()
    reach = camera / (camera - cone.height)
    size = int(2 * max(cone.foot * reach, cone.top) + aside * (reach - 1)) + 8
    ys, xs = np.mgrid[:size, :size].astype(np.float64)
    left = -max(cone.top, cone.foot * reach) - 3
    x, y = xs + left + aside, ys - size / 2
    # A ray to (x, y) on the tray is at (x, y) (1 - z / camera) at the height z.
    lifted = 1 - cone.height / camera
    in_foot = (x * lifted - aside) ** 2 + (y * lifted) ** 2 <= cone.foot**2
    height, on_side = _meets_side(x, y, aside, camera, cone)
    at_x, at_y = x * (1 - height / camera) - aside, y * (1 - height / camera)
    angle = np.arctan2(at_y, -at_x)  # 0 faces the camera's foot point
    colour = np.zeros((size, size, 3), np.float64)
    shade = rng.uniform(0.55, 1.0)
    to_camera = np.abs(angle) <= np.pi / 2
    across = np.sin(angle)  # -1 to 1 from one outline to the other
    # Who looks at a half has +y at the right on one side and at the left on the other; on its head
    # the photo is turned by half a circle besides.
    for photo, half, place in ((near, to_camera, -across), (far, ~to_camera, across)):
        colour[half] = _printed(photo, place, height / cone.height)[half] * shade
    foot = _foot_colour(x * lifted - aside, y * lifted, cone, rng)
    colour[in_foot] = foot[in_foot]
    alpha = (in_foot | on_side).astype(np.float64)
    alpha = cv2.GaussianBlur(alpha, (0, 0), 0.7) * 255
    rgba = np.dstack([colour.clip(0, 255), alpha]).astype(np.uint8)
    rows, columns = np.flatnonzero((alpha > 8).any(axis=1)), np.flatnonzero((alpha > 8).any(axis=0))
    return np.ascontiguousarray(rgba[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


def _meets_side(
    x: FloatArray, y: FloatArray, aside: float, camera: float, cone: Cone
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Height at which rays meet the sides first, and whether they do.

    |p (1 - z / camera) - (aside, 0)| = top + (foot - top) z / height, solved for z.
    """
    grow = (cone.foot - cone.top) / cone.height
    a = (x**2 + y**2) / camera**2 - grow**2
    b = -2 * x * (x - aside) / camera - 2 * y * y / camera - 2 * cone.top * grow
    c = (x - aside) ** 2 + y**2 - cone.top**2
    root = np.sqrt(np.maximum(b * b - 4 * a * c, 0))
    safe = np.where(np.abs(a) < 1e-9, 1e-9, a)
    first, second = (-b + root) / (2 * safe), (-b - root) / (2 * safe)
    high, low = np.maximum(first, second), np.minimum(first, second)
    inside = [(0 <= z) & (z <= cone.height) for z in (high, low)]
    height = np.where(inside[0], high, np.where(inside[1], low, 0.0))
    meets = (inside[0] | inside[1]) & (b * b - 4 * a * c >= 0)
    return height.clip(0, cone.height), meets


def _printed(photo: Rgba, across: FloatArray, height: FloatArray) -> FloatArray:
    """Colours (..., 3) of places -1 to 1 across the outline, at heights 0 (on the tray) to 1."""
    rows, columns = photo.shape[:2]
    # On its head: what is at the tray is the top of the photo.
    row = height * (rows - 1)
    solid = photo[..., 3] > 127
    count = np.maximum(solid.sum(axis=1), 1)
    middle = (solid * np.arange(columns)).sum(axis=1) / count
    at = np.clip(np.round(row).astype(int), 0, rows - 1)
    column = middle[at] + 0.5 * 0.97 * count[at] * across
    return np.asarray(
        cv2.remap(
            photo[..., :3],
            column.astype(np.float32),
            row.astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        ),
        np.float64,
    )


def _foot_colour(x: FloatArray, y: FloatArray, cone: Cone, rng: np.random.Generator) -> FloatArray:
    """A plain foot (..., 3): grey, with a rim that is lighter or darker."""
    grey = rng.uniform(90, 250)
    colour = grey + rng.normal(0, 2, 3)
    radius = np.hypot(x, y) / cone.foot
    rim = rng.uniform(0.75, 0.97)
    bright = np.where(radius > rim, rng.uniform(0.75, 1.15), 1.0)
    bright = bright * (1 + rng.uniform(-0.08, 0.08) * x / cone.foot)
    return np.asarray((colour * bright[..., None]).clip(0, 255), np.float64)
