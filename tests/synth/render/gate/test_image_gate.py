"""Every fault injected in a drawn scene is caught; what any camera does passes."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.render.apply.sheet import marked, rows_sheet
from synth.render.gate.image_gate import REASONS, Thresholds, judge
from synth.render.gate.injected import FAULTS, ON_BOARD, camera_change, inject
from synth.render.gate.repair import can_repair, repair
from synth.render.gate.structure import structure, views
from tests.synth.render.drawn_trays import tray


def injected_in(seed, fault):
    """A scene, its masks, and a camera's picture of it with the fault."""
    rgb, masks, _ = tray(seed, 5)
    for item in range(len(masks)):
        rng = np.random.default_rng([seed, item])
        found = inject(rgb, masks, item, fault, rng)
        if found is not None:
            return rgb, masks, camera_change(found[0], rng), found[1]
    raise AssertionError(f"no room for {fault} in tray {seed}")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_injected_fault_is_caught_on_the_item_it_hurt(fault):
    for seed in (20, 21):
        rgb, masks, hurt_image, hurt = injected_in(seed, fault)
        verdict = judge(rgb, hurt_image, masks)
        if fault in ON_BOARD:
            assert verdict.strays.any()
            assert verdict.faulty == []
        else:
            assert set(hurt) <= set(verdict.faulty)
            assert set(verdict.faulty) <= set(hurt)


def test_what_cameras_do_passes_but_for_one_item_in_a_hundred():
    alarms = items = 0
    for seed in range(17):
        rgb, masks, _ = tray(seed, 6)
        verdict = judge(rgb, camera_change(rgb, np.random.default_rng(seed)), masks)
        alarms += len(verdict.reasons)
        items += len(verdict.items)
    assert items > 100
    assert alarms <= 1


@given(st.integers(0, 5), st.tuples(*[st.floats(0.6, 1.15)] * 3))
@settings(max_examples=10, deadline=None)
def test_exposure_and_white_balance_alone_never_make_a_fault(seed, gains):
    rgb, masks, _ = tray(seed, 6)
    other = (rgb * np.array(gains)).round().clip(0, 255).astype(np.uint8)
    assert judge(rgb, other, masks).faulty == []


def test_a_scene_is_not_at_fault_beside_itself():
    rgb, masks, _ = tray(1, 6)
    verdict = judge(rgb, rgb, masks)
    assert verdict.passed
    for view in verdict.items.values():
        found = view.structure
        assert found.fine == pytest.approx(1, abs=1e-4)
        assert found.shift == 0
        assert view.colour.tone == pytest.approx(0, abs=1e-6)


def test_a_board_of_another_colour_is_no_fault():
    rgb, masks, _ = tray(2, 5)
    other = rgb.copy()
    board = ~np.any(masks, axis=0)
    other[board] = (rgb[board] * np.array([0.7, 0.9, 1.1])).clip(0, 255).astype(np.uint8)
    assert judge(rgb, other, masks).faulty == []


@pytest.mark.parametrize("pixels", [2, 4, 7])
def test_the_way_that_an_item_moved_is_measured(pixels):
    rgb, masks, _ = tray(3, 4)
    move = np.array([[1, 0, pixels], [0, 1, 0]], float)
    moved = cv2.warpAffine(rgb, move, rgb.shape[:2], borderMode=cv2.BORDER_REPLICATE)
    for mask in masks:
        found = structure(views(rgb), views(moved), mask)
        assert found.shift == pytest.approx(pixels, abs=1)
        assert found.gain > 0.05


def test_an_encoder_is_asked_in_doubt_only():
    rgb, masks, _ = tray(4, 4)
    asked = []

    def embed(pictures):
        asked.append(len(pictures))
        return np.array([[1, 0], [0, 1]], np.float32)

    assert judge(rgb, rgb, masks, embed=embed).passed
    assert asked == []
    doubting = replace(Thresholds(), doubt=1.1)
    verdict = judge(rgb, rgb, masks, doubting, embed)
    assert asked == [2] * 4
    assert verdict.reasons == ["encoder"] * 4


