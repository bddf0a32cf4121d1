"""Calibration curves: they never fall, and have the shape that the data were drawn by."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from rpc.counting.doubt.calibration import Calibration, log_odds
from rpc.counting.doubt.curve import FURTHEST, Curve
from rpc.counting.doubt.curve_fit import fit_curve, move_curve
from rpc.counting.doubt.fit import Decided, fit_calibration

rising = st.lists(st.floats(-8, 8), min_size=2, max_size=9, unique_by=lambda x: round(x, 3)).map(
    sorted
)


@given(rising, st.data())
def test_a_curve_goes_through_its_knots_and_never_falls(x, data):
    y = sorted(data.draw(st.lists(st.floats(-9, 9), min_size=len(x), max_size=len(x))))
    curve = Curve(tuple(zip(x, y, strict=True)))
    np.testing.assert_allclose(curve(np.array(x)), y, atol=1e-6)
    assert (np.diff(curve(np.linspace(-20, 20, 200))) >= -1e-9).all()


def test_a_curve_goes_straight_on_beyond_its_ends_and_without_knots_changes_nothing():
    curve = Curve(((0.0, 1.0), (1.0, 2.0), (2.0, 6.0)))
    assert curve(np.array([-1.0, 0.5, 3.0])).tolist() == [0.0, 1.5, 10.0]
    assert Curve()(np.array([-1.0, 3.0])).tolist() == [-1.0, 3.0]


@given(st.integers(0, 2**32 - 1), st.integers(0, 300), st.floats(0, 0.01))
def test_whatever_came_true_the_fit_never_falls(seed, count, lapse):
    rng = np.random.default_rng(seed)
    odds = rng.normal(2, 2, count)
    curve, found = fit_curve(odds, rng.random(count) < 0.6, 1.5, 0.0, lapse)
    assert (np.diff(curve(np.linspace(-5, 9, 60))) >= -1e-9).all()
    assert (found > 0) == (lapse > 0)


def test_the_fit_says_what_the_data_were_drawn_by():
    rng = np.random.default_rng(0)
    odds, there = rng.normal(1, 1.5, 20_000), np.linspace(-1.5, 3.5, 11)

    def true(x):
        return 0.97 * expit(1.2 * x + 0.3)

    curve, lapse = fit_curve(odds, rng.random(20_000) < true(odds), 1.5, 0.0, 0.001)
    np.testing.assert_allclose((1 - lapse) * expit(curve(there)), true(there), atol=0.015)


def test_where_nothing_was_decided_or_all_is_alike_there_is_no_curve():
    assert fit_curve(np.zeros(0), np.zeros(0, bool), 1.5, 0.2, 0.001) == (Curve(), 0.001)
    assert fit_curve(np.full(9, 2.0), np.ones(9, bool), 1.5, 0.2, 0.001) == (Curve(), 0.001)


def saturated(count, seed):
    """Shares that end at 0.98, as softened labels teach, and whether the name was right.

    From 0.9 on next to none is wrong, though 0.95 and 0.98 are no different in what they mean.
    """
    rng = np.random.default_rng(seed)
    sure = rng.random(count) < 0.9
    top = np.where(sure, rng.uniform(0.93, 0.98, count), rng.uniform(0.4, 0.93, count))
    return top, rng.random(count) < np.where(top > 0.9, 0.9998, expit(8 * (top - 0.55)))


def decided_of(top, right):
    shares = np.stack([top, 1 - top], axis=1)
    best = shares.argmax(axis=1)
    labels = np.where(right, best, 1 - best)
    return Decided(np.full(len(top), 0.9), shares, top > 0, labels, np.arange(len(top)) // 10, 0)


def test_a_recogniser_that_never_says_more_than_098_is_believed_where_it_is_sure():
    top, right = saturated(6000, 0)
    others, came = saturated(20_000, 1)
    sure = others > 0.93
    for bent, most in ((True, 3.0), (False, np.inf)):
        made = fit_calibration(decided_of(top, right), bent=bent)
        expected = (1 - made.likeliest(others[sure])).sum() / (~came[sure]).sum()
        assert expected < most
        if not bent:  # a line makes many times the errors of what is sure
            assert expected > 4
    doubtful = (others > 0.5) & (others < 0.7)
    made = fit_calibration(decided_of(top, right), bent=True)
    assert made.likeliest(others[doubtful]).mean() == pytest.approx(came[doubtful].mean(), abs=0.12)


def test_photos_move_the_curve_of_scenes_where_they_were_seen():
    scenes = fit_calibration(decided_of(*saturated(6000, 0)), bent=True)
    top, _ = saturated(2000, 2)
    worse = np.random.default_rng(3).random(2000) < scenes.likeliest(top) - 0.1 * (top < 0.9)
    moved = fit_calibration(decided_of(top, worse), scenes)
    doubtful = (top > 0.5) & (top < 0.8)
    assert moved.likeliest(top[doubtful]).mean() == pytest.approx(worse[doubtful].mean(), abs=0.08)
    assert moved.likeliest(top[doubtful]).mean() < scenes.likeliest(top[doubtful]).mean() - 0.05
    sure = top > 0.95
    doubt = [(1 - one.likeliest(top[sure])).mean() for one in (scenes, moved)]
    assert doubt[1] < 3 * doubt[0]


@given(st.integers(0, 2**32 - 1), st.integers(0, 60), st.floats(0, 0.01))
def test_a_moved_curve_never_falls_and_nothing_seen_moves_nothing(seed, count, lapse):
    rng = np.random.default_rng(seed)
    curve = Curve(((-2.0, -3.0), (0.0, 0.0), (1.0, 0.1), (4.0, 6.0)))
    odds = rng.normal(1, 2, count)
    moved, found = move_curve(curve, odds, rng.random(count) < 0.5, lapse)
    assert (np.diff(moved(np.linspace(-5, 9, 60))) >= -1e-9).all()
    assert (found > 0) == (lapse > 0)
    if count == 0:
        assert moved == curve


@pytest.mark.parametrize(
    "knots",
    [((0, 0),), ((0, 0), (0, 1)), ((0, 1), (1, 0)), ((0, 0), (1, float("nan"))),
     ((0, 0, 0), (1, 1, 1)), ((0, 0), (1, FURTHEST + 1)),
     tuple((float(n), float(n)) for n in range(65))],
)  # fmt: skip
def test_knots_that_are_no_rising_curve_are_refused(knots):
    with pytest.raises(ValueError, match="curve"):
        Curve(knots)


def test_curves_come_back_from_plain_values_and_files_without_them_are_read():
    made = Calibration(name_curve=Curve(((0.0, 0.0), (1.0, 3.0))))
    values = made.to_dict()
    assert values["name_curve"] == [[0.0, 0.0], [1.0, 3.0]]
    assert Calibration.from_dict(values) == made
    old = {name: value for name, value in values.items() if not name.endswith("curve")}
    assert Calibration.from_dict(old) == Calibration()
    assert made.likeliest([0.9])[0] == pytest.approx(expit(3 * log_odds([0.9])[0]))


@pytest.mark.parametrize("knots", ["ab", [1, 2], [[0, 0], [1]], [[0, "0"], [1, 1]],
                                   [[0, True], [1, 1]], [[0, 0]] * 65, {}, None])  # fmt: skip
def test_a_files_knots_that_are_something_else_are_refused(knots):
    with pytest.raises(ValueError, match="curve"):
        Calibration.from_dict(Calibration().to_dict() | {"item_curve": knots})
