"""Sizes that were injected on trays are read off again."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from rpc.data.cutouts import CutoutSet, read_cutouts
from rpc.inference.crops import fit_square
from synth.drawn import draw_cutouts
from synth.exemplar.apparent_size import (
    RotatedCutout,
    estimate_sizes,
    match_sizes,
    pool_sizes,
    rotate_cutout,
)

BACKDROP = (120, 130, 140)
FACTORS = {1: 0.3, 2: 0.9, 3: 0.5, 4: 0.7}  # px of a scene 1000 px wide per px of the cut-out


def embed(pictures):
    """The picture itself, small: enough where nothing but the size was changed."""
    rows = [fit_square(p, 24).astype(np.float32).ravel() - 127 for p in pictures]
    vectors = np.stack(rows) if rows else np.zeros((0, 24 * 24 * 3), np.float32)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)


@pytest.fixture(scope="module")
def cutouts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drawn")
    draw_cutouts(folder, len(FACTORS), seed=1)
    drawn = read_cutouts(folder)
    same = tuple(replace(c, scale=1.0) for c in drawn.cutouts)
    return CutoutSet(same, drawn.root, drawn.method)


@pytest.fixture(scope="module")
def crops(cutouts):
    """Each front view in eight turns and its injected size, as trays would show it."""
    pictures, sides = [], []
    for cutout in cutouts.kept():
        if "front" not in cutout.file:
            continue
        factor = FACTORS[cutout.category_id]
        for turn in range(8):
            picture = rotate_cutout(cutouts.read(cutout), 45 * turn, BACKDROP)
            sides.append([factor * picture.shape[1], factor * picture.shape[0]])
            size = (max(round(sides[-1][0]), 8), max(round(sides[-1][1]), 8))
            pictures.append(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))
    return pictures, np.array(sides)


def test_injected_sizes_are_recovered(cutouts, crops):
    scaled, matches = estimate_sizes(cutouts, *crops, embed)
    assert sum(matches.values()) >= 0.5 * len(crops[0])
    found = {c.category_id: c.scale for c in scaled.cutouts}
    for category_id, factor in FACTORS.items():
        assert found[category_id] == pytest.approx(factor, rel=0.05)


def test_without_any_crop_the_scales_stay(cutouts):
    scaled, matches = estimate_sizes(cutouts, [], np.zeros((0,)), embed)
    assert scaled is cutouts
    assert matches == {}


def test_a_box_of_another_shape_than_any_cutout_tells_nothing():
    one = np.ones((1, 1), np.float32)
    square = [RotatedCutout((1, None), 10, 10)]
    assert match_sizes(one, np.array([[90.0, 20.0]]), one, square) == []
    ((group, factor),) = match_sizes(one, np.array([[40.0, 40.0]]), one, square)
    assert group == (1, None)
    assert np.exp(factor) == pytest.approx(4)


def test_no_box_and_no_cutout_give_no_match():
    nothing = np.zeros((0, 0), np.float32)
    one = np.ones((1, 1), np.float32)
    assert match_sizes(nothing, np.zeros((0, 2)), one, [RotatedCutout((1, 0), 9, 9)]) == []
    assert match_sizes(one, np.ones((1, 2)), nothing, []) == []


def test_only_the_share_that_matches_best_is_kept():
    vectors = np.array([[np.cos(a), np.sin(a)] for a in np.linspace(0, 1, 10)], np.float32)
    cutout = [RotatedCutout((1, 0), 10, 10)]
    sides = np.arange(1.0, 11)[:, None].repeat(2, axis=1)
    matches = match_sizes(vectors, sides, vectors[:1], cutout, keep=0.4)
    assert sorted(10 * np.exp(f) for _, f in matches) == pytest.approx([1, 2, 3, 4])


def test_a_group_without_matches_has_its_skus_size_or_the_stores():
    matches = [((1, 0), np.log(0.2))] * 3 + [((2, 0), np.log(0.8))] * 4
    sizes = pool_sizes(matches, [(1, 0), (1, 1), (2, 0), (3, 0)], prior_weight=0.0)
    assert sizes[(1, 0)] == sizes[(1, 1)] == pytest.approx(0.2)
    assert sizes[(3, 0)] == pytest.approx(0.8)  # the store's median
    assert pool_sizes([], [(1, 0)]) == {}


def test_few_matches_are_drawn_towards_the_store():
    store = [((9, 0), np.log(1.0))] * 50
    sizes = {
        count: pool_sizes(store + [((1, 0), np.log(0.5))] * count, [(1, 0)])[(1, 0)]
        for count in (1, 5, 40)
    }
    assert 0.5 < sizes[40] < sizes[5] < sizes[1] < 1.0
    # One match against a weight of 2, twice: log(0.5) times 1 / 3 + 2 / 3 * 1 / 3.
    assert sizes[1] == pytest.approx(0.5 ** (1 / 3 + 2 / 9))


def test_one_wild_match_hardly_moves_a_group():
    matches = [((1, 0), np.log(0.5))] * 9
    calm = pool_sizes(matches, [(1, 0)])[(1, 0)]
    wild = pool_sizes([*matches, ((1, 0), np.log(50.0))], [(1, 0)])[(1, 0)]
    assert wild == pytest.approx(calm, rel=0.02)


@pytest.mark.parametrize(("degrees", "shape"), [(0, (20, 60)), (90, (60, 20)), (180, (20, 60))])
def test_a_rotated_cutout_is_tight_on_its_mask(degrees, shape):
    rgba = np.zeros((30, 80, 4), np.uint8)
    rgba[5:25, 10:70] = (200, 10, 10, 255)
    rotated = rotate_cutout(rgba, degrees, BACKDROP)
    np.testing.assert_allclose(rotated.shape[:2], shape, atol=1)
    assert (rotated[5:-5, 5:-5] == (200, 10, 10)).all()


def test_a_cutout_without_a_mask_is_one_pixel():
    assert rotate_cutout(np.zeros((5, 5, 4), np.uint8), 45, BACKDROP).shape == (1, 1, 3)
