import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rpc.counting import CountingRule, RuleGrid, choose_rule
from rpc.counting.choose import sum_of_errors
from rpc.metrics import checkout_metrics
from rpc.structures import Detections

SKUS = 4
SMALL = RuleGrid(thresholds=(0.1, 0.3, 0.5, 0.7), agnostic_ious=(1.0, 0.7), containments=(1.0, 0.8))


def make_photo(rng, count, distinct=True):
    """Boxes that often overlap, as a detector names items again and again."""
    centres = rng.uniform(50, 250, (max(1, count // 3), 2))
    middle = centres[rng.integers(0, len(centres), count)] + rng.normal(0, 12, (count, 2))
    half = rng.uniform(8, 45, (count, 2))
    scores = rng.permutation(np.linspace(0.02, 0.98, count)) if distinct else rng.random(count)
    return Detections(
        np.concatenate([middle - half, middle + half], axis=1),
        scores,
        rng.integers(0, SKUS, count),
    )


def make_photos(seed, images, count):
    """Photos, and true counts that are not far from them."""
    rng = np.random.default_rng(seed)
    photos = [make_photo(rng, int(rng.integers(0, count + 1))) for _ in range(images)]
    return photos, rng.integers(0, 3, (images, SKUS))


def apart(scores, labels):
    """Boxes that do not touch."""
    return Detections([[20 * i, 0, 20 * i + 9, 9] for i in range(len(scores))], scores, labels)


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(1, 30))
def test_one_suppression_serves_every_threshold(seed, max_items):
    photos, truth = make_photos(seed, 3, 25)
    rules = [
        CountingRule(0, nms, agnostic, inside, max_items)
        for nms in (0.5, 1.0)
        for agnostic in (0.6, 1.0)
        for inside in (0.8, 1.0)
    ]
    steps = (0.0, 0.2, 0.5, 0.9)
    wrong = sum_of_errors(photos, truth, rules, steps)
    for s, rule in enumerate(rules):
        for t, threshold in enumerate(steps):
            counts = replace(rule, threshold=threshold).counts(photos, truth.shape[1])
            assert wrong[s, t].tolist() == np.abs(counts - truth).sum(axis=1).tolist()


@pytest.mark.parametrize("seed", range(5))
def test_the_choice_is_within_one_tray_and_close_to_the_best_of_the_whole_grid(seed):
    photos, truth = make_photos(seed, 12, 15)
    choice = choose_rule(photos, truth, grid=SMALL)
    tried = [
        checkout_metrics(
            replace(
                choice.rule, threshold=threshold, agnostic_iou=agnostic, containment=inside
            ).counts(photos, truth.shape[1]),
            truth,
        )
        for threshold in SMALL.thresholds
        for agnostic in SMALL.agnostic_ious
        for inside in SMALL.containments
    ]
    best = max(m.cAcc for m in tried)
    assert choice.metrics.cAcc >= best - 1 / 12 - 1e-9
    near = [m.ACD for m in tried if m.cAcc >= best - 1 / 12 - 1e-9]
    assert choice.metrics.ACD <= min(near) + 1 / 12 + 1e-9


def test_the_middle_of_the_plateau_is_taken():
    # Any threshold above 0.2 and up to 0.6 reads all trays right.
    photos = [apart([0.9, 0.6, 0.2], [0, 1, 1])] * 10
    choice = choose_rule(photos, [[1, 1]] * 10)
    assert choice.rule.threshold == pytest.approx(0.4, abs=0.01)
    assert (choice.metrics.cAcc, choice.metrics.ACD) == (1.0, 0.0)
    assert choice.rule.agnostic_iou == choice.rule.containment == 1.0  # the gentlest


def test_one_lucky_tray_does_not_outweigh_many_items():
    # From 0.8 on one tray of ten is right by chance and all others have lost three items; at 0.5
    # none is right, and each is one item off.
    lucky = apart([0.9, 0.7, 0.6], [0, 1, 1])
    others = apart([0.7, 0.7, 0.7], [0, 0, 0])
    choice = choose_rule([lucky] + [others] * 9, [[1, 0]] + [[4, 0]] * 9)
    assert choice.rule.threshold < 0.7


def with_items(one, seed):
    """The same boxes, and item scores that order them otherwise."""
    items = np.random.default_rng(seed).permutation(np.linspace(0.03, 0.97, len(one)))
    return Detections(one.boxes, one.scores, one.labels, items)


@settings(max_examples=20)
@given(st.integers(0, 10_000))
def test_one_suppression_serves_every_threshold_by_item_scores_too(seed):
    photos, truth = make_photos(seed, 3, 25)
    photos = [with_items(one, seed) for one in photos]
    rules = [
        CountingRule(0, 0.6, 0.5, 0.9, 30, inside, counts_by="item_score") for inside in (0.7, 1.0)
    ]
    steps = (0.0, 0.2, 0.5, 0.9)
    wrong = sum_of_errors(photos, truth, rules, steps)
    for s, rule in enumerate(rules):
        for t, threshold in enumerate(steps):
            counts = replace(rule, threshold=threshold).counts(photos, truth.shape[1])
            assert wrong[s, t].tolist() == np.abs(counts - truth).sum(axis=1).tolist()


def test_items_are_told_from_background_by_item_scores_where_names_are_in_doubt():
    # By score the doubtful item (0.45) is below the background (0.5); by item score it is not.
    boxes = [[20 * i, 0, 20 * i + 9, 9] for i in range(3)]
    photo = Detections(boxes, [0.9, 0.45, 0.5], [0, 1, 2], [0.9, 0.85, 0.5])
    choice = choose_rule([photo] * 6, [[1, 1, 0]] * 6)
    assert choice.rule.counts_by == "item_score"
    assert choice.metrics.cAcc == 1.0
    assert 0.5 < choice.rule.threshold <= 0.85
    without = Detections(photo.boxes, photo.scores, photo.labels)
    assert choose_rule([without] * 6, [[1, 1, 0]] * 6).metrics.cAcc == 0.0
    assert choose_rule([without, photo], [[1, 1, 0]] * 2).rule.counts_by == "score"


def test_photos_without_boxes_do_not_hide_the_item_scores_of_others():
    photo = with_items(apart([0.9, 0.8], [0, 1]), 0)
    rule = choose_rule([photo, Detections.empty()], [[1, 1], [0, 0]]).rule
    assert rule.counts_by == "item_score"


def test_by_item_scores_a_part_of_another_name_is_a_duplicate():
    boxes = [[0, 0, 50, 50], [1, 0, 51, 50], [10, 10, 30, 30], [100, 0, 150, 50]]
    photo = Detections(boxes, [0.9, 0.85, 0.8, 0.8], [0, 1, 3, 2], [0.95, 0.9, 0.9, 0.9])
    choice = choose_rule([photo] * 4, [[1, 0, 1, 0]] * 4)
    assert choice.metrics.cAcc == 1.0
    assert choice.rule.agnostic_iou == choice.rule.nms_iou < 0.97
    assert choice.rule.agnostic_containment == choice.rule.containment < 1


def test_duplicates_under_two_names_switch_the_suppression_on():
    boxes = [[0, 0, 50, 50], [1, 0, 51, 50], [100, 0, 150, 50]]
    photos = [Detections(boxes, [0.9, 0.85, 0.8], [0, 1, 2])] * 4
    choice = choose_rule(photos, [[1, 0, 1]] * 4)
    assert choice.metrics.cAcc == 1.0
    assert choice.rule.agnostic_iou < 1


def test_the_curve_is_that_of_the_chosen_rule():
    photos, truth = make_photos(5, 8, 20)
    choice = choose_rule(photos, truth)
    assert [point.threshold for point in choice.curve] == list(RuleGrid().thresholds)
    for point in choice.curve[::13]:
        rule = replace(choice.rule, threshold=point.threshold)
        metrics = checkout_metrics(rule.counts(photos, truth.shape[1]), truth)
        assert (point.cAcc, point.ACD) == pytest.approx((metrics.cAcc, metrics.ACD))
        if point.threshold == choice.rule.threshold:
            assert metrics == choice.metrics


def test_the_order_of_photos_and_boxes_does_not_change_the_choice():
    photos, truth = make_photos(11, 9, 20)
    mixed = [one.select(np.arange(len(one))[::-1]) for one in photos[::-1]]
    assert choose_rule(mixed, truth[::-1]).rule == choose_rule(photos, truth).rule


def test_only_the_threshold_is_chosen_on_request():
    photos, truth = make_photos(2, 5, 20)
    base = CountingRule(nms_iou=0.4, agnostic_iou=0.77, containment=0.55, max_items=9)
    rule = choose_rule(photos, truth, base=base, grid=RuleGrid.threshold_only()).rule
    assert replace(rule, threshold=base.threshold) == base
    by_item = replace(base, counts_by="item_score", agnostic_containment=0.66)
    photos = [with_items(one, 3) for one in photos]
    rule = choose_rule(photos, truth, base=by_item, grid=RuleGrid.threshold_only()).rule
    assert replace(rule, threshold=base.threshold) == by_item


def test_no_detections_at_all_still_give_a_rule():
    choice = choose_rule([Detections.empty()] * 3, [[1, 0]] * 3)
    assert choice.rule == CountingRule(threshold=0.5)
    assert choice.metrics.cAcc == 0.0


@pytest.mark.parametrize(
    ("photos", "truth", "message"),
    [
        ([], np.zeros((0, 2), int), "one or more; got 0"),
        ([Detections.empty()], [[1], [2]], r"got 1 detections and gt_counts \(2, 1\)"),
        ([apart([0.9], [3])], [[1, 1]], "label 3 is not below the 2 SKUs"),
        ([Detections.empty()], [[-1]], "counts >= 0"),
    ],
)
def test_input_that_does_not_fit_is_refused(photos, truth, message):
    with pytest.raises(ValueError, match=message):
        choose_rule(photos, truth)


def test_grids_that_do_not_rise_are_refused():
    for thresholds in ((), (0.5, 0.5), (0.5, 1.5)):
        with pytest.raises(ValueError, match="rising"):
            RuleGrid(thresholds=thresholds)


@pytest.mark.slow
def test_the_whole_grid_on_36_photos_of_300_boxes_takes_less_than_3_seconds():
    rng = np.random.default_rng(0)
    photos = [make_photo(rng, 300) for _ in range(36)]
    truth = rng.integers(0, 3, (36, 4))
    start = time.process_time()
    choose_rule(photos, truth)
    assert time.process_time() - start < 3
