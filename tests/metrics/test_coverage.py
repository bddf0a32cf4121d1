import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.metrics import coverage_curve

carts = st.lists(st.tuples(st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.booleans()), min_size=1)


def curve_of(pairs):
    certainty, right = zip(*pairs, strict=True)
    return coverage_curve(certainty, right)


def test_the_example_of_the_docs():
    # Certain and right, certain and right, less certain and wrong, least certain and right.
    curve = coverage_curve([0.9, 0.8, 0.4, 0.1], [True, True, False, True])
    assert curve.coverage.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert curve.accuracy.tolist() == pytest.approx([1, 1, 2 / 3, 3 / 4])
    assert curve.area == pytest.approx((1 + 1 + 2 / 3 + 3 / 4) / 4)
    best = curve.most_at(0.95)
    assert (curve.coverage[best], curve.certainty[best]) == (0.5, 0.8)
    assert curve.coverage[curve.most_at(0.7)] == 1.0


@given(carts)
def test_every_point_is_what_is_counted_from_a_certainty_on(pairs):
    curve = curve_of(pairs)
    for certainty, kept, right in zip(curve.certainty, curve.kept, curve.right, strict=True):
        chosen = [good for sure, good in pairs if sure >= certainty]
        assert (kept, right) == (len(chosen), sum(chosen))
    assert curve.coverage[-1] == 1
    assert curve.accuracy[-1] == pytest.approx(np.mean([good for _, good in pairs]))


@given(st.lists(st.tuples(st.sampled_from([0.2, 0.7]), st.booleans()), min_size=1, max_size=5))
def test_the_area_is_the_mean_over_all_orders_of_equals(pairs):
    orders = [
        [good for sure, good in order]
        for order in itertools.permutations(pairs)
        if all(a[0] >= b[0] for a, b in itertools.pairwise(order))
    ]
    areas = [np.mean(np.cumsum(order) / np.arange(1, len(order) + 1)) for order in orders]
    assert curve_of(pairs).area == pytest.approx(np.mean(areas))


@given(st.lists(st.booleans(), min_size=1))
def test_without_any_order_the_area_is_the_accuracy(right):
    curve = coverage_curve([0.5] * len(right), right)
    assert curve.area == pytest.approx(np.mean(right))
    assert len(curve.kept) == 1


@given(carts)
def test_only_the_order_of_the_certainties_matters(pairs):
    stretched = [(np.exp(3 * sure), good) for sure, good in pairs]
    one, other = curve_of(pairs), curve_of(stretched)
    assert one.area == pytest.approx(other.area)
    assert one.kept.tolist() == other.kept.tolist()


def test_the_best_order_has_the_largest_area_and_the_worst_the_smallest():
    right = np.array([True, True, False, True, False])
    areas = [coverage_curve(order, right).area for order in itertools.permutations(range(5))]
    assert coverage_curve(right * 1.0, right).area == pytest.approx(max(areas))
    assert coverage_curve([5, 4, 2, 3, 1], right).area == max(areas)
    assert coverage_curve([2, 3, 5, 1, 4], right).area == pytest.approx(min(areas))


def test_an_accuracy_that_no_part_has_is_none():
    assert coverage_curve([0.9, 0.1], [False, True]).most_at(0.95) is None
    assert coverage_curve([0.9, 0.1], [False, False]).most_at(0.0) == 1


def test_a_share_of_exactly_95_percent_is_enough():
    curve = coverage_curve(range(20, 0, -1), [True] * 19 + [False])
    assert curve.coverage[curve.most_at(0.95)] == 1.0
    assert curve.coverage[curve.most_at(0.99)] == 0.95


@pytest.mark.parametrize(
    ("certainty", "right"), [([], []), ([0.5], [True, False]), ([[0.5]], [[True]])]
)
def test_shapes_that_do_not_fit_are_refused(certainty, right):
    with pytest.raises(ValueError, match="coverage: expected"):
        coverage_curve(certainty, right)


def test_a_certainty_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="finite certainties"):
        coverage_curve([float("nan")], [True])
