"""Items overlap on a tray, but their boxes hardly ever lie within each other, as on real ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rpc.structures.boxes import box_areas, intersection_areas
from synth.compose.config import SceneConfig
from synth.compose.placement import HeapPlan, Placement, draw_plan, place_items
from synth.compose.warp import Patch

CONFIG = SceneConfig(overlap=1.0, cut_by_border=0.0, spread=(0.12, 0.12))
SIDES = (90, 90, 80, 30, 30, 24, 24)  # px: small items beside large ones


def patch(side: int) -> Patch:
    """A frame: much of what lies in its box does not hide it."""
    mask = np.ones((side, side), dtype=np.uint8)
    if side > 50:
        mask[8:-8, 8:-8] = 0
    rgb = np.zeros((side, side, 3), dtype=np.uint8)
    return Patch(rgb, mask * 255, mask, int(mask.sum()))


PATCHES = [patch(side) for side in SIDES]


def place(seed: int, nested: bool) -> Placement:
    rng = np.random.default_rng(seed)
    plan = draw_plan(rng, len(PATCHES), CONFIG)
    placed = place_items(rng, PATCHES, with_nested(plan, nested), 400, 400)
    assert placed is not None
    return placed


def with_nested(plan: HeapPlan, nested: bool) -> HeapPlan:
    return replace(plan, nested=(nested,) * len(PATCHES))


def lies_within(placed: Placement) -> bool:
    """Whether more than 0.85 of a box lies in another."""
    low = np.array(placed.corners, dtype=np.float64)
    boxes = np.concatenate([low, low + np.array(SIDES)[:, None]], axis=1)
    shared = intersection_areas(boxes, boxes) / np.minimum(
        box_areas(boxes)[:, None], box_areas(boxes)[None]
    )
    np.fill_diagonal(shared, 0)
    return bool((shared > 0.85).any())


def test_no_box_lies_within_another_but_of_the_few_that_may() -> None:
    assert not any(lies_within(place(seed, nested=False)) for seed in range(40))
    assert sum(lies_within(place(seed, nested=True)) for seed in range(40)) >= 20


def test_a_small_tray_still_takes_all_items() -> None:
    rng = np.random.default_rng(0)
    patches = [patch(90), patch(30)]
    plan = replace(draw_plan(rng, 2, CONFIG), nested=(False, False))
    placed = place_items(rng, patches, plan, 96, 96)  # the small one fits into the frame alone
    assert placed is not None


def test_few_items_may_lie_within_others() -> None:
    rng = np.random.default_rng(0)
    drawn = [draw_plan(rng, 20, CONFIG).nested for _ in range(500)]
    assert np.mean(drawn) == pytest.approx(0.02, abs=0.01)
