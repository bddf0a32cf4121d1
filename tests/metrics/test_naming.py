"""Ranks of the right SKU, and intervals over carts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.metrics.naming import naming_lead, naming_metrics, ranks_of_truth


def test_ranks_by_hand_and_equal_scores_stand_before_the_truth():
    scores = np.array([[0.9, 0.5, 0.1], [0.2, 0.8, 0.5], [0.4, 0.4, 0.4]])
    assert ranks_of_truth(scores, np.array([0, 0, 1])).tolist() == [0, 2, 2]


@given(st.integers(0, 500))
def test_ranks_do_not_depend_on_the_order_of_skus(seed):
    rng = np.random.default_rng(seed)
    scores, truth = rng.normal(size=(7, 5)), rng.integers(5, size=7)
    order = rng.permutation(5)
    moved = ranks_of_truth(scores[:, order], np.argsort(order)[truth])
    assert moved.tolist() == ranks_of_truth(scores, truth).tolist()


def test_shares_and_an_interval_that_holds_them():
    ranks = np.array([0, 0, 3, 9, 0, 1, 0, 7])
    groups = np.array(list("aabbccdd"))
    found = naming_metrics(ranks, groups, np.random.default_rng(0))
    assert (found.top1, found.top5, found.queries, found.groups) == (0.5, 0.75, 8, 4)
    assert found.top1_interval[0] < 0.5 < found.top1_interval[1]
    assert found.top5_interval[0] < 0.75 < found.top5_interval[1]


def test_carts_are_drawn_whole():
    ranks = np.repeat([0, 9], 50)
    whole = naming_metrics(ranks, np.repeat(["a", "b"], 50), np.random.default_rng(0))
    single = naming_metrics(ranks, np.arange(100), np.random.default_rng(0))
    assert whole.top1_interval == (0.0, 1.0)
    assert 0.35 < single.top1_interval[0] < single.top1_interval[1] < 0.65


def test_one_cart_gives_a_point():
    found = naming_metrics(np.array([0, 4]), np.array(["a", "a"]), np.random.default_rng(0))
    assert found.top1_interval == (0.5, 0.5)


@pytest.mark.parametrize(
    ("scores", "truth"),
    [(np.zeros((2, 3)), [0]), (np.zeros((1, 3)), [3]), (np.full((1, 3), np.nan), [0])],
)
def test_bad_scores_are_refused(scores, truth):
    with pytest.raises(ValueError, match="expected"):
        ranks_of_truth(scores, np.array(truth))


def test_no_query_is_refused():
    with pytest.raises(ValueError, match="expected as many"):
        naming_metrics(np.zeros(0, int), np.zeros(0), np.random.default_rng(0))


def test_a_small_lead_in_every_cart_is_sure_though_the_intervals_overlap():
    groups = np.repeat(np.arange(10), 10)
    hard = np.repeat(np.arange(10), 10) * 0.1 > np.tile(np.arange(10), 10) * 0.1  # 0 to 9 wrong
    ranks = np.where(hard, 9, 0)
    others = ranks.copy()
    others[np.arange(10) * 10 + 9] = 9  # one more is wrong in each cart
    lead, low, high = naming_lead(ranks, others, groups, np.random.default_rng(0))
    assert low == lead == high == pytest.approx(0.1)
    mine = naming_metrics(ranks, groups, np.random.default_rng(0)).top1_interval
    other = naming_metrics(others, groups, np.random.default_rng(0)).top1_interval
    assert mine[0] < other[1]


@given(st.integers(0, 500))
def test_a_lead_changes_its_sign_with_the_order_of_the_ways(seed):
    rng = np.random.default_rng(seed)
    ranks, others = rng.integers(3, size=(2, 12))
    groups = rng.integers(4, size=12)
    there = naming_lead(ranks, others, groups, np.random.default_rng(1))
    back = naming_lead(others, ranks, groups, np.random.default_rng(1))
    assert there == pytest.approx((-back[0], -back[2], -back[1]))


def test_ways_on_other_queries_are_not_compared():
    with pytest.raises(ValueError, match="same queries"):
        naming_lead(np.zeros(3), np.zeros(2), np.zeros(3), np.random.default_rng(0))
