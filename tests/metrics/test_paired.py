import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from rpc.metrics import checkout_metrics
from rpc.metrics.paired import (
    DRAWS,
    LEAST_P,
    holm,
    paired_intervals,
    paired_test,
    sign_flip_p,
)

METRICS = ("cAcc", "ACD", "mCCD", "mCIoU")


@st.composite
def count_triples(draw):
    shape = (draw(st.integers(1, 8)), draw(st.integers(1, 4)))
    return tuple(draw(arrays(np.int64, shape, elements=st.integers(0, 3))) for _ in range(3))


def flags(only_a, only_b):
    return np.array([-1] * only_a + [1] * only_b + [0] * 5, dtype=np.int64)


def naive_p(differences):
    """All patterns of signs, one by one."""
    seen = abs(sum(differences))
    sums = [
        abs(sum(sign * value for sign, value in zip(signs, differences, strict=True)))
        for signs in itertools.product((-1, 1), repeat=len(differences))
    ]
    return float(Fraction(sum(value >= seen for value in sums), len(sums)))


# --- one difference a cart ------------------------------------------------------------------------


@given(st.lists(st.integers(-4, 4), min_size=1, max_size=9))
def test_the_p_value_is_the_share_of_sign_patterns_that_are_as_far_from_zero(differences):
    assert sign_flip_p(differences) == pytest.approx(naive_p(differences), abs=1e-13)


@given(st.integers(0, 60), st.integers(0, 60))
def test_with_carts_right_or_wrong_it_is_mcnemars_exact_test(only_a, only_b):
    n = only_a + only_b
    expected = stats.binomtest(only_a, n, 0.5).pvalue if n else 1.0
    assert sign_flip_p(flags(only_a, only_b)) == pytest.approx(max(expected, LEAST_P), abs=1e-12)


@pytest.mark.parametrize(
    ("only_a", "only_b", "published"),
    [
        # Airway responsiveness before and after a transplant, in Fagerland, Lydersen and Laake,
        # "The McNemar test for binary matched-pairs data", 2013: 0.070 exact.
        (1, 7, 18 / 256),
        (10, 0, 2 / 1024),
        (0, 1, 1.0),
        (8, 8, 1.0),
    ],
)
def test_known_tables_give_known_p_values(only_a, only_b, published):
    assert sign_flip_p(flags(only_a, only_b)) == pytest.approx(published, rel=1e-3)


def test_thousands_of_carts_agree_with_the_normal_approximation():
    differences = np.random.default_rng(3).integers(-6, 7, 20_000)
    z = abs(differences.sum()) / np.sqrt((differences**2).sum())
    assert sign_flip_p(differences) == pytest.approx(2 * stats.norm.sf(z), rel=0.01)


def test_a_p_value_too_small_to_compute_is_the_smallest_one():
    assert sign_flip_p(np.ones(200, dtype=np.int64)) == LEAST_P


def test_sums_too_large_for_exactness_are_drawn_and_agree_with_it():
    small = np.array([3, -1, 2, 5, 4, -2, 6])
    drawn = sign_flip_p(small * 10**6, seed=1)
    assert drawn == sign_flip_p(small * 10**6, seed=1)
    assert drawn == pytest.approx(sign_flip_p(small), abs=0.02)
    assert (drawn * (DRAWS + 1)) == pytest.approx(round(drawn * (DRAWS + 1)))
    # The pattern seen is among those drawn: the p value is never 0.
    assert sign_flip_p(np.full(40, 10**6)) == 1 / (DRAWS + 1)


def test_what_is_no_list_of_whole_numbers_is_refused():
    for wrong in ([0.5, 1.0], [[1, 2]], np.array([True, False])):
        with pytest.raises(ValueError, match="differences: expected whole numbers"):
            sign_flip_p(wrong)


# --- two predictions ------------------------------------------------------------------------------


def test_the_worked_example_of_the_documentation():
    # Ten carts; b reads five right that a has wrong, a one that b has wrong.
    wrong_a = [0, 0, 1, 1, 2, 1, 3, 1, 0, 2]
    wrong_b = [0, 0, 0, 0, 0, 0, 0, 1, 1, 2]
    truth = np.full((10, 1), 5)
    pred_a, pred_b = (truth - np.array([wrong]).T for wrong in (wrong_a, wrong_b))
    test = paired_test(pred_a, pred_b, truth)
    assert (test.both, test.only_a, test.only_b, test.neither) == (2, 1, 5, 2)
    assert test.unequal == 6
    # 2 (C(6, 0) + C(6, 1)) of 64 patterns; the sum of 2^6 patterns of 1, 1, 2, 1, 3, 1 is 7 or
    # more from 0 in 2 (1 + 4) of them.
    assert test.p_cAcc == pytest.approx(14 / 64)
    assert test.p_ACD == pytest.approx(10 / 64)


