import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.counting import CountingRule, certainties, certainty
from rpc.counting.certainty import decision_margins
from rpc.structures import Detections

RULE = CountingRule.plain(0.5)
APART = [[0, 0, 10, 10], [20, 0, 30, 10], [40, 0, 50, 10], [60, 0, 70, 10]]
scores = st.floats(0, 1)


def apart(*found, labels=None):
    return Detections(APART[: len(found)], found, labels or range(len(found)))


def logit(score):
    return np.log(score / (1 - score))


def test_the_example_of_the_docs():
    assert decision_margins(np.array([0.9]), 0.4) == pytest.approx([0.5 / 0.58])
    # Threshold 0.4: 0.9 counts, 0.1 does not; the weaker decision is 0.1: |0.1 - 0.4| / 0.42.
    rule = CountingRule.plain(0.4)
    assert certainty(apart(0.9, 0.1), rule) == pytest.approx(0.3 / 0.42)
    assert certainty(apart(0.9, 0.42), rule) == pytest.approx(0.02 / 0.484)


@given(st.floats(0.001, 0.999), st.floats(0.001, 0.999))
def test_the_margin_is_the_distance_in_log_odds(score, threshold):
    expected = np.tanh(abs(logit(score) - logit(threshold)) / 2)
    found = decision_margins(np.array([score]), threshold)
    assert found == pytest.approx([expected], abs=1e-9)


@given(st.lists(scores, max_size=4), scores)
def test_a_list_is_as_sure_as_its_weakest_decision(found, threshold):
    rule = CountingRule.plain(threshold)
    alone = [certainty(apart(score), rule) for score in found]
    assert certainty(apart(*found), rule) == min(alone, default=1.0)
    assert all(0 <= one <= 1 for one in alone)


def test_by_item_scores_a_doubtful_name_makes_the_list_doubtful():
    rule = CountingRule(0.5, nms_iou=1.0, counts_by="item_score")
    sure, torn = [0.9, 0.81, 0.05], [0.9, 0.54, 0.05]  # 0.54 of 0.9: a share of 0.6
    items = [0.9, 0.9, 0.05]
    for found, expected in ((sure, 0.8), (torn, 0.2)):
        one = Detections(APART[:3], found, [0, 1, 2], items)
        assert certainty(one, rule) == pytest.approx(expected)
    undecided = Detections(APART[:1], [0.3], [0], [0.9])
    assert certainty(undecided, rule) == 0.0
    assert certainty(Detections(APART[:1], [0.0], [0], [0.0]), rule) == 1.0


def test_nothing_to_decide_on_is_certain_and_a_box_at_the_threshold_is_not():
    assert certainty(Detections.empty(), RULE) == 1.0
    assert certainty(apart(0.5), RULE) == 0.0
    assert certainty(apart(1.0), CountingRule.plain(1.0)) == 0.0
    assert certainty(apart(0.0), CountingRule.plain(0.0)) == 0.0
    assert certainty(apart(1.0, 0.0), RULE) == 1.0


def test_a_second_name_of_a_counted_item_does_not_matter():
    place = [[0, 0, 10, 10], [0, 0, 10, 11]]
    assert certainty(Detections(place, [0.9, 0.45], [0, 1]), RULE) == pytest.approx(0.8)
    # Where the first name does not count either, both are decisions.
    assert certainty(Detections(place, [0.45, 0.4], [0, 1]), RULE) == pytest.approx(0.1)


def test_a_duplicate_that_is_suppressed_is_no_decision():
    place = [[0, 0, 10, 10], [0, 0, 10, 6]]
    boxes = Detections(place, [0.9, 0.55], [0, 0])
    assert certainty(boxes, RULE) == pytest.approx(0.1)
    assert certainty(boxes, CountingRule(0.5, containment=0.9)) == pytest.approx(0.8)


@given(st.lists(scores, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_the_order_of_the_boxes_does_not_matter(found, random):
    boxes = apart(*found)
    rows = list(range(len(found)))
    random.shuffle(rows)
    assert certainty(boxes.select(rows), RULE) == certainty(boxes, RULE)


@given(st.lists(st.floats(0.51, 0.99), min_size=1, max_size=4), st.floats(0, 0.2))
def test_a_shift_of_the_threshold_within_the_certainty_changes_no_count(found, shift):
    boxes = apart(*found)
    if shift < 0.5 * certainty(boxes, RULE):
        moved = CountingRule.plain(0.5 + shift)
        assert moved.count(boxes) == RULE.count(boxes)


def test_many_photos_give_one_number_each():
    assert certainties([apart(0.9), Detections.empty()], RULE).tolist() == pytest.approx([0.8, 1.0])
    assert certainties([], RULE).shape == (0,)
