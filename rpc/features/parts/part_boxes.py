"""Boxes of an object's parts from its key points, and boxes as layouts: where a part lies in it.

Key: N photos, P key points, G parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

MARGIN: Final = 0.1  # of the object's size, around the points: a point lies inside what it names
LEAST: Final = 0.25  # of the object's size, the least side: one point alone has no extent


def part_boxes(
    points: Floats, objects: Floats, groups: Sequence[Sequence[int]], side: float
) -> NDArray[np.float64]:
    """Boxes of parts: around the key points in sight, grown, and cut to the photo.

    The rule: the smallest box around the points of a group that are in sight, `MARGIN` of the
    object's size wider on each side, at least `LEAST` of the object's size in width and height (its
    middle kept). The object's size is the square root of its box's area.

    Args:
        points: (N, P, 3), x and y in px, and above 0 where it is in sight.
        objects: (N, 4), x1, y1, x2, y2 px.
        groups: numbers of the points of each of G parts, from 0.
        side: of the square photos, px.

    Returns:
        (N, G, 4); NaN where no point of a part is in sight or what is left is no pixel wide.

    Raises:
        ValueError: an empty group, or a number that is no point's.
    """
    count = points.shape[1]
    if bad := [g for g in groups if not len(g) or not 0 <= min(g) <= max(g) < count]:
        raise ValueError(f"groups: expected numbers from 0 to {count - 1}, got {list(bad[0])}")
    size = np.sqrt(np.prod(objects[:, 2:] - objects[:, :2], axis=1).clip(0))[:, None]  # (N, 1)
    made = np.full((len(points), len(groups), 4), np.nan)
    for number, group in enumerate(groups):
        own = points[:, list(group)].astype(np.float64)
        hidden = own[:, :, 2:] <= 0  # (N, p, 1)
        low = np.where(hidden, np.inf, own[:, :, :2]).min(axis=1)
        high = np.where(hidden, -np.inf, own[:, :, :2]).max(axis=1)
        there = np.isfinite(low).all(axis=1)
        low, high = low[there], high[there]
        half = np.maximum((high - low) / 2 + MARGIN * size[there], LEAST / 2 * size[there])
        middle = (low + high) / 2
        made[there, number] = np.concatenate([middle - half, middle + half], axis=1).clip(0, side)
    made[((made[..., 2:] - made[..., :2]) < 1).any(axis=-1)] = np.nan
    return made


def layouts_of(parts: Floats, objects: Floats) -> NDArray[np.float64]:
    """Where parts lie in their objects, and how large: the same at any place and scale.

    Args:
        parts: (..., 4), x1, y1, x2, y2.
        objects: (..., 4), to be broadcast against the parts.

    Returns:
        (..., 4): x and y of the part's middle from the object's middle, in shares of the object's
        width and height; logarithms of the part's width and height in such shares.
    """
    sides = np.maximum(objects[..., 2:] - objects[..., :2], 1e-6)
    own = np.maximum(parts[..., 2:] - parts[..., :2], 1e-6)
    away = (parts[..., :2] + parts[..., 2:] - objects[..., :2] - objects[..., 2:]) / 2
    return np.concatenate([away / sides, np.log(own / sides)], axis=-1).astype(np.float64)


def overflow(parts: Floats, objects: Floats) -> NDArray[np.float64]:
    """By how many px at most a part reaches out of an object, (...); 0 inside it."""
    out = np.concatenate(
        [objects[..., :2] - parts[..., :2], parts[..., 2:] - objects[..., 2:]], axis=-1
    )
    return np.asarray(out.max(axis=-1).clip(0), np.float64)