@given(count_triples())
def test_the_test_agrees_with_counting_carts_by_hand(triple):
    pred_a, pred_b, truth = triple
    wrong = [
        [sum(abs(int(p) - int(g)) for p, g in zip(*pair, strict=True)) for pair in rows]
        for rows in (zip(pred_a, truth, strict=True), zip(pred_b, truth, strict=True))
    ]
    test = paired_test(*triple)
    pairs = list(zip(*wrong, strict=True))
    assert test.both == sum(a == 0 == b for a, b in pairs)
    assert test.only_a == sum(a == 0 != b for a, b in pairs)
    assert test.only_b == sum(b == 0 != a for a, b in pairs)
    assert test.both + test.only_a + test.only_b + test.neither == len(truth)
    assert test.unequal == sum(a != b for a, b in pairs)
    assert test.p_ACD == pytest.approx(naive_p([b - a for a, b in pairs]), abs=1e-13)


@given(count_triples())
def test_swapping_the_predictions_swaps_who_is_right_and_keeps_the_p_values(triple):
    pred_a, pred_b, truth = triple
    test, swapped = paired_test(pred_a, pred_b, truth), paired_test(pred_b, pred_a, truth)
    assert (test.only_a, test.only_b) == (swapped.only_b, swapped.only_a)
    assert (test.p_cAcc, test.p_ACD) == (swapped.p_cAcc, swapped.p_ACD)


@given(count_triples(), st.randoms(use_true_random=False))
def test_the_order_of_images_and_skus_changes_no_test(triple, random):
    rows, columns = list(range(triple[0].shape[0])), list(range(triple[0].shape[1]))
    random.shuffle(rows)
    random.shuffle(columns)
    mixed = [counts[rows][:, columns] for counts in triple]
    assert paired_test(*mixed) == paired_test(*triple)


@given(count_triples())
def test_a_prediction_against_itself_shows_no_difference(triple):
    pred, _, truth = triple
    test = paired_test(pred, pred, truth)
    assert (test.only_a, test.only_b, test.unequal, test.p_cAcc, test.p_ACD) == (0, 0, 0, 1, 1)
    (interval,) = paired_intervals(pred, [pred], truth, resamples=9)
    assert all(getattr(interval, name) == (0, 0) for name in METRICS)


def test_predictions_of_other_images_are_refused():
    with pytest.raises(ValueError, match=r"pred_b \(1, 2\) and gt_counts \(1, 3\)"):
        paired_test(np.ones((1, 3)), np.ones((1, 2)), np.ones((1, 3)))
    with pytest.raises(ValueError, match="pred_a: expected counts >= 0"):
        paired_test([[-1]], [[1]], [[1]])


# --- intervals ------------------------------------------------------------------------------------


@given(count_triples(), st.integers(0, 9))
def test_the_intervals_are_of_differences_on_the_same_drawn_images(triple, seed):
    pred_a, pred_b, truth = triple
    rng, rows = np.random.default_rng(seed), []
    for _ in range(6):
        drawn = rng.integers(len(truth), size=len(truth))
        a, b = (checkout_metrics(pred[drawn], truth[drawn]) for pred in (pred_a, pred_b))
        rows.append([getattr(b, name) - getattr(a, name) for name in METRICS])
    (interval,) = paired_intervals(pred_a, [pred_b], truth, seed=seed, resamples=6, confidence=0.8)
    for name, values in zip(METRICS, zip(*rows, strict=True), strict=True):
        expected = np.quantile(values, [0.1, 0.9])
        assert getattr(interval, name) == pytest.approx(tuple(expected), abs=1e-9)


@given(count_triples())
def test_swapping_the_predictions_flips_the_intervals(triple):
    pred_a, pred_b, truth = triple
    (interval,) = paired_intervals(pred_a, [pred_b], truth, resamples=7)
    (swapped,) = paired_intervals(pred_b, [pred_a], truth, resamples=7)
    for name in METRICS:
        low, high = getattr(interval, name)
        assert low <= high
        assert getattr(swapped, name) == pytest.approx((-high, -low), abs=1e-12)


def test_all_results_are_held_against_the_baseline_on_the_same_resamples():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, (30, 4))
    one, two = (np.abs(truth - (rng.random((30, 4)) < 0.2)) for _ in range(2))
    both = paired_intervals(truth, [one, two], truth, resamples=50)
    assert both == [paired_intervals(truth, [p], truth, resamples=50)[0] for p in (one, two)]
    assert both[0].cAcc[1] < 0 < both[0].ACD[0]


# --- several tests --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("p_values", "adjusted"),
    [
        # R: p.adjust(c(0.01, 0.02, 0.03, 0.04, 0.05), "holm")
        ([0.01, 0.02, 0.03, 0.04, 0.05], [0.05, 0.08, 0.09, 0.09, 0.09]),
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),
        ([0.4, 0.6, 0.9], [1, 1, 1]),
        ([0.03], [0.03]),
        ([], []),
    ],
)
def test_holms_correction_gives_known_values(p_values, adjusted):
    assert holm(p_values) == pytest.approx(adjusted)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_holm_rejects_what_the_step_down_procedure_rejects(p_values):
    adjusted = holm(p_values)
    for level in (0.01, 0.05, 0.3):
        rejected, ranks = set(), sorted(range(len(p_values)), key=p_values.__getitem__)
        for step, place in enumerate(ranks):
            if (len(p_values) - step) * p_values[place] > level:
                break
            rejected.add(place)
        assert {place for place, p in enumerate(adjusted) if p <= level} == rejected
    assert all(p <= q <= 1 for p, q in zip(p_values, adjusted, strict=True))
