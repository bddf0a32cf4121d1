"""How large each product appears on a tray, read off unlabelled checkout photos.

A rig that frames every product to fill its photo loses the products' relative sizes, and no
exemplar tells them. Unlabelled trays do: a box that looks like some cut-out, rotated by some
angle, shows how much smaller that cut-out is on a tray. Look-alikes may be mistaken for one
another here without harm, since they share their size. Labels of trays are never used.

Key: T boxes on trays, C rotated cut-outs, D dimensions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from rpc.data.cutouts import Cutout, CutoutSet
from rpc.structures import mask_to_box

FloatArray = NDArray[np.float64]
Group = tuple[int, int | None]  # category id, camera


@dataclass(frozen=True)
class RotatedCutout:
    """A cut-out after a turn: what it would look like on a tray.

    Attributes:
        group: category id and camera of its photo; photos of one camera share their scale.
        width: of its tight box, in pixels of the cut-out.
        height: as `width`.
    """

    group: Group
    width: float
    height: float


def match_sizes(
    tray_vectors: NDArray[np.float32],
    tray_sides: FloatArray,
    cutout_vectors: NDArray[np.float32],
    cutouts: Sequence[RotatedCutout],
    *,
    aspect_tolerance: float = 0.25,
    keep: float = 0.6,
) -> list[tuple[Group, float]]:
    """Match tray boxes with rotated cut-outs: group and log size factor of each convincing match.

    Args:
        tray_vectors: (T, D), unit length.
        tray_sides: (T, 2), width and height of the boxes in px of a scene 1000 px wide.
        cutout_vectors: (C, D), unit length.
        cutouts: C of them.
        aspect_tolerance: largest difference of log(width / height): an item that is hidden in
            part, or seen from another side, has another shape than the cut-out.
        keep: share of the boxes to keep, those that match best.

    Returns:
        Pairs (group, log factor), the factor being px of the scene per px of the cut-out.
    """
    if len(tray_vectors) == 0 or len(cutouts) == 0:
        return []
    sides = np.array([(c.width, c.height) for c in cutouts], dtype=np.float64)  # (C, 2)
    aspect = np.log(tray_sides[:, 0] / tray_sides[:, 1])[:, None] - np.log(
        sides[:, 0] / sides[:, 1]
    )
    similarity = np.where(np.abs(aspect) <= aspect_tolerance, tray_vectors @ cutout_vectors.T, -1)
    best = similarity.argmax(axis=1)  # (T,)
    score = similarity.max(axis=1)
    good = score >= max(float(np.quantile(score, 1 - keep)), 0.0)
    factor = 0.5 * np.log(tray_sides.prod(axis=1) / sides[best].prod(axis=1))
    return [(cutouts[b].group, float(f)) for b, f, g in zip(best, factor, good, strict=True) if g]


def pool_sizes(
    matches: Sequence[tuple[Group, float]],
    groups: Sequence[Group],
    *,
    prior_weight: float = 2.0,
) -> dict[Group, float]:
    """Size factor of every group: its own median, drawn towards its SKU's, that to the store's.

    Few matches prove little: a level with n matches weighs n against `prior_weight` of the level
    above. Without any match the store's median is left, that is: a rig at fixed distance.

    Returns:
        Factor (px of a scene 1000 px wide per px of the cut-out) by group; empty without any match.
    """
    if not matches:
        return {}
    store = float(np.median([factor for _, factor in matches]))
    by_sku = _by(matches, lambda group: group[0])
    by_group = _by(matches, lambda group: group)
    pooled: dict[Group, float] = {}
    for group in groups:
        sku = _shrink(by_sku.get(group[0], []), store, prior_weight)
        pooled[group] = float(np.exp(_shrink(by_group.get(group, []), sku, prior_weight)))
    return pooled


def _by(matches: Sequence[tuple[Group, float]], key: object) -> Mapping[object, list[float]]:
    found: dict[object, list[float]] = {}
    for group, factor in matches:
        found.setdefault(key(group), []).append(factor)  # type: ignore[operator]
    return found


def _shrink(factors: Sequence[float], towards: float, weight: float) -> float:
    """Median of log factors, weighed against a prior that counts as `weight` observations."""
    if not factors:
        return towards
    own = float(np.median(factors))
    return (len(factors) * own + weight * towards) / (len(factors) + weight)


def rotate_cutout(
    rgba: NDArray[np.uint8], degrees: float, backdrop: ArrayLike
) -> NDArray[np.uint8]:
    """A cut-out (H, W, 4) rotated about its middle on a plain backdrop, tight on its mask."""
    height, width = rgba.shape[:2]
    matrix = np.asarray(cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0), np.float64)
    side = math.ceil(math.hypot(width, height)) + 2
    matrix[:, 2] += side / 2 - np.array([width, height]) / 2
    rotated = cv2.warpAffine(rgba, matrix, (side, side), flags=cv2.INTER_LINEAR)
    box = mask_to_box(rotated[..., 3] > 127)
    if box is None:
        return np.zeros((1, 1, 3), np.uint8)
    x1, y1, x2, y2 = box
    alpha = rotated[y1:y2, x1:x2, 3:].astype(np.float32) / 255
    mixed = rotated[y1:y2, x1:x2, :3] * alpha + np.asarray(backdrop, np.float32) * (1 - alpha)
    return np.asarray(mixed.round().astype(np.uint8))


def estimate_sizes(
    cutouts: CutoutSet,
    crops: Sequence[NDArray[np.uint8]],
    tray_sides: FloatArray,
    embed: Callable[[Iterable[NDArray[np.uint8]]], NDArray[np.float32]],
    *,
    turns: int = 8,
    per_group: int = 4,
    long_side: int = 128,
) -> tuple[CutoutSet, dict[Group, int]]:
    """Give every cut-out the scale that its look-alikes on unlabelled trays tell.

    Args:
        cutouts: of a store, with whatever scales.
        crops: T pictures, RGB, one for each box that a class-agnostic detector is sure of.
        tray_sides: (T, 2), width and height of the boxes in px of a scene 1000 px wide.
        embed: pictures to vectors of unit length (`rpc.features.backbones.embedding.Embedder`).
        turns: of each cut-out, spread over 360 degrees.
        per_group: cut-outs of each SKU and camera that are tried, the likeliest ones.
        long_side: cut-outs are shrunk to it beforehand; what they look like at 128 px is enough.

    Returns:
        The cut-outs with new scales, and the number of matches of each group. Without any
        match the scales stay as they were.
    """
    if not crops:
        return cutouts, {}
    backdrop = np.median([_border_colour(crop) for crop in crops], axis=0)
    groups = sorted({_group(c) for c in cutouts.cutouts}, key=str)
    rotated: list[RotatedCutout] = []

    def pictures() -> Iterable[NDArray[np.uint8]]:
        for group in groups:
            members = [c for c in cutouts.kept() if _group(c) == group and c.weight > 0]
            members.sort(key=lambda c: -c.weight * c.quality)
            for cutout in members[:per_group]:
                rgba = cutouts.read(cutout)
                shrink = min(long_side / max(rgba.shape[:2]), 1.0)
                small = np.asarray(
                    cv2.resize(rgba, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA),
                    np.uint8,
                )
                for turn in range(turns):
                    picture = rotate_cutout(small, 360 * turn / turns, backdrop)
                    height, width = picture.shape[:2]
                    rotated.append(RotatedCutout(group, width / shrink, height / shrink))
                    yield picture

    vectors = embed(pictures())
    matches = match_sizes(embed(crops), tray_sides, vectors, rotated)
    factors = pool_sizes(matches, groups)
    if not factors:
        return cutouts, {}
    scaled = tuple(replace(c, scale=factors[_group(c)]) for c in cutouts.cutouts)
    counts = {group: sum(g == group for g, _ in matches) for group in groups}
    return replace(cutouts, cutouts=scaled), counts


def _group(cutout: Cutout) -> Group:
    return (cutout.category_id, cutout.camera)


def _border_colour(picture: NDArray[np.uint8]) -> FloatArray:
    """Median colour of the corners, where a rotated product leaves the tray in sight."""
    corners = picture[[0, 0, -1, -1], [0, -1, 0, -1]]
    return np.asarray(np.median(corners, axis=0))
