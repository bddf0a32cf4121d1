import numpy as np
import pytest

from rpc.structures import Detections

BOXES = [[0, 0, 2, 2], [1, 1, 3, 4], [0, 0, 9, 9]]


def test_rows_stay_together_when_selected():
    found = Detections(BOXES, [0.9, 0.2, 0.5], [3, 1, 2])
    kept = found.select(found.scores > 0.4)
    assert kept.labels.tolist() == [3, 2]
    assert kept.boxes.tolist() == [BOXES[0], BOXES[2]]
    assert found.select([2, 0]).scores.tolist() == [0.5, 0.9]


def test_selecting_nothing_gives_empty_detections():
    assert len(Detections.empty()) == 0
    assert len(Detections(BOXES, [1, 1, 1], [0, 0, 0]).select([False] * 3)) == 0


@pytest.mark.parametrize(
    ("scores", "labels", "message"),
    [
        ([0.5], [1, 1, 1], "3 boxes, 1 scores, 3 labels"),
        ([0.5, np.inf, 0.1], [1, 1, 1], "score 1 is not finite"),
        ([0.5, 0.5, 0.1], [1, -1, 1], "labels must be >= 0, got -1"),
    ],
)
def test_detections_that_contradict_themselves_are_refused(scores, labels, message):
    with pytest.raises(ValueError, match=message):
        Detections(BOXES, scores, labels)


def test_item_scores_stay_with_their_rows_and_may_be_unknown():
    found = Detections(BOXES, [0.9, 0.2, 0.5], [3, 1, 2], [0.95, 0.8, 0.6])
    assert found.select([1, 0]).item_scores.tolist() == [0.8, 0.95]
    assert found.select([False] * 3).item_scores.tolist() == []
    assert Detections(BOXES, [0.9, 0.2, 0.5], [3, 1, 2]).select([1]).item_scores is None


@pytest.mark.parametrize(
    ("items", "message"),
    [([0.5], "3 boxes, 1 item scores"), ([0.5, np.nan, 0.1], "item score 1 is not finite")],
)
def test_item_scores_that_do_not_fit_are_refused(items, message):
    with pytest.raises(ValueError, match=message):
        Detections(BOXES, [0.5, 0.5, 0.5], [0, 0, 0], items)