def test_items_out_of_sight_and_empty_trays_are_left_alone():
    rgb, masks, _ = tray(5, 2)
    hidden = np.zeros_like(masks[0])
    assert list(judge(rgb, rgb, [masks[0], hidden, masks[1]]).items) == [0, 2]
    empty = judge(rgb, rgb, [])
    assert empty.passed
    assert empty.items == {}


def test_a_sliver_is_judged_by_its_colour_alone():
    rgb, masks, _ = tray(5, 3)
    sliver = np.zeros_like(masks[0])
    rows, columns = np.nonzero(masks[0])
    sliver[rows[500:560], columns[500:560]] = True
    red = rgb.copy()
    red[sliver] = (255, 0, 0)
    assert judge(rgb, red, [sliver, *masks[1:]]).reasons[0] == "colour"


def test_images_of_different_sizes_are_refused():
    rgb, masks, _ = tray(6, 2)
    with pytest.raises(ValueError, match="of one size"):
        judge(rgb, rgb[:-1], masks)


@pytest.mark.parametrize("fault", ["shift 10%", "replaced", "hue", "wiped", "yellow blob"])
def test_a_repair_brings_the_product_back_and_passes(fault):
    rgb, masks, hurt_image, _ = injected_in(21, fault)
    verdict = judge(rgb, hurt_image, masks)
    assert can_repair(verdict)
    fixed = repair(rgb, hurt_image, masks, verdict)
    assert judge(rgb, fixed, masks).passed
    sound = np.any([masks[row] for row in verdict.items if row not in verdict.faulty], axis=0)
    inner = cv2.erode(sound.astype(np.uint8), np.ones((9, 9))) > 0
    assert np.array_equal(fixed[inner], hurt_image[inner])


def test_a_repair_takes_the_renders_colours_not_the_scenes():
    rgb, masks, _ = tray(23, 5)
    warm = (rgb * np.array([0.8, 0.65, 0.5])).astype(np.uint8)
    hurt = warm.copy()
    hurt[masks[0]] = (120, 120, 120)
    fixed = repair(rgb, hurt, masks, judge(rgb, hurt, masks))
    inner = cv2.erode(masks[0].astype(np.uint8), np.ones((7, 7))) > 0
    assert np.abs(fixed[inner].astype(int) - warm[inner]).mean() < 6


def test_an_image_whose_products_are_nearly_all_wrong_cannot_be_repaired():
    rgb, masks, _ = tray(24, 5)
    hurt = rgb.copy()
    for mask in masks[:4]:
        hurt[mask] = np.random.default_rng(0).integers(0, 255, (int(mask.sum()), 3))
    assert not can_repair(judge(rgb, hurt, masks))


def test_a_sound_rendering_is_not_touched_by_repair():
    rgb, masks, _ = tray(25, 4)
    other = camera_change(rgb, np.random.default_rng(0))
    assert repair(rgb, other, masks, judge(rgb, other, masks)) is other


def test_a_sheet_outlines_what_is_wrong_and_nothing_else():
    rgb, masks, hurt_image, hurt = injected_in(20, "erased")
    shown = marked(hurt_image, masks, judge(rgb, hurt_image, masks))
    changed = (shown != hurt_image).any(axis=2)
    around = cv2.dilate(masks[hurt[0]].astype(np.uint8), np.ones((9, 9))) > 0
    assert changed.any()
    assert not changed[~around].any()
    sheet = rows_sheet([[rgb, shown, rgb]] * 3, across=2)
    assert sheet.dtype == np.uint8
    with pytest.raises(ValueError, match="one row of pictures or more"):
        rows_sheet([])


def test_every_reason_has_its_name_once():
    assert len(set(REASONS)) == len(REASONS)
