import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rpc.metrics import bootstrap, bootstrap_intervals, checkout_metrics


def rng(seed=0):
    return np.random.default_rng(seed)


def values(metrics):
    return metrics.cAcc, metrics.ACD, metrics.mCCD, metrics.mCIoU


@st.composite
def weighted_counts(draw):
    """Counts of some images and three ways to draw them again; SKUs may be absent from a draw."""
    n, k = draw(st.integers(1, 6)), draw(st.integers(1, 4))
    pred, gt = (draw(arrays(np.int64, (n, k), elements=st.integers(0, 2))) for _ in range(2))
    rows = [draw(st.lists(st.integers(0, n - 1), min_size=n, max_size=n)) for _ in range(3)]
    return rows, pred, gt


@given(weighted_counts())
def test_weights_give_the_metrics_of_the_images_drawn_one_by_one(case):
    rows, pred, gt = case
    weights = [np.bincount(drawn, minlength=len(gt)) for drawn in rows]
    found = bootstrap.weighted_metrics(weights, pred, gt)
    for drawn, row in zip(rows, found, strict=True):
        assert row == pytest.approx(values(checkout_metrics(pred[drawn], gt[drawn])), abs=1e-12)


def test_a_sku_that_a_draw_does_not_hold_is_left_out_of_its_means():
    # Drawn twice: image 0, without SKU 1. mCCD 1/2 and mCIoU 1/2 are those of SKU 0 alone.
    pred, gt = [[1, 0], [0, 3]], [[2, 0], [0, 3]]
    assert bootstrap.weighted_metrics([[2, 0]], pred, gt).tolist() == [[0.0, 1.0, 0.5, 0.5]]


def test_draws_without_any_item_have_the_values_of_an_empty_tray():
    assert bootstrap.weighted_metrics([[3]], [[0, 0]], [[0, 0]]).tolist() == [[1, 0, 0, 1]]


def test_large_counts_stay_exact():
    pred, gt = [[30_000_001], [30_000_000]], [[30_000_000], [30_000_000]]
    (row,) = bootstrap.weighted_metrics([[1, 1]], pred, gt)
    assert row == pytest.approx(values(checkout_metrics(pred, gt)), abs=1e-15)
    assert row[1] == 0.5


def test_the_intervals_are_those_of_a_naive_loop():
    source = rng(3)
    pred, gt = source.poisson(1.0, (2, 9, 4))
    found = bootstrap_intervals(pred, gt, rng(5), resamples=150)
    again = rng(5)
    drawn = [again.integers(9, size=9) for _ in range(150)]
    table = np.array([values(checkout_metrics(pred[rows], gt[rows])) for rows in drawn])
    low, high = np.quantile(table, [0.025, 0.975], axis=0)
    assert np.allclose(
        [found.cAcc, found.ACD, found.mCCD, found.mCIoU], np.stack([low, high], axis=1), atol=1e-12
    )


def test_the_same_seed_gives_the_same_intervals_however_many_are_drawn_at_once(monkeypatch):
    pred, gt = rng(1).poisson(1.0, (2, 20, 5))
    whole = bootstrap_intervals(pred, gt, rng(7), resamples=100)
    monkeypatch.setattr(bootstrap, "CHUNK", 7)
    assert bootstrap_intervals(pred, gt, rng(7), resamples=100) == whole
    assert bootstrap_intervals(pred, gt, rng(8), resamples=100) != whole


def test_the_interval_of_the_binomial_case_has_the_width_that_is_known():
    right = np.arange(400) < 200
    interval = bootstrap_intervals(right[:, None] * 1, np.ones((400, 1), int), rng()).cAcc
    # 1.96 standard errors of a share of one half of 400.
    assert interval == pytest.approx((0.5 - 0.049, 0.5 + 0.049), abs=0.006)


def test_three_carts_with_one_right_say_nothing():
    # 8 of the 27 ways to draw three carts hold no right one, 1 of them three: more than 2.5 %.
    found = bootstrap_intervals([[1], [0], [0]], [[1], [1], [1]], rng())
    assert found.cAcc == (0, 1)


def test_about_95_of_100_intervals_hold_the_true_share():
    source, inside = rng(11), 0
    for _ in range(300):
        right = source.random(60) < 0.7
        counts = right[:, None].astype(int)
        low, high = bootstrap_intervals(counts, np.ones_like(counts), source, resamples=200).cAcc
        inside += low <= 0.7 <= high
    assert 0.90 < inside / 300 < 0.98


def test_where_every_cart_is_right_the_interval_is_a_point():
    gt = rng().poisson(1.0, (30, 4))
    found = bootstrap_intervals(gt, gt, rng(), resamples=50)
    assert (found.cAcc, found.ACD, found.mCIoU) == ((1, 1), (0, 0), (1, 1))


def test_the_share_asked_for_is_inside():
    pred, gt = rng(2).poisson(1.0, (2, 50, 3))
    wide = bootstrap_intervals(pred, gt, rng(), confidence=0.99).ACD
    narrow = bootstrap_intervals(pred, gt, rng(), confidence=0.5).ACD
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"resamples": 0}, "one resample or more, got 0"),
        ({"confidence": 1.0}, "0 < confidence < 1"),
        ({"pred_counts": [[1, 2]]}, r"pred_counts \(1, 2\) and gt_counts \(1, 1\)"),
        ({"pred_counts": np.zeros((0, 1)), "gt_counts": np.zeros((0, 1))}, "one or more"),
        ({"gt_counts": [[-1]]}, "gt_counts: expected counts >= 0"),
    ],
)
def test_senseless_requests_are_refused(change, message):
    options = {"pred_counts": [[1]], "gt_counts": [[1]], "rng": rng()} | change
    with pytest.raises(ValueError, match=message):
        bootstrap_intervals(**options)


@pytest.mark.parametrize("weights", [[[0, 0]], [[1, 0, 0]], [[-1, 2]], [[0.5, 1]]])
def test_weights_that_draw_nothing_are_refused(weights):
    with pytest.raises(ValueError, match="weights: expected"):
        bootstrap.weighted_metrics(weights, [[1], [1]], [[1], [0]])
