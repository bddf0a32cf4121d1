"""Calibrated probabilities: monotone, fitted back from data that were drawn by known ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit

from rpc.counting.doubt.calibration import Calibration
from rpc.counting.doubt.fit import GAP, PRIOR, Decided, fit_calibration
from rpc.metrics import reliability

calibrations = st.builds(
    Calibration,
    item_slope=st.floats(0, 3),
    item_offset=st.floats(-3, 3),
    name_slope=st.floats(0, 3),
    name_offset=st.floats(-3, 3),
    lapse=st.floats(0, 0.5),
    unseen=st.floats(0, 0.1),
)


def drawn(count, true, rng, skus=6):
    """Decisions whose outcomes follow a calibration: each half by its own probability."""
    items = expit(rng.normal(1, 3, count))
    shares = rng.dirichlet(np.full(skus, 0.15), count)
    best = shares.argmax(axis=1)
    right = rng.random(count) < true.likeliest(shares.max(axis=1))
    labels = np.where(right, best, (best + 1) % skus)
    labels[rng.random(count) >= true.item(items)] = -1
    counts = items >= 0.5
    return Decided(items, shares, counts, labels, np.arange(count) // 10, unseen=0)


@given(calibrations, st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_a_higher_score_is_never_less_probable_an_item(calibration, scores):
    rising = calibration.item(np.sort(scores))
    assert (np.diff(rising) >= 0).all()
    assert ((rising >= 0) & (rising <= 1)).all()


@given(calibrations, st.lists(st.floats(0.01, 1), min_size=2, max_size=6, unique=True))
def test_names_keep_their_order_and_sum_to_one_at_most(calibration, weights):
    shares = np.array([weights]) / np.sum(weights)
    names = calibration.names(shares)
    assert names.sum() <= 1 + 1e-9
    assert (np.diff(names[0, np.argsort(shares[0])]) >= -1e-12).all()
    assert names.max() == pytest.approx(calibration.likeliest(shares.max(axis=1))[0])


@given(calibrations, st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_a_larger_share_is_never_less_probable(calibration, shares):
    assert (np.diff(calibration.likeliest(np.sort(shares))) >= 0).all()


def test_without_a_change_of_the_log_odds_shares_are_probabilities():
    shares = np.array([[0.7, 0.2, 0.1], [1.0, 0.0, 0.0]])
    np.testing.assert_allclose(Calibration().names(shares), shares, atol=1e-5)
    np.testing.assert_allclose(Calibration().item([0.3, 0.9]), [0.3, 0.9])
    assert Calibration().names(np.zeros((0, 3))).shape == (0, 3)


def test_a_likeliest_sku_that_is_mostly_wrong_leaves_the_rest_open():
    names = Calibration(name_offset=-2.0).names([[0.5, 0.3, 0.2]])
    assert names[0].tolist() == pytest.approx([0.1192] * 3, abs=1e-4)


def test_the_fit_finds_the_numbers_that_the_data_were_drawn_by():
    true = Calibration(0.6, 0.8, 1.8, -0.4, 0.05, 0.0)
    found = fit_calibration(drawn(20_000, true, np.random.default_rng(0)))
    assert found.item_slope == pytest.approx(0.6, abs=0.05)
    assert found.item_offset == pytest.approx(0.8, abs=0.1)
    assert found.name_slope == pytest.approx(1.8, abs=0.2)
    assert found.name_offset == pytest.approx(-0.4, abs=0.1)
    assert found.lapse == pytest.approx(0.05, abs=0.02)
    assert found.unseen < 1e-4


def test_the_fit_makes_overconfident_names_hold_on_other_data():
    true = Calibration(name_slope=0.3, lapse=0.1)
    rng = np.random.default_rng(1)
    calibration = fit_calibration(drawn(4000, true, rng))
    other = drawn(20_000, true, rng)
    known = other.labels >= 0
    top, best = other.shares[known].max(axis=1), other.shares[known].argmax(axis=1)
    right = best == other.labels[known]
    assert reliability(calibration.likeliest(top), right).ece < 0.03
    assert reliability(top, right).ece > 0.15


def test_without_data_the_prior_stays_and_a_dozen_right_names_are_no_certainty():
    found = fit_calibration(drawn(0, PRIOR, np.random.default_rng(0)))
    numbers = PRIOR.to_dict() | {"item_curve": None, "name_curve": None}
    assert found.to_dict() | {"item_curve": None, "name_curve": None} == pytest.approx(numbers)
    right = Decided(np.full(12, 0.99), np.eye(6)[np.zeros(12, int)], np.ones(12, bool),
                    np.zeros(12, np.int64), np.arange(12), unseen=0)  # fmt: skip
    assert 0.0005 < fit_calibration(right).lapse < PRIOR.lapse


def test_photos_move_what_scenes_say_and_few_of_them_do_not_turn_it_over():
    rng = np.random.default_rng(2)
    scenes = fit_calibration(drawn(3000, Calibration(name_slope=2.0), rng))
    photos = drawn(200, Calibration(name_slope=0.7), rng)
    alone, joined = fit_calibration(photos), fit_calibration(photos, scenes, GAP)
    assert alone.name_slope < joined.name_slope < scenes.name_slope
    many = drawn(20_000, Calibration(name_slope=0.7), rng)
    assert fit_calibration(many, scenes, GAP).name_slope == pytest.approx(0.7, abs=0.1)


@pytest.mark.parametrize(
    ("name", "value"),
    [("item_slope", -0.1), ("name_slope", 101), ("lapse", 1.1), ("unseen", float("nan")),
     ("name_offset", "1"), ("lapse", True)],
)  # fmt: skip
def test_a_value_out_of_its_range_is_named(name, value):
    with pytest.raises(ValueError, match=f"calibration: {name}: expected"):
        Calibration(**{name: value})


def test_plain_values_come_back_and_others_are_refused():
    made = Calibration(0.5, -1.0, 2.0, 0.3, 0.02, 0.01)
    assert Calibration.from_dict(made.to_dict()) == made
    for wrong in ([1], {"lapse": 1.0}, made.to_dict() | {"more": 1}):
        with pytest.raises(ValueError, match="calibration: expected"):
            Calibration.from_dict(wrong)


def test_logits_of_the_ends_are_finite():
    assert np.isfinite(logit(Calibration().item([0.0, 1.0]))).all()
