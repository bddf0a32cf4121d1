import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.counting import CountingRule
from rpc.structures import Detections, ShoppingList, box_iou
from rpc.structures.boxes import box_areas, intersection_areas

LIMITS = st.sampled_from([0.2, 0.5, 0.8, 1.0])
RULES = st.builds(
    CountingRule,
    threshold=st.floats(0, 1),
    nms_iou=LIMITS,
    agnostic_iou=LIMITS,
    containment=LIMITS,
    agnostic_containment=LIMITS,
    max_items=st.integers(1, 12),
    counts_by=st.sampled_from(["score", "item_score"]),
)
BOXES = st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(1, 6), st.integers(1, 6))


@st.composite
def detections(draw, max_size=12):
    """Small integer boxes: touching, equal and nested ones are common."""
    boxes = draw(st.lists(BOXES, max_size=max_size))
    count = len(boxes)
    scores = draw(
        st.lists(st.integers(1, 99), min_size=count, max_size=count, unique=True)
    )  # distinct, in hundredths
    labels = draw(st.lists(st.integers(0, 2), min_size=count, max_size=count))
    items = None
    if draw(st.booleans()):
        hundredths = st.lists(st.integers(1, 99), min_size=count, max_size=count, unique=True)
        items = np.array(draw(hundredths)) / 100
    xyxy = [(x, y, x + w, y + h) for x, y, w, h in boxes]
    return Detections(
        np.reshape(xyxy, (-1, 4)), np.array(scores) / 100, np.array(labels, int), items
    )


def rows(one):
    return [
        (*box, score, label)
        for box, score, label in zip(
            one.boxes.tolist(), one.scores.tolist(), one.labels.tolist(), strict=True
        )
    ]


def naive_apply(rule, one):
    """The rule as its docstring tells it: one box after the other."""
    by_item = rule.counts_by == "item_score" and one.item_scores is not None
    scores = one.item_scores if by_item else one.scores
    order = sorted(range(len(one)), key=lambda i: -scores[i])
    iou = box_iou(one.boxes, one.boxes)
    inter, areas = intersection_areas(one.boxes, one.boxes), box_areas(one.boxes)
    kept = []
    for j in order:
        if scores[j] < rule.threshold:
            continue
        for i in kept:
            inside = inter[i, j] / min(areas[i], areas[j])
            if one.labels[i] == one.labels[j]:
                if iou[i, j] > rule.nms_iou or inside > rule.containment:
                    break
            elif iou[i, j] > rule.agnostic_iou or inside > rule.agnostic_containment:
                break
        else:
            kept.append(j)
    return one.select(np.array(kept[: rule.max_items], dtype=int))


@given(RULES, detections())
def test_the_rule_agrees_with_a_naive_loop(rule, one):
    assert rows(rule.apply(one)) == rows(naive_apply(rule, one))


@given(RULES, detections())
def test_what_counts_is_a_subset_best_first_and_counting_again_changes_nothing(rule, one):
    kept = rule.apply(one)
    assert set(rows(kept)) <= set(rows(one))
    assert (np.diff(rule.scores_of(kept)) <= 0).all()
    assert rows(rule.apply(kept)) == rows(kept)


@given(RULES, detections(), st.floats(0, 1))
def test_a_higher_threshold_never_adds_an_item(rule, one, other):
    low, high = sorted([rule.threshold, other])
    few, many = (
        CountingRule.from_dict(rule.to_dict() | {"threshold": value}).apply(one)
        for value in (high, low)
    )
    assert rows(few) == rows(many)[: len(few)]


@given(RULES, detections(), st.randoms(use_true_random=False))
def test_the_order_of_the_detections_does_not_matter(rule, one, random):
    order = list(range(len(one)))
    random.shuffle(order)
    mixed = one.select(np.array(order, dtype=int))
    assert rows(rule.apply(mixed)) == rows(rule.apply(one))


@given(detections())
def test_equal_scores_do_not_make_the_order_matter(one):
    tied = Detections(one.boxes, np.full(len(one), 0.5), one.labels)
    rule = CountingRule(threshold=0.1, agnostic_iou=0.5, containment=0.8)
    reversed_order = tied.select(np.arange(len(tied))[::-1])
    assert rows(rule.apply(reversed_order)) == rows(rule.apply(tied))


def test_a_threshold_counts_the_box_that_meets_it_exactly():
    one = Detections([[0, 0, 9, 9], [20, 0, 29, 9]], [0.5, 0.4999], [0, 0])
    assert CountingRule(threshold=0.5).count(one) == ShoppingList({0: 1})


def test_one_item_named_twice_counts_once_and_by_its_better_name():
    one = Detections([[0, 0, 100, 100], [2, 0, 102, 100]], [0.6, 0.9], [3, 1])
    assert CountingRule(agnostic_iou=0.8).count(one) == ShoppingList({1: 1})
    assert CountingRule(agnostic_iou=1.0).count(one) == ShoppingList({1: 1, 3: 1})


def test_a_part_beside_the_whole_of_the_same_sku_goes_and_of_another_sku_stays():
    boxes, scores = [[0, 0, 100, 100], [10, 10, 40, 40]], [0.9, 0.8]
    rule = CountingRule(containment=0.9)
    assert rule.count(Detections(boxes, scores, [0, 0])).total == 1
    assert rule.count(Detections(boxes, scores, [0, 1])).total == 2
    assert CountingRule(containment=1.0).count(Detections(boxes, scores, [0, 0])).total == 2


