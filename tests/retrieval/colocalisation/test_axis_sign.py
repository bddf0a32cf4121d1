"""Which end of an axis is the object: injected sets whose object fills a tenth to nine tenths."""

import numpy as np
import pytest

from rpc.retrieval.colocalisation import axis_sign
from rpc.retrieval.colocalisation.axis_sign import evidence, signs_disagree
from rpc.retrieval.colocalisation.ddt import fit_axes
from tests.retrieval.injected import filled_set

SEEDS = 20
SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def rights(share, rectified, **options):
    """Of each injected set whether P is higher on the object than off it, and its axis."""
    found = []
    for seed in range(SEEDS):
        maps, masks = filled_set(share, seed, rectified=rectified, **options)
        axis = fit_axes([[m] for m in maps])[0]
        values = np.concatenate([axis.indicator(m).ravel() for m in maps])
        there = np.concatenate([m.ravel() for m in masks])
        found.append((values[there].mean() > values[~there].mean(), axis))
    return found


@pytest.mark.parametrize("rectified", [True, False])
@pytest.mark.parametrize("share", SHARES)
def test_the_object_is_the_positive_end_whatever_share_of_the_photos_it_fills(share, rectified):
    found = rights(share, rectified)
    assert sum(right for right, _ in found) >= 0.95 * SEEDS
    assert all(axis.rule == "skewness and border gap" for _, axis in found)


def test_without_the_border_gap_large_objects_are_taken_for_background(monkeypatch):
    monkeypatch.setattr(axis_sign, "GAP_WEIGHT", 0.0)
    assert sum(right for right, _ in rights(0.8, False)) <= 0.2 * SEEDS


def test_without_skewness_small_objects_at_the_edge_are_taken_for_background():
    maps = [np.zeros((2, 8, 8)) for _ in range(3)]
    for features in maps:
        features[:, 0, 2:4] = [[1], [-2]]
    axis = fit_axes([[m] for m in maps])[0]
    assert axis.indicator(maps[0])[0, 2] > 0
    assert axis.border_gap < 0 < axis.skewness
    assert axis.signs_disagree


@pytest.mark.parametrize("share", [0.6, 0.8])
def test_an_object_that_is_the_lower_part_of_every_photo_is_right(share):
    assert all(right for right, _ in rights(share, True, place="below"))


def test_a_large_object_inside_the_photos_is_right_and_told_to_deserve_a_look():
    found = rights(0.8, False)
    assert sum(axis.signs_disagree for _, axis in found) >= 0.8 * SEEDS
    assert not any(axis.signs_disagree for _, axis in rights(0.2, False))


def test_turning_an_axis_turns_its_evidence():
    axis = np.array([0.6, -0.8])
    one, rule = evidence(axis, 0.5, 0.7)
    assert evidence(-axis, -0.5, -0.7) == (-one, rule)
    assert one == pytest.approx(0.5 + 2 * 0.7)


def test_where_nothing_speaks_the_first_of_the_largest_coefficients_is_positive():
    axis = np.array([-1, 1]) / np.sqrt(2)
    assert evidence(axis, 0.0, 0.0) == (axis[0], "largest coefficient")


def test_signs_disagree_where_one_is_above_0_and_the_other_below():
    assert signs_disagree(1.0, -0.2)
    assert signs_disagree(-1.0, 0.8)
    assert not signs_disagree(1.0, 0.2)
    assert not signs_disagree(1.0, 0.0)
