"""Which views of a product a tray can show, and how often: pose ratio and drawing weight.

A checkout camera looks down. What it sees of a product is what the product shows upwards when at
rest. Things come to rest on a broad face, so views with a large area are what trays show: a bag
lies on its front or back and never stands on its edge, a carton does so seldom, a can lies or
stands. The practice on RPC is the ratio R of a view's area to the largest of its SKU and camera,
dropped below 0.45; it says nothing of how the cameras compare, so a bag seen from above standing
on its edge (all such views are equally thin: R = 1) would stay. Therefore beside R:

- a view from the side shows the product as it would lie, and counts fully if its area is large
  among all views of the SKU;
- a view from above shows it as it stood on the turntable, and counts if it can stand so: its
  footprint is not thin beside its height;
- an oblique view happens where a product leans on another, or stands far from the middle of the
  tray, and counts less.

Cameras are numbered differently in every store, so what a camera is follows from how areas and
boxes change over the turn of the turntable (`camera_roles`); where that cannot be told, all
cameras count alike. Photos without a camera number come from no rig: their distance varies, so
their areas tell nothing of the pose, and none is dropped or preferred.

Key: arrays have one entry a cut-out, (N,). Areas and lengths of one SKU are on one scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

KEEP_RATIO = 0.45  # RPC's practice
LEAST_VIEWS = 4  # of a SKU and camera, to tell how they change
NOT_ROUND = 0.06  # spread of areas or widths over the turn that a round product does not reach
OBLIQUE_WEIGHT = 0.35
# Spread of a box's height over that of its width: 0 from the side without perspective, 0.15
# measured with it, 0.25 at 30 degrees for a tall bag, more for anything less tall.
SIDE_RATIO = 0.2


class CameraRole(Enum):
    """Where a camera looks from."""

    TOP = "top"
    SIDE = "side"
    OBLIQUE = "oblique"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Views:
    """Measurements of N cut-outs.

    Attributes:
        category_id: (N,) int.
        camera: N camera numbers; None where unknown.
        area: (N,) mask area.
        width: (N,) width of the product's box on the photo.
        height: (N,) height of it.
        short_side: (N,) short side of the smallest rotated rectangle around the mask.
        trusted: (N,) bool: the mask is good enough to compare others with.

    Raises:
        ValueError: lengths differ, or an area is negative or not finite.
    """

    category_id: NDArray[np.int64]
    camera: Sequence[int | None]
    area: Floats
    width: Floats
    height: Floats
    short_side: Floats
    trusted: Bools

    def __post_init__(self) -> None:
        lengths = {name: len(getattr(self, name)) for name in self.__dataclass_fields__}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"views: expected arrays of one length, got {lengths}")
        if not (np.isfinite(self.area) & (self.area >= 0)).all():
            raise ValueError("views: expected finite areas >= 0")

    @property
    def camera_index(self) -> NDArray[np.int64]:
        """(N,) cameras as integers, -1 where unknown."""
        return np.array([-1 if c is None else c for c in self.camera], dtype=np.int64)


def pose_ratios(views: Views) -> Floats:
    """R (N,) 0 to 1: area over the largest trusted area of that SKU and camera.

    Where nothing of a group is trusted, all of the group is compared.
    """
    group = np.stack([views.category_id, views.camera_index])
    return _ratio_to_largest(views, np.unique(group, axis=1, return_inverse=True)[1].reshape(-1))


def sku_ratios(views: Views) -> Floats:
    """Area over the largest trusted area of that SKU in all cameras (N,), 0 to 1."""
    return _ratio_to_largest(views, np.unique(views.category_id, return_inverse=True)[1])


def camera_roles(views: Views) -> dict[int, CameraRole]:
    """The role of each camera (key -1: photos without a camera).

    Only products that are not round tell. As such a product turns, its area stays nearly the same
    in a camera from above, far below the spread that another camera sees; in a camera from the
    side its box keeps the height and changes the width. The median over the products decides.
    Nothing can be told of a store with one camera, round products or few views: all are unknown.
    """
    cameras = views.camera_index
    known = sorted(set(cameras[cameras >= 0].tolist()))
    roles = dict.fromkeys(sorted(set(cameras.tolist())), CameraRole.UNKNOWN)
    spreads = _spreads(views, known)  # (SKUs, cameras, 3): of area, width, height
    if len(known) < 2 or not len(spreads):
        return roles
    widest = np.nanmax(np.nan_to_num(spreads[..., 0], nan=-1.0), axis=1, keepdims=True)
    telling = (widest > NOT_ROUND)[:, 0]
    for column, camera in enumerate(known):
        area, width, height = spreads[telling, column].T if telling.any() else np.zeros((3, 0))
        seen = np.isfinite(area)
        if not seen.any():
            continue
        if np.median(area[seen] / widest[telling, 0][seen]) < 0.4:
            roles[camera] = CameraRole.TOP
            continue
        turning = seen & (width > NOT_ROUND)
        upright = turning.any() and np.median(height[turning] / width[turning]) < SIDE_RATIO
        roles[camera] = CameraRole.SIDE if upright else CameraRole.OBLIQUE
    if CameraRole.TOP not in roles.values():
        # An angle can be told only beside another: without a camera from above, or with
        # nothing but cameras at an angle, none is preferred.
        return dict.fromkeys(roles, CameraRole.UNKNOWN)
    return roles


def pose_weights(views: Views) -> tuple[Floats, Floats]:
    """How often each cut-out should be drawn.

    Returns:
        R (N,), see `pose_ratios`, and the weights (N,) 0 to 1: 0 where the pose is not to be
        expected on a tray. Every SKU that has a trusted cut-out keeps one with a weight above 0.
    """
    ratio, across = pose_ratios(views), sku_ratios(views)
    roles = camera_roles(views)
    role = np.array([roles[c] for c in views.camera_index.tolist()], dtype=object)
    broad = smooth_step(ratio, 0.5, 0.95)
    large = smooth_step(across, 0.35, 0.7)
    standing = smooth_step(_thickness(views, role), 0.3, 0.75)
    weight = broad * large
    top = role == CameraRole.TOP
    weight[top] = (smooth_step(ratio, 0.45, 0.6) * standing)[top]
    weight[role == CameraRole.OBLIQUE] *= OBLIQUE_WEIGHT
    weight[ratio <= KEEP_RATIO] = 0
    weight[views.camera_index < 0] = 1.0
    weight[weight < 0.02] = 0  # a view drawn once in hundreds is no help, and may be a bad mask
    for sku in np.unique(views.category_id):
        mine = (views.category_id == sku) & views.trusted
        if mine.any() and not weight[mine].any():
            weight[mine & (across >= 0.9 * across[mine].max())] = 1.0
    return ratio, weight


def smooth_step(values: Floats, low: float, high: float) -> Floats:
    """0 up to `low`, 1 from `high`, a smooth rise between."""
    x = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(x * x * (3 - 2 * x))


def _thickness(views: Views, role: NDArray[np.object_]) -> Floats:
    """Short side of the footprint over the product's height (N,); 1 where the height is unknown.

    The height is the largest box height from the side; without such a camera, of all that do not
    look from above.
    """
    result = np.ones(len(views.area))
    for sku in np.unique(views.category_id):
        mine = views.category_id == sku
        usable = mine & views.trusted
        for heights in (usable & (role == CameraRole.SIDE), usable & (role != CameraRole.TOP)):
            if heights.any():
                result[mine] = views.short_side[mine] / max(1e-9, views.height[heights].max())
                break
    return result


def _ratio_to_largest(views: Views, group: NDArray[np.int64]) -> Floats:
    """Area over the largest trusted area of its group (N,), at most 1."""
    number = int(group.max()) + 1 if len(group) else 0
    trusted, every = np.zeros(number), np.zeros(number)
    np.maximum.at(trusted, group[views.trusted], views.area[views.trusted])
    np.maximum.at(every, group, views.area)
    largest = np.where(trusted > 0, trusted, every)[group]
    return np.minimum(views.area / np.maximum(largest, 1e-9), 1.0)


def _spreads(views: Views, cameras: Sequence[int]) -> Floats:
    """Spread over mean of area, width, height (SKUs, cameras, 3); NaN where views are few."""
    skus = np.unique(views.category_id)
    spreads = np.full((len(skus), len(cameras), 3), np.nan)
    index = views.camera_index
    for i, sku in enumerate(skus):
        for j, camera in enumerate(cameras):
            mine = (views.category_id == sku) & (index == camera) & views.trusted
            if mine.sum() >= LEAST_VIEWS:
                rows = np.stack([views.area[mine], views.width[mine], views.height[mine]])
                spreads[i, j] = rows.std(axis=1) / np.maximum(rows.mean(axis=1), 1e-9)
    return spreads
