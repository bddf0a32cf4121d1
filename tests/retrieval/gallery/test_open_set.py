import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rpc.retrieval.gallery.open_set import (
    OpenSet,
    choose_temperature,
    choose_threshold,
    keeping_threshold,
    unknown_scores,
)

similarity = st.floats(-1, 1, width=32)


def test_the_threshold_lies_in_the_middle_of_the_gap_between_known_and_unknown():
    choice = choose_threshold(
        np.array([0.9, 0.8, 0.7]), np.array([True, True, True]), np.array([0.1, 0.5])
    )
    assert (choice.threshold, choice.known, choice.unknown) == (pytest.approx(0.6), 1.0, 1.0)


def test_known_and_unknown_count_alike_however_many_there_are():
    known = np.r_[np.full(98, 0.9), 0.5, 0.5]
    few = choose_threshold(known, np.ones(100, bool), np.array([0.7]))
    many = choose_threshold(known, np.ones(100, bool), np.full(500, 0.7))
    assert few.threshold == pytest.approx(many.threshold)
    assert few.known == pytest.approx(0.98)


def naive_value(threshold, scores, right, unknown):
    known = np.mean([r and s >= threshold for s, r in zip(scores, right, strict=True)])
    return (known + np.mean([s < threshold for s in unknown])) / 2


@given(
    scores=arrays(float, st.integers(1, 12), elements=similarity),
    unknown=arrays(float, st.integers(1, 12), elements=similarity),
    seed=st.integers(0, 99),
)
def test_no_threshold_beats_the_chosen_one_by_more_than_half_a_crop(scores, unknown, seed):
    right = np.random.default_rng(seed).random(len(scores)) < 0.8
    choice = choose_threshold(scores, right, unknown)
    value = naive_value(choice.threshold, scores, right, unknown)
    assert value == pytest.approx((choice.known + choice.unknown) / 2)
    others = [naive_value(t, scores, right, unknown) for t in np.linspace(-1, 1, 61)]
    assert value >= max(others) - 0.5 / max(len(scores), len(unknown))


@given(
    table=arrays(float, st.tuples(st.integers(0, 5), st.integers(0, 6)), elements=similarity),
    threshold=st.floats(-1, 1),
)
def test_probabilities_sum_to_one_and_what_lies_below_the_threshold_is_likeliest_unknown(
    table, threshold
):
    found = OpenSet(threshold, 0.05).probabilities(table)
    assert found.shape == (len(table), table.shape[1] + 1)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    for row, p in zip(table, found, strict=True):
        best = row.max(initial=-2.0)
        if best < threshold - 1e-6:
            assert p.argmax() == len(row)
        elif best > threshold + 1e-6:
            assert p[row.argmax()] > p[-1]


def test_without_any_sku_everything_is_unknown():
    assert OpenSet().probabilities(np.zeros((3, 0))).tolist() == [[1.0]] * 3


@given(scores=arrays(float, st.integers(1, 60), elements=similarity), share=st.floats(0.5, 1))
def test_the_keeping_threshold_keeps_at_least_its_share(scores, share):
    right = np.ones(len(scores), bool)
    assert (scores >= keeping_threshold(scores, right, share)).mean() >= share - 1e-9
    assert keeping_threshold(scores, ~right, share) == -1


def test_an_unknown_score_is_the_best_of_the_other_skus():
    table = np.array([[0.9, 0.2, 0.6], [0.1, 0.3, 0.2]])
    assert unknown_scores(table, np.array([0, 1])).tolist() == [0.6, 0.2]


def test_the_temperature_is_low_where_small_differences_can_be_trusted():
    sure = np.array([[0.80, 0.70], [0.70, 0.80]] * 20)
    labels = np.array([0, 1] * 20)
    assert choose_temperature(sure, labels) < 0.02
    wrong_at_times = labels.copy()
    wrong_at_times[:8] = 1 - wrong_at_times[:8]
    assert choose_temperature(sure, wrong_at_times) > 0.02


@pytest.mark.parametrize(
    "values",
    [{"threshold": 2}, {"threshold": float("nan")}, {"temperature": 0}, {"temperature": "warm"}],
)
def test_values_out_of_range_are_refused(values):
    with pytest.raises(ValueError, match="open set"):
        OpenSet(**values)


def test_the_rule_survives_its_dict_and_a_missing_field_is_named():
    assert OpenSet.from_dict({**OpenSet(0.4, 0.02).to_dict(), "chosen_on": "val"}).threshold == 0.4
    with pytest.raises(ValueError, match="temperature"):
        OpenSet.from_dict({"threshold": 0.4})


def test_nothing_to_choose_on_is_refused():
    with pytest.raises(ValueError, match="0 unknown"):
        choose_threshold(np.array([0.5]), np.array([True]), np.zeros(0))
    with pytest.raises(ValueError, match="none"):
        choose_temperature(np.zeros((0, 2)), np.zeros(0, int))
