"""Odds of foreign things: Bayes' rule on what was seen, and the choice on labelled photos."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.checkout.seen import Seen, see
from rpc.counting import CountingRule
from rpc.pipelines.labelled_trays import rule_of_photos
from rpc.structures import Detections

PLACES = np.array([[20.0 * n, 0, 20 * n + 10, 10] for n in range(5)])


def seen(scores, nothing, names=None):
    """Boxes with these scores of the detector and probabilities of 'no single product'."""
    nothing = np.array(nothing, float)
    first = np.full(len(nothing), 0.9) if names is None else np.array(names, float)
    table = np.stack([first * (1 - nothing), (1 - first) * (1 - nothing), nothing], axis=1)
    found = Detections(PLACES[: len(nothing)], np.array(scores, float), np.zeros(len(nothing), int))
    return see(found, table)


@given(
    st.lists(st.tuples(st.floats(0.01, 1), st.floats(0, 0.999), st.floats(0.51, 1)), min_size=1,
             max_size=5),
    st.floats(0.01, 1),
)  # fmt: skip
def test_odds_are_those_of_bayes_rule_and_names_stay(boxes, odds):
    scores, nothing, names = map(np.array, zip(*boxes, strict=True))
    after = seen(scores, nothing, names).with_foreign_odds(odds)
    by_place = np.argsort(after.detections.boxes[:, 0])
    table = after.probabilities[by_place]
    share = odds * nothing / (odds * nothing + 1 - nothing)
    np.testing.assert_allclose(table[:, -1], share, atol=1e-9)
    np.testing.assert_allclose(table[:, 0] / table[:, :-1].sum(axis=1), names, atol=1e-9)
    np.testing.assert_allclose(
        after.detections.item_scores[by_place], scores * (1 - share), atol=1e-9
    )


def test_odds_of_one_and_boxes_that_the_detector_names_stay_as_they_are():
    one = seen([0.9], [0.5])
    assert one.with_foreign_odds(1.0) is one
    named_by_detector = Seen(Detections(PLACES[:1], [0.9], [0]))
    assert named_by_detector.with_foreign_odds(0.1) is named_by_detector
    with pytest.raises(ValueError, match="above 0"):
        one.with_foreign_odds(0.0)


def test_a_rule_keeps_its_odds_and_looks_by_them():
    rule = CountingRule(0.5, counts_by="item_score", foreign_odds=0.1)
    assert CountingRule.from_dict(rule.to_dict()) == rule
    doubted = seen([0.9], [0.6])
    assert len(rule.apply(doubted.detections)) == 0
    assert len(rule.apply(doubted.by_rule(rule).detections)) == 1
    assert doubted.by_rule(None) is doubted
    for odds in (0, 1.5, True, "1", float("nan")):
        with pytest.raises(ValueError, match="foreign_odds"):
            CountingRule(foreign_odds=odds)


def truths(trays, items):
    return [Detections(PLACES[:items], np.ones(items), np.zeros(items, int)) for _ in range(trays)]


def counts(trays, items):
    return np.array([[items, 0]] * trays)


ODDS = (0.1, 1.0)


def test_items_that_the_recogniser_takes_for_foreign_ask_for_low_odds():
    # Weak boxes that are nothing beside items of which the recogniser says 'nothing' at 0.8.
    trays = [seen([0.9, 0.9, 0.9, 0.35], [0.02, 0.8, 0.8, 0.1]) for _ in range(10)]
    rule, by_rule = rule_of_photos(truths(10, 3), trays, counts(10, 3), ODDS)
    assert rule.foreign_odds == 0.1
    assert all(len(rule.apply(one.detections)) == 3 for one in by_rule)
    alone, _ = rule_of_photos(truths(10, 3), trays, counts(10, 3))
    assert alone.foreign_odds == 1.0
    assert len(alone.apply(trays[0].detections)) != 3


def test_foreign_things_on_the_trays_ask_for_the_odds_of_the_training():
    # Weak items, and strong boxes on things of which the recogniser says 'nothing' at 0.8.
    trays = [seen([0.4, 0.4, 0.9, 0.9, 0.9], [0.02, 0.02, 0.8, 0.8, 0.8]) for _ in range(10)]
    rule, by_rule = rule_of_photos(truths(10, 2), trays, counts(10, 2), ODDS)
    assert rule.foreign_odds == 1.0
    assert all(len(rule.apply(one.detections)) == 2 for one in by_rule)


def test_what_is_better_by_one_item_alone_is_no_reason_to_leave_the_first():
    trays = [seen([0.9, 0.9], [0.02, 0.02]) for _ in range(9)]
    trays.append(seen([0.9, 0.9, 0.9], [0.02, 0.02, 0.8]))
    assert rule_of_photos(truths(10, 2), trays, counts(10, 2), ODDS)[0].foreign_odds == 0.1
