"""Where the items lie: a heap in which, by their masks, every item stays in sight."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from rpc.structures.boxes import box_areas, intersection_areas
from synth.compose.config import SceneConfig
from synth.compose.heap import Corner, Heap, OwnerMap
from synth.compose.warp import Patch

TRIES = 96  # places drawn around the heap for an item; half as many anywhere on the tray
_CLEAR = 0.97  # what stays in sight of an item that is not meant to lie under another
_CUT = 0.2  # how much of its side an item may reach out of the image
# Of 2,574 items on real and simulated trays 2 have more than this share of their box in another
# item's box: what lies there on a photo is nearly always a part of the other one.
_WITHIN = 0.85
_NESTED = 0.02  # share of the items that may lie so nevertheless


@dataclass(frozen=True, eq=False)
class Placement:
    """Places of N items.

    Attributes:
        corners: (x, y) of each patch's upper left pixel; may be negative.
        owners: (H, W) int16, the item in sight at each pixel, -1 where the tray shows.
    """

    corners: tuple[Corner, ...]
    owners: OwnerMap


@dataclass(frozen=True)
class HeapPlan:
    """The random values drawn once for a scene, so that a smaller copy of it makes a like heap.

    Attributes:
        centre: of the heap, as fractions of width and height.
        spread: standard deviation of the heap as a fraction of the shorter side.
        floors: fraction of each item that is to stay in sight.
        least: fraction of every item that must stay in sight even on a crowded tray.
        cut: whether each item may reach out of the image.
        nested: whether each item's box may lie in another's, or another's in its own.
    """

    centre: tuple[float, float]
    spread: float
    floors: tuple[float, ...]
    least: float
    cut: tuple[bool, ...]
    nested: tuple[bool, ...]


def draw_plan(rng: np.random.Generator, num_items: int, config: SceneConfig) -> HeapPlan:
    """Draw the heap's centre and spread, and which items may lie under others."""
    low, high = (math.log(value) for value in config.spread)
    clear = max(_CLEAR, config.min_visible)
    may_hide = rng.random(num_items) < config.overlap
    floors = np.where(may_hide, rng.uniform(config.min_visible, clear, num_items), clear)
    x, y = rng.uniform(0.4, 0.6, 2)
    return HeapPlan(
        centre=(float(x), float(y)),
        spread=math.exp(rng.uniform(low, high)),
        floors=tuple(floors.tolist()),
        least=config.min_visible,
        cut=tuple((rng.random(num_items) < config.cut_by_border).tolist()),
        nested=tuple((rng.random(num_items) < _NESTED).tolist()),
    )


def place_items(
    rng: np.random.Generator, patches: Sequence[Patch], plan: HeapPlan, width: int, height: int
) -> Placement | None:
    """Lay items down one after the other, each on top of the earlier ones.

    An item lies at the first place that leaves the others as clear as planned; places are drawn
    around the heap's centre, ever farther out, as items slide off a heap. Where there is none, it
    lies where it hides the others least, if all keep `plan.least`: a crowded tray overlaps more.
    Boxes within others' boxes are kept for the few items that `plan.nested` names, and for those
    that find no other place.

    Returns:
        The placement; None where an item found no place.
    """
    heap = Heap(width, height, [patch.area for patch in patches])
    planned, least = np.asarray(plan.floors), np.full(len(patches), plan.least)
    corners: list[Corner] = []
    boxes = np.zeros((0, 4))
    for patch, cut, nested in zip(patches, plan.cut, plan.nested, strict=True):
        candidates = _draw_corners(rng, patch, plan, cut, width, height)
        apart = candidates if nested else _apart(candidates, patch, boxes)
        place = _first(heap, patch, apart, planned)
        if place is None:
            harm = partial(_harm, heap, patch)
            place = _first(heap, patch, sorted(apart, key=harm), least)
            if place is None and not nested:
                place = _first(heap, patch, sorted(candidates, key=harm), least)
        if place is None:
            return None
        heap.add(patch.mask, place)
        corners.append(place)
        boxes = np.concatenate([boxes, _boxes([place], patch)])
    return Placement(tuple(corners), heap.owners)


def _boxes(corners: Sequence[Corner], patch: Patch) -> np.ndarray:
    """The boxes (C, 4), x1 y1 x2 y2, of a patch at C corners."""
    low = np.asarray(corners, dtype=np.float64).reshape(-1, 2)
    return np.concatenate([low, low + patch.mask.shape[::-1]], axis=1)


def _apart(candidates: Sequence[Corner], patch: Patch, boxes: np.ndarray) -> list[Corner]:
    """The corners at which no box lies in another: the patch's (h, w) and the M boxes (M, 4)."""
    own = _boxes(candidates, patch)
    shared = intersection_areas(own, boxes)  # (C, M)
    smaller = np.minimum(box_areas(own)[:, None], box_areas(boxes)[None])
    inside = (shared > _WITHIN * smaller).any(axis=1)
    return [candidates[row] for row in np.flatnonzero(~inside).tolist()]


def _harm(heap: Heap, patch: Patch, corner: Corner) -> float:
    """How far an item at this corner would hide another one: low is good."""
    return -heap.worst(patch.mask, corner)


def _first(
    heap: Heap, patch: Patch, candidates: Sequence[Corner], floors: np.ndarray
) -> Corner | None:
    return next((c for c in candidates if heap.accepts(patch.mask, c, floors)), None)


def _draw_corners(
    rng: np.random.Generator, patch: Patch, plan: HeapPlan, cut: bool, width: int, height: int
) -> list[Corner]:
    """Corners to try, in order: around the heap's centre, farther out, anywhere; may be none.

    As many numbers are drawn whatever the item's size, so that later draws do not shift.
    """
    growth = 1 + 3 * np.arange(TRIES)[:, None] / TRIES
    steps = rng.standard_normal((TRIES, 2)) * growth * plan.spread * min(width, height)
    anywhere = rng.random((TRIES // 2, 2))
    frame = np.array([width, height])
    size = np.array([patch.mask.shape[1], patch.mask.shape[0]])
    room = np.floor(_CUT * size).astype(int) if cut else np.zeros(2, dtype=int)
    around = np.rint(np.asarray(plan.centre) * frame + steps - size / 2).astype(int)
    spread = np.floor(anywhere * (frame + 2 * room - size + 1)).astype(int) - room
    corners = np.concatenate([around, spread])
    inside = ((corners >= -room) & (corners + size <= frame + room)).all(axis=1)
    return [(x, y) for x, y in corners[inside].tolist()]
