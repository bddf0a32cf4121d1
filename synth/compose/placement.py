"""Where the items lie: a heap in which, by their masks, every item stays in sight.

Key: an owner map (H, W) int16 holds for each pixel the item on top, -1 for none. Later items lie
on top of earlier ones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synth.compose.config import SceneConfig
from synth.compose.warp import Patch

OwnerMap = NDArray[np.int16]

TRIES = 96  # places tried for an item before the scene is made smaller
_CLEAR = 0.97  # what stays in sight of an item that is not meant to lie under another
_CUT = 0.2  # how much of its side an item may reach out of the image
_COARSE = 160  # a place is looked at on a grid of so many points a side before each pixel counts


@dataclass(frozen=True, eq=False)
class Placement:
    """Places of N items.

    Attributes:
        corners: (x, y) of each patch's upper left pixel; may be negative.
        owners: (H, W), the item in sight at each pixel, -1 where the tray shows.
        visible: fraction of each item's whole extent, outside the image included, in sight.
    """

    corners: tuple[tuple[int, int], ...]
    owners: OwnerMap
    visible: tuple[float, ...]


@dataclass(frozen=True)
class HeapPlan:
    """What is drawn once for a scene, so that a smaller copy of it makes the same heap.

    Attributes:
        centre: of the heap, as fractions of width and height.
        spread: standard deviation of the heap as a fraction of the shorter side.
        floors: fraction of each item that must stay in sight.
        cut: whether each item may reach out of the image.
    """

    centre: tuple[float, float]
    spread: float
    floors: tuple[float, ...]
    cut: tuple[bool, ...]


def draw_plan(rng: np.random.Generator, num_items: int, config: SceneConfig) -> HeapPlan:
    """Draw the heap's centre and spread, and which items may lie under others."""
    low, high = (math.log(value) for value in config.spread)
    clear = max(_CLEAR, config.min_visible)
    may_hide = rng.random(num_items) < config.overlap
    floors = np.where(may_hide, rng.uniform(config.min_visible, clear, num_items), clear)
    return HeapPlan(
        centre=tuple(rng.uniform(0.4, 0.6, 2)),
        spread=math.exp(rng.uniform(low, high)),
        floors=tuple(floors.tolist()),
        cut=tuple((rng.random(num_items) < config.cut_by_border).tolist()),
    )


def place_items(
    rng: np.random.Generator, patches: Sequence[Patch], plan: HeapPlan, width: int, height: int
) -> Placement | None:
    """Lay items down one after the other, each at the first place that hides nobody too much.

    Places are drawn around the heap's centre, ever farther out, as items slide off a heap.

    Returns:
        The placement; None where an item found no place in `TRIES` draws.
    """
    heap = _Heap(width, height, [patch.area for patch in patches], plan.floors)
    corners = []
    for number, patch in enumerate(patches):
        candidates = _draw_corners(rng, patch, plan, plan.cut[number], width, height)
        place = next((c for c in candidates if heap.accepts(number, patch, c)), None)
        if place is None:
            return None
        heap.add(number, patch, place)
        corners.append(place)
    visible = tuple((heap.in_sight / np.maximum(heap.areas, 1)).tolist())
    return Placement(tuple(corners), heap.owners, visible)


class _Heap:
    """The owner map with what is in sight of each item."""

    def __init__(
        self, width: int, height: int, areas: Sequence[int], floors: Sequence[float]
    ) -> None:
        self.owners = np.full((height, width), -1, dtype=np.int16)
        self.areas = np.asarray(areas, dtype=np.int64)
        self.in_sight = np.zeros(len(areas), dtype=np.int64)
        self._least = np.asarray(floors) * self.areas
        self._step = max(1, min(width, height) // _COARSE)

    def accepts(self, number: int, patch: Patch, corner: tuple[int, int]) -> bool:
        """Whether everybody stays in sight with this item there: by a grid first, then exactly."""
        window, part = clip_window(patch.mask, corner, self.owners.shape)
        owners, mask = self.owners[window], patch.mask[part]
        step = self._step
        if step > 1:
            lost = self._lost(owners[::step, ::step], mask[::step, ::step]) * step * step
            # A grid errs by a few points: only what is clearly too much is turned away here.
            if (self.in_sight - lost < self._least - 0.04 * self.areas)[:number].any():
                return False
        lost = self._lost(owners, mask)
        own = int(np.count_nonzero(mask)) >= self._least[number]
        return bool(own and (self.in_sight - lost >= self._least)[:number].all())

    def add(self, number: int, patch: Patch, corner: tuple[int, int]) -> None:
        window, part = clip_window(patch.mask, corner, self.owners.shape)
        owners, mask = self.owners[window], patch.mask[part]
        self.in_sight -= self._lost(owners, mask)
        self.in_sight[number] = np.count_nonzero(mask)
        np.copyto(owners, np.int16(number), where=mask.astype(bool))

    def _lost(self, owners: OwnerMap, mask: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Pixels that each item would lose."""
        hidden = owners[mask.astype(bool)] + 1
        return np.bincount(hidden, minlength=len(self.areas) + 1)[1:]


def clip_window(
    mask: NDArray[np.uint8], corner: tuple[int, int], shape: tuple[int, ...]
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Where a patch (h, w) at `corner` lies in an image of `shape`, and which part of it does."""
    (x, y), (h, w) = corner, mask.shape[:2]
    top, bottom = max(y, 0), max(min(y + h, shape[0]), 0)
    left, right = max(x, 0), max(min(x + w, shape[1]), 0)
    window = (slice(top, bottom), slice(left, right))
    return window, (slice(top - y, bottom - y), slice(left - x, right - x))


def _draw_corners(
    rng: np.random.Generator, patch: Patch, plan: HeapPlan, cut: bool, width: int, height: int
) -> list[tuple[int, int]]:
    """Corners to try, in order: around the heap's centre, ever farther out; may be none.

    As many numbers are drawn whatever the item's size, so that later draws do not shift.
    """
    growth = 1 + 3 * np.arange(TRIES)[:, None] / TRIES
    steps = rng.standard_normal((TRIES, 2)) * growth * plan.spread * min(width, height)
    frame = np.array([width, height])
    size = np.array([patch.mask.shape[1], patch.mask.shape[0]])
    corners = np.rint(plan.centre * frame + steps - size / 2).astype(int)
    room = np.floor(_CUT * size).astype(int) if cut else np.zeros(2, dtype=int)
    inside = ((corners >= -room) & (corners + size <= frame + room)).all(axis=1)
    return [(int(x), int(y)) for x, y in corners[inside]]
