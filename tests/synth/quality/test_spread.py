"""Distances of one plain figure against scipy's, and what they must obey."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import wasserstein_distance

from synth.quality.spread import quantiles, standardised_distance, wasserstein

samples = arrays(float, st.integers(1, 12), elements=st.floats(-100, 100, width=16))


@given(samples, samples)
def test_it_is_scipys_distance_from_both_sides(x, y):
    assert wasserstein(x, y) == pytest.approx(wasserstein_distance(x, y), abs=1e-9)
    assert wasserstein(x, y) == pytest.approx(wasserstein(y, x), abs=1e-9)


@given(samples, st.floats(-50, 50, width=16))
def test_a_shift_is_at_the_distance_of_the_shift(x, shift):
    assert wasserstein(x, x + shift) == pytest.approx(abs(shift), abs=1e-9)


@given(samples, samples, st.sampled_from([0.5, 2.0, -4.0]))
def test_the_standardised_distance_has_no_unit(x, y, factor):
    expected = standardised_distance(x, y)
    scaled = standardised_distance(factor * x + 3, factor * y + 3)
    assert scaled == (None if expected is None else pytest.approx(expected, rel=1e-6, abs=1e-9))


def test_a_shift_by_one_deviation_is_one():
    x = np.array([-1.0, 1.0])
    assert standardised_distance(x, x + 1) == pytest.approx(1)


def test_constants_are_equal_or_beyond_measure():
    constant = np.full(3, 0.1)
    assert standardised_distance(constant, np.full(4, 0.1)) == 0
    assert standardised_distance(constant, constant + 1) is None


def test_quantiles_are_told_in_order_and_none_without_values():
    assert quantiles(np.arange(101.0)) == [10, 25, 50, 75, 90]
    assert quantiles(np.zeros(0)) is None
    with pytest.raises(ValueError, match="expected one value or more, got 0 and 2"):
        wasserstein(np.zeros(0), np.zeros(2))
