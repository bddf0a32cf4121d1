"""Reliability: against a loop, on probabilities that hold, and at the edges."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.metrics.calibration import ece_interval, reliability

statements = st.lists(
    st.tuples(st.sampled_from([0.0, 0.1, 0.5, 0.9, 0.99, 1.0]), st.booleans()), min_size=1
)


def columns(pairs):
    stated, right = zip(*pairs, strict=True)
    return np.array(stated), np.array(right)


def test_the_example_of_the_docs():
    # 40 statements of 0.6, of which 20 come true, and 40 of 0.9, of which 38 do.
    stated = [0.6] * 40 + [0.9] * 40
    right = [True] * 20 + [False] * 20 + [True] * 38 + [False] * 2
    found = reliability(stated, right)
    assert found.stated.tolist() == pytest.approx([0.6, 0.9])
    assert found.came_true.tolist() == pytest.approx([0.5, 0.95])
    assert found.ece == pytest.approx((40 * 0.1 + 40 * 0.05) / 80)


@given(statements)
def test_bins_hold_each_statement_once_and_equals_stay_together(pairs):
    stated, right = columns(pairs)
    found = reliability(stated, right)
    assert found.sizes.sum() == len(pairs)
    assert (np.diff(found.stated) > 0).all()
    assert (found.sizes * found.came_true).sum() == pytest.approx(right.sum())
    assert (found.sizes * found.stated).sum() == pytest.approx(stated.sum())
    assert 0 <= found.ece <= 1


@given(statements, st.randoms())
def test_the_order_of_the_statements_does_not_matter(pairs, random):
    one = reliability(*columns(pairs))
    random.shuffle(pairs)
    other = reliability(*columns(pairs))
    assert one.ece == pytest.approx(other.ece)
    assert one.sizes.tolist() == other.sizes.tolist()


def test_probabilities_that_hold_have_no_error_and_stretched_ones_do():
    rng = np.random.default_rng(0)
    stated = rng.uniform(0.5, 1, 20_000)
    right = rng.random(20_000) < stated
    assert reliability(stated, right).ece < 0.015
    assert reliability(stated**0.1, right).ece > 0.15
    assert len(reliability(stated, right).sizes) == 10


def test_few_statements_make_few_bins():
    assert len(reliability(np.linspace(0, 1, 45), np.ones(45)).sizes) == 2
    assert len(reliability([0.3], [True]).sizes) == 1


def test_the_interval_of_trays_that_err_as_one_is_wider():
    rng = np.random.default_rng(1)
    stated = np.full(400, 0.8)
    right = np.repeat(rng.random(40) < 0.8, 10)  # ten items of a tray fall together
    together = ece_interval(stated, right, np.repeat(range(40), 10), rng, resamples=200)
    apart = ece_interval(stated, right, range(400), rng, resamples=200)
    assert together[1] - together[0] > 1.5 * (apart[1] - apart[0])


@pytest.mark.parametrize(
    ("stated", "right"), [([], []), ([0.5], [True, False]), ([1.5], [True]), ([np.nan], [True])]
)
def test_what_is_no_probability_is_refused(stated, right):
    with pytest.raises(ValueError, match="reliability: expected"):
        reliability(stated, right)
