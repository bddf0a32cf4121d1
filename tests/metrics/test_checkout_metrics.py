import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rpc.metrics import checkout_metrics, checkout_metrics_by_level


@st.composite
def count_pairs(draw):
    shape = (draw(st.integers(1, 6)), draw(st.integers(1, 5)))
    # A small range: equal rows must be drawn often enough to matter.
    return tuple(draw(arrays(np.int64, shape, elements=st.integers(0, 3))) for _ in range(2))


def naive(pred, gt):
    """The formulas of docs/metrics.md, read aloud with loops."""
    n, k = len(gt), len(gt[0])
    exact = sum(all(pred[i][j] == gt[i][j] for j in range(k)) for i in range(n)) / n
    errors = [[abs(int(pred[i][j]) - int(gt[i][j])) for j in range(k)] for i in range(n)]
    ccd, ciou = [], []
    for j in range(k):
        true = sum(gt[i][j] for i in range(n))
        if true:
            ccd.append(sum(errors[i][j] for i in range(n)) / true)
        either = sum(max(pred[i][j], gt[i][j]) for i in range(n))
        if either:
            ciou.append(sum(min(pred[i][j], gt[i][j]) for i in range(n)) / either)
    return (
        exact,
        sum(map(sum, errors)) / n,
        sum(ccd) / len(ccd) if ccd else 0.0,
        sum(ciou) / len(ciou) if ciou else 1.0,
    )


def values(metrics):
    return metrics.cAcc, metrics.ACD, metrics.mCCD, metrics.mCIoU


def test_a_small_example_gives_the_numbers_computed_by_hand():
    gt = [[2, 1, 0], [0, 3, 1], [1, 0, 0]]
    pred = [[2, 1, 0], [1, 2, 1], [0, 0, 0]]
    # SKU 0: wrong 0+1+1 of 3, IoU 2/4. SKU 1: wrong 1 of 4, IoU 3/4. SKU 2: right, IoU 1.
    metrics = checkout_metrics(pred, gt)
    assert values(metrics) == pytest.approx((1 / 3, 1.0, (2 / 3 + 1 / 4) / 3, (0.5 + 0.75 + 1) / 3))
    assert metrics.images == 3


@given(count_pairs())
def test_the_metrics_agree_with_naive_loops(pair):
    assert values(checkout_metrics(*pair)) == pytest.approx(naive(*pair), abs=1e-12)


@given(count_pairs())
def test_the_share_of_wrong_carts_is_at_most_the_items_wrong_per_cart(pair):
    metrics = checkout_metrics(*pair)
    assert 1 - metrics.cAcc <= metrics.ACD + 1e-12


@given(count_pairs())
def test_all_carts_are_right_exactly_when_no_item_is_wrong(pair):
    metrics = checkout_metrics(*pair)
    assert (metrics.cAcc == 1) == (metrics.ACD == 0) == (metrics.mCIoU == 1)
    assert 0 <= metrics.mCIoU <= 1
    perfect = checkout_metrics(pair[1], pair[1])
    assert values(perfect) == (1.0, 0.0, 0.0, 1.0)


@given(count_pairs(), st.randoms(use_true_random=False))
def test_the_order_of_images_and_of_skus_does_not_matter(pair, random):
    pred, gt = pair
    rows, columns = list(range(gt.shape[0])), list(range(gt.shape[1]))
    random.shuffle(rows)
    random.shuffle(columns)
    mixed = checkout_metrics(pred[rows][:, columns], gt[rows][:, columns])
    assert values(mixed) == pytest.approx(values(checkout_metrics(pred, gt)), abs=1e-12)


@given(count_pairs())
def test_acd_and_mciou_are_the_same_with_prediction_and_truth_swapped(pair):
    one, other = checkout_metrics(*pair), checkout_metrics(*pair[::-1])
    assert one.ACD == other.ACD
    assert one.mCIoU == other.mCIoU


@given(count_pairs())
def test_mciou_agrees_with_a_second_formula(pair):
    # min = (P + G - |P - G|) / 2 and max = (P + G + |P - G|) / 2.
    pred, gt = (counts.sum(axis=0) for counts in pair)
    wrong = np.abs(pair[0] - pair[1]).sum(axis=0)
    seen = pred + gt > 0
    ious = ((pred + gt - wrong)[seen] / (pred + gt + wrong)[seen]).tolist()
    expected = sum(ious) / len(ious) if ious else 1.0
    assert checkout_metrics(*pair).mCIoU == pytest.approx(expected, abs=1e-12)


def test_a_sku_in_neither_list_changes_nothing():
    gt, pred = np.array([[2, 1]]), np.array([[1, 1]])
    wider = [np.pad(counts, ((0, 0), (0, 3))) for counts in (pred, gt)]
    assert checkout_metrics(*wider) == checkout_metrics(pred, gt)


def test_a_sku_predicted_but_never_there_counts_in_acd_and_as_iou_zero_but_not_in_mccd():
    metrics = checkout_metrics([[2, 1]], [[2, 0]])
    assert values(metrics) == (0.0, 1.0, 0.0, 0.5)


def test_an_image_without_any_detection_counts():
    metrics = checkout_metrics([[1], [0], [0]], [[1], [2], [1]])
    assert values(metrics) == pytest.approx((1 / 3, 1.0, 0.75, 0.25))


def test_empty_trays_read_as_empty_are_right():
    assert values(checkout_metrics([[0, 0]], [[0, 0]])) == (1.0, 0.0, 0.0, 1.0)


def test_an_item_seen_on_an_empty_tray_is_an_error():
    assert values(checkout_metrics([[0, 2]], [[0, 0]])) == (0.0, 2.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("pred", "gt", "message"),
    [
        (np.zeros((0, 3)), np.zeros((0, 3)), "at least one image"),
        ([[1, 2]], [[1, 2, 3]], r"\(1, 2\) and gt_counts \(1, 3\)"),
        ([1, 2], [1, 2], r"expected shape \(N images, K SKUs\), got \(2,\)"),
        ([[-1]], [[1]], r"pred_counts: expected counts >= 0, got -1 \(image 0, label 0\)"),
        ([[1.0]], [[0.5]], "gt_counts: expected whole numbers"),
        ([[np.nan]], [[1]], "pred_counts: expected whole numbers"),
    ],
)
def test_counts_that_make_no_sense_are_refused(pred, gt, message):
    with pytest.raises(ValueError, match=message):
        checkout_metrics(pred, gt)


def test_averaged_is_over_all_images_and_not_the_mean_of_the_levels():
    gt = np.array([[1], [1], [1], [1]])
    pred = np.array([[1], [0], [0], [1]])
    by_level = checkout_metrics_by_level(pred, gt, ["easy", "hard", "hard", None])
    assert list(by_level) == ["easy", "hard", "averaged"]
    assert (by_level["easy"].cAcc, by_level["hard"].cAcc) == (1.0, 0.0)
    assert by_level["averaged"] == checkout_metrics(pred, gt)
    assert by_level["averaged"].cAcc == 0.5
    assert [m.images for m in by_level.values()] == [1, 2, 4]


def test_without_levels_only_averaged_is_there():
    assert list(checkout_metrics_by_level([[1]], [[1]], [None])) == ["averaged"]


def test_unknown_levels_and_missing_ones_are_refused():
    with pytest.raises(ValueError, match="got 'heavy'"):
        checkout_metrics_by_level([[1]], [[1]], ["heavy"])
    with pytest.raises(ValueError, match="got 1 levels, 2 rows"):
        checkout_metrics_by_level([[1], [1]], [[1], [1]], ["easy"])
