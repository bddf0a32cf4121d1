"""Trays that pass: counts, and intervals that are known from tables."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from rpc.metrics.passing import binomial_interval, passing


def test_the_example_of_the_docs():
    found = passing([True, True, False, True], [True, False, True, True])
    assert (found.coverage, found.accuracy) == (0.75, 2 / 3)
    assert (found.images, found.passed, found.right) == (4, 3, 2)


@given(st.integers(1, 60), st.data())
def test_the_interval_is_the_exact_one(trials, data):
    successes = data.draw(st.integers(0, trials))
    known = binomtest(successes, trials).proportion_ci(method="exact")
    assert binomial_interval(successes, trials) == pytest.approx((known.low, known.high))


def test_no_error_in_36_trays_still_leaves_room_for_one_in_ten():
    low, high = binomial_interval(36, 36)
    assert (round(low, 3), high) == (0.903, 1.0)


def test_where_no_tray_passes_there_is_no_accuracy():
    found = passing([False, False], [True, False])
    assert found.coverage == 0
    assert found.accuracy is found.accuracy_interval is None
    assert found.to_dict()["coverage_interval"][0] == 0.0


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1))
def test_all_that_passes_is_counted_once(pairs):
    passes, right = np.array(pairs).T
    found = passing(passes, right)
    assert 0 <= found.right <= found.passed <= found.images == len(pairs)
    low, high = found.coverage_interval
    assert low <= found.coverage <= high


@pytest.mark.parametrize(("passes", "right"), [([], []), ([True], [True, False])])
def test_shapes_that_do_not_fit_are_refused(passes, right):
    with pytest.raises(ValueError, match="passing: expected"):
        passing(passes, right)
