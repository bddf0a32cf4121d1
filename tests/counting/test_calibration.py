"""Calibrated probabilities: monotone, fitted back from data that were drawn by known ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit

from rpc.counting.doubt.calibration import Calibration
from rpc.counting.doubt.fit import PRIOR, Decided, fit_calibration
from rpc.metrics import reliability

calibrations = st.builds(
    Calibration,
    slope=st.floats(0, 3),
    offset=st.floats(-3, 3),
    temperature=st.floats(0.2, 5),
    lapse=st.floats(0, 0.5),
    unseen=st.floats(0, 0.1),
)


def drawn(count, true, rng, skus=6):
    """Decisions whose outcomes follow a calibration: each half by its own probability."""
    items = expit(rng.normal(1, 3, count))
    shares = rng.dirichlet(np.full(skus, 0.15), count)
    names = true.names(shares)
    labels = np.array([rng.choice(skus, p=row / row.sum()) for row in names], dtype=np.int64)
    labels[rng.random(count) >= true.item(items)] = -1
    counts = items >= 0.5
    return Decided(items, shares, counts, labels, np.arange(count) // 10, unseen=0)


@given(calibrations, st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_a_higher_score_is_never_less_probable_an_item(calibration, scores):
    rising = calibration.item(np.sort(scores))
    assert (np.diff(rising) >= 0).all()
    assert ((rising >= 0) & (rising <= 1)).all()


@given(calibrations, st.lists(st.floats(0.01, 1), min_size=2, max_size=6))
def test_names_sum_to_one_and_keep_their_order(calibration, weights):
    shares = np.array([weights]) / np.sum(weights)
    names = calibration.names(shares)
    assert names.sum() == pytest.approx(1)
    assert (np.diff(names[0, np.argsort(shares[0])]) >= -1e-12).all()


def test_without_temperature_and_lapse_nothing_changes():
    shares = np.array([[0.7, 0.2, 0.1], [1.0, 0.0, 0.0]])
    np.testing.assert_allclose(Calibration().names(shares), shares, atol=1e-9)
    np.testing.assert_allclose(Calibration().item([0.3, 0.9]), [0.3, 0.9])
    assert Calibration().names(np.zeros((0, 3))).shape == (0, 3)


def test_the_fit_finds_the_numbers_that_the_data_were_drawn_by():
    true = Calibration(slope=0.6, offset=0.8, temperature=2.0, lapse=0.05, unseen=0.0)
    found = fit_calibration(drawn(20_000, true, np.random.default_rng(0)))
    assert found.slope == pytest.approx(0.6, abs=0.05)
    assert found.offset == pytest.approx(0.8, abs=0.1)
    assert found.temperature == pytest.approx(2.0, rel=0.1)
    assert found.lapse == pytest.approx(0.05, abs=0.02)
    assert found.unseen < 1e-4


def test_the_fit_makes_overconfident_names_hold_on_other_data():
    true = Calibration(temperature=3.0, lapse=0.1)
    rng = np.random.default_rng(1)
    calibration = fit_calibration(drawn(400, true, rng))
    other = drawn(20_000, true, rng)
    known = other.labels >= 0
    right = other.shares[known].argmax(axis=1) == other.labels[known]
    before = reliability(other.shares[known].max(axis=1), right).ece
    after = reliability(calibration.names(other.shares[known]).max(axis=1), right).ece
    assert after < 0.03 < 0.15 < before


def test_without_data_the_prior_stays_and_a_dozen_right_names_are_no_certainty():
    nothing = drawn(0, PRIOR, np.random.default_rng(0))
    found = fit_calibration(nothing)
    assert found.to_dict() == pytest.approx(PRIOR.to_dict())
    right = Decided(np.full(12, 0.99), np.eye(6)[np.zeros(12, int)], np.ones(12, bool),
                    np.zeros(12, np.int64), np.arange(12), unseen=0)  # fmt: skip
    assert 0.002 < fit_calibration(right).lapse < PRIOR.lapse


@pytest.mark.parametrize(
    ("name", "value"),
    [("slope", -0.1), ("temperature", 0.0), ("lapse", 1.1), ("unseen", float("nan")),
     ("offset", "1"), ("lapse", True)],
)  # fmt: skip
def test_a_value_out_of_its_range_is_named(name, value):
    with pytest.raises(ValueError, match=f"calibration: {name}: expected"):
        Calibration(**{name: value})


def test_plain_values_come_back_and_others_are_refused():
    made = Calibration(0.5, -1.0, 2.0, 0.02, 0.01)
    assert Calibration.from_dict(made.to_dict()) == made
    for wrong in ([1], {"slope": 1.0}, made.to_dict() | {"more": 1}):
        with pytest.raises(ValueError, match="calibration: expected"):
            Calibration.from_dict(wrong)


def test_logits_of_the_ends_are_finite():
    assert np.isfinite(logit(Calibration().item([0.0, 1.0]))).all()
