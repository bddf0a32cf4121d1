"""How large each product appears on a tray, read off unlabelled checkout photos.

A rig that frames every product to fill its photo loses the products' relative sizes, and no
exemplar tells them. Unlabelled trays do: a box that looks like some cut-out, turned by some
angle, shows how much smaller that cut-out is on a tray. Look-alikes may be mistaken for one another here without harm,
since they share their size. Labels of trays are never used.

Key: T boxes on trays, C turned cut-outs, D dimensions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Group = tuple[int, int | None]  # category id, camera


@dataclass(frozen=True)
class TurnedCutout:
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
    cutouts: Sequence[TurnedCutout],
    *,
    aspect_tolerance: float = 0.25,
    keep: float = 0.6,
) -> list[tuple[Group, float]]:
    """For each convincing match of a tray box with a turned cut-out, its group and log size factor.

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
    aspect = np.log(tray_sides[:, 0] / tray_sides[:, 1])[:, None] - np.log(sides[:, 0] / sides[:, 1])
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
    """Size factor of every group: its own median, drawn towards its SKU's, and that towards the store's.

    Few matches prove little: a level with n matches weighs n against `prior_weight` of the level above.
    Without any match the store's median is left, that is: a rig at fixed distance.

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