def test_a_part_of_another_sku_goes_where_containment_does_not_ask_for_the_sku():
    boxes, scores = [[0, 0, 100, 100], [10, 10, 40, 40]], [0.9, 0.8]
    one = Detections(boxes, scores, [0, 1])
    assert CountingRule(agnostic_containment=0.9).count(one) == ShoppingList({0: 1})
    assert CountingRule(containment=0.9).count(one).total == 2


def test_an_item_counts_by_its_item_score_however_doubtful_its_name_is():
    # The second box is certainly an item and of two SKUs alike; the third is background.
    boxes = [[0, 0, 9, 9], [20, 0, 29, 9], [40, 0, 49, 9]]
    one = Detections(boxes, [0.9, 0.45, 0.2], [0, 1, 2], [0.92, 0.9, 0.25])
    assert CountingRule(0.5, counts_by="item_score").count(one) == ShoppingList({0: 1, 1: 1})
    assert CountingRule(0.5).count(one) == ShoppingList({0: 1})


def test_of_two_boxes_on_one_item_the_better_item_stays_and_gives_the_name():
    one = Detections([[0, 0, 9, 9], [1, 0, 10, 9]], [0.8, 0.5], [0, 1], [0.82, 0.95])
    rule = CountingRule(0.3, agnostic_iou=0.5, counts_by="item_score")
    assert rule.count(one) == ShoppingList({1: 1})


@given(detections())
def test_without_item_scores_a_rule_that_wants_them_counts_by_scores(one):
    plain = Detections(one.boxes, one.scores, one.labels)
    rules = [CountingRule(0.3, agnostic_iou=0.5, counts_by=by) for by in ("score", "item_score")]
    assert rows(rules[0].apply(plain)) == rows(rules[1].apply(plain))


def test_a_box_that_was_suppressed_suppresses_nothing():
    # A covers B, B covers C, A and C barely touch: C stays.
    one = Detections([[0, 0, 10, 4], [4, 0, 14, 4], [9, 0, 19, 4]], [0.9, 0.8, 0.7], [0, 0, 0])
    assert CountingRule(nms_iou=0.3).apply(one).scores.tolist() == [0.9, 0.7]


def test_at_most_max_items_count_and_the_best_ones():
    one = Detections(
        [[i * 20, 0, i * 20 + 9, 9] for i in range(5)], [0.9, 0.7, 0.8, 0.6, 0.95], [0] * 5
    )
    assert CountingRule(max_items=2).apply(one).scores.tolist() == [0.95, 0.9]


def test_the_plain_rule_counts_every_box_from_the_threshold_on():
    one = Detections([[0, 0, 9, 9]] * 150, [0.5] * 150, [0] * 150)
    assert CountingRule.plain(0.5).count(one) == ShoppingList({0: 150})


def test_no_detection_gives_an_empty_list():
    rule = CountingRule(agnostic_iou=0.5)
    assert rule.count(Detections.empty()) == ShoppingList()
    assert rule.counts([Detections.empty()] * 2, 3).tolist() == [[0, 0, 0]] * 2
    assert rule.counts([], 3).shape == (0, 3)


def test_boxes_without_area_do_not_trouble_the_rule():
    one = Detections([[5, 5, 5, 9], [5, 5, 5, 9], [0, 0, 9, 9]], [0.9, 0.8, 0.7], [0, 0, 0])
    assert len(CountingRule(nms_iou=0.5, containment=0.5).apply(one)) == 3


def test_a_label_beyond_the_skus_is_refused():
    one = Detections([[0, 0, 9, 9]], [0.9], [4])
    with pytest.raises(ValueError, match="label 4 is not below 3"):
        CountingRule().counts([one], 3)


@given(RULES)
def test_the_rule_comes_back_from_json_as_it_was(rule):
    assert CountingRule.from_dict(json.loads(json.dumps(rule.to_dict()))) == rule


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"threshold": 1.5}, "threshold: expected 0 <= value <= 1, got 1.5"),
        ({"threshold": float("nan")}, "threshold: expected 0 <= value <= 1, got nan"),
        ({"threshold": "0.5"}, "threshold: .*got '0.5'"),
        ({"nms_iou": 0}, "nms_iou: expected 0 < value <= 1, got 0"),
        ({"containment": True}, "containment: .*got True"),
        ({"max_items": 0}, "max_items: expected an integer >= 1, got 0"),
        ({"max_items": 2.0}, "max_items"),
        ({"agnostic_containment": 0}, "agnostic_containment: expected 0 < value <= 1, got 0"),
        ({"counts_by": "area"}, "counts_by: expected one of score, item_score, got 'area'"),
        ({"counts_by": 1}, "counts_by: .* got 1"),
        ({"soft": 1}, "the field 'soft' is not known; expected agnostic_containment"),
    ],
)
def test_rules_that_make_no_sense_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        CountingRule.from_dict(CountingRule().to_dict() | change)


def test_a_rule_from_a_file_must_be_whole():
    with pytest.raises(ValueError, match="the field 'agnostic_iou' is missing"):
        CountingRule.from_dict({"threshold": 0.5})
    with pytest.raises(ValueError, match="expected an object"):
        CountingRule.from_dict([0.5])


def test_a_rule_of_a_former_version_counts_as_it_did():
    former = {
        "threshold": 0.3,
        "nms_iou": 0.65,
        "agnostic_iou": 0.5,
        "containment": 0.8,
        "max_items": 100,
    }
    rule = CountingRule.from_dict(former)
    assert (rule.counts_by, rule.agnostic_containment) == ("score", 1.0)
    one = Detections([[0, 0, 9, 9], [20, 0, 29, 9]], [0.2, 0.4], [0, 1], [0.9, 0.9])
    assert rule.count(one) == ShoppingList({1: 1})
