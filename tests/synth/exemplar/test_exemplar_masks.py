"""Mask geometry, clean-up and quality, against shapes that are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rpc.structures import mask_to_box
from synth.exemplar.cleanup import clean_mask, cut_out, extend_colours, soft_alpha
from synth.exemplar.mask_shape import (
    box_fit,
    convex_hull,
    fill_holes,
    main_part,
    rectangle_sides,
    solidity,
)
from synth.exemplar.quality import consistency, judge_mask, outline_contrast


def block(x1, y1, x2, y2, side=80):
    mask = np.zeros((side, side), dtype=bool)
    mask[y1:y2, x1:x2] = True
    return mask


masks = st.integers(0, 2**32 - 1).map(lambda s: np.random.default_rng(s).random((24, 31)) > 0.6)


@settings(deadline=None)
@given(masks)
def test_filling_holes_only_adds_and_a_second_time_changes_nothing(mask):
    filled = fill_holes(mask)
    assert (filled | ~mask).all()
    assert (fill_holes(filled) == filled).all()


@settings(deadline=None)
@given(masks)
def test_the_hull_holds_the_mask_and_solidity_is_a_fraction(mask):
    assert (convex_hull(mask) | ~mask).all()
    assert 0 <= solidity(mask) <= 1


def test_a_ring_is_filled_and_an_open_bay_is_not():
    ring = block(10, 10, 40, 40) & ~block(20, 20, 30, 30)
    assert fill_holes(ring).sum() == 900
    bay = block(10, 10, 40, 40) & ~block(20, 20, 40, 30)
    assert fill_holes(bay).sum() == bay.sum()


def test_the_main_part_is_the_one_in_the_box_not_the_largest():
    mask = block(5, 5, 15, 15) | block(30, 30, 70, 70)
    assert main_part(mask, (4, 4, 16, 16)).sum() == 100
    assert not main_part(mask, (18, 5, 25, 12)).any()


def test_box_fit_is_one_only_where_all_four_sides_are_touched():
    assert box_fit(block(10, 20, 50, 60), (10, 20, 50, 60)) == 1
    assert box_fit(block(10, 20, 50, 40), (10, 20, 50, 60)) == pytest.approx(0.5)
    assert box_fit(np.zeros((9, 9), bool), (1, 1, 5, 5)) == 0


def test_the_sides_of_a_rotated_rectangle_do_not_depend_on_the_turn():
    assert rectangle_sides(block(10, 10, 30, 70)) == pytest.approx((20, 60), abs=0.1)
    ys, xs = np.mgrid[:80, :80] - 40
    rotated = (abs(xs + ys) < 28 * 2**0.5) & (abs(xs - ys) < 10 * 2**0.5)
    assert rectangle_sides(rotated) == pytest.approx((20, 56), abs=2)
    assert rectangle_sides(np.zeros((5, 5), bool)) == (0, 0)


def test_cleaning_drops_specks_whiskers_holes_and_what_is_outside_the_box():
    truth = block(20, 20, 60, 60)
    dirty = truth & ~block(30, 30, 35, 35)
    dirty |= block(20, 62, 23, 65) | block(60, 40, 75, 41) | block(66, 10, 75, 60)
    clean = clean_mask(dirty.astype(np.float32), (20, 20, 62, 66))
    assert (clean ^ truth).mean() < 0.002


def test_a_product_in_two_parts_keeps_both_and_a_thin_one_is_not_shaved_away():
    two = block(10, 10, 30, 50) | block(34, 10, 50, 50)
    assert clean_mask(two.astype(np.float32), (10, 10, 50, 50)).sum() > 0.97 * two.sum()
    thin = block(10, 40, 70, 43)
    assert clean_mask(thin.astype(np.float32), (10, 40, 70, 43)).sum() >= 0.9 * thin.sum()


def test_alpha_is_soft_at_the_edge_full_inside_and_zero_outside():
    mask = block(20, 20, 60, 60)
    alpha = soft_alpha(mask)
    assert (alpha[24:56, 24:56] == 255).all()
    assert not alpha[:18].any()
    assert 0 < alpha[20, 40] < 255
    assert (alpha >= 128).sum() == pytest.approx(mask.sum(), rel=0.1)


def test_a_cut_out_is_tight_and_carries_no_halo():
    mask = block(20, 25, 60, 65)
    rgb = np.full((80, 80, 3), 250, dtype=np.uint8)
    rgb[mask] = (180, 20, 20)
    rgb[20:80, 18:21] = (230, 200, 200)  # a mixed edge, as a camera makes it
    rgba = cut_out(rgb, mask)
    visible = rgba[..., 3] > 0
    assert mask_to_box(visible) == (0, 0, rgba.shape[1], rgba.shape[0])
    assert (abs(rgba[visible][:, :3].astype(int) - (180, 20, 20)) <= 2).all()
    assert not rgba[~visible].any()


def test_colours_stay_where_a_product_is_too_thin_to_have_an_inside():
    mask = block(10, 40, 70, 42)
    rgb = np.random.default_rng(0).integers(0, 256, (80, 80, 3), dtype=np.uint8)
    assert (extend_colours(rgb, mask)[mask] == rgb[mask]).all()
    with pytest.raises(ValueError, match="empty"):
        cut_out(rgb, np.zeros((80, 80), bool))


def test_the_true_mask_of_a_photo_is_judged_good_and_wrong_ones_worse(photo):
    rgb, mask, box = photo
    good = judge_mask(rgb, mask, box)
    assert good.score > 0.95
    half = mask.copy()
    half[: (box[1] + box[3]) // 2] = False
    leaked = np.zeros_like(mask)
    leaked[box[1] - 20 : box[3] + 20, box[0] - 20 : box[2] + 20] = True
    for wrong in (half, leaked, np.zeros_like(mask)):
        assert judge_mask(rgb, wrong, box).score < 0.3


def test_an_outline_through_plain_colour_has_no_contrast(photo):
    rgb, mask, _ = photo
    assert outline_contrast(rgb, mask) > 0.95
    assert outline_contrast(np.full_like(rgb, 128), mask) == 0
    assert outline_contrast(rgb, np.ones_like(mask)) == 0


def test_one_odd_view_is_doubted_and_smooth_change_is_not():
    angle = np.arange(8) * 2 * np.pi / 8
    boxes = np.full(8, 1000.0)
    smooth = 700 + 150 * np.cos(angle)
    assert (consistency(smooth, boxes, np.arange(8)) == 1).all()
    odd = smooth.copy()
    odd[3] *= 0.3
    marks = consistency(odd, boxes, np.arange(8))
    assert marks[3] < 0.6
    assert (np.delete(marks, 3) == 1).all()
    assert (consistency([5, 900, 30], [1000] * 3, [0, 1, 2]) == 1).all()


@settings(deadline=None, max_examples=25)
@given(st.permutations(range(7)))
def test_consistency_does_not_depend_on_the_order_of_the_photos(order):
    rng = np.random.default_rng(3)
    areas, boxes = rng.uniform(200, 900, 7), np.full(7, 1000.0)
    plain = consistency(areas, boxes, np.arange(7))
    assert np.allclose(consistency(areas[order], boxes, np.arange(7)[order]), plain[order])
