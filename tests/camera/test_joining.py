import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rpc.camera.joining import join_looks
from rpc.checkout.seen import Seen, named, see
from rpc.structures import Detections

SKUS = 4


def look(boxes, items, rows):
    return named(np.asarray(boxes, float), np.asarray(items, float), np.asarray(rows, float))


def sure(label, share=0.9):
    row = np.full(SKUS + 1, (1 - share) / SKUS)
    row[label] = share
    return row


@st.composite
def looks(draw):
    """A few items far apart, seen by each look with jitter; some are missing in some."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    places = np.arange(draw(st.integers(0, 5))) * 100.0
    found = []
    for _ in range(draw(st.integers(1, 5))):
        there = places[rng.random(len(places)) < 0.8]
        corners = there[:, None] + np.array([0.0, 0, 60, 60]) + rng.normal(0, 3, (len(there), 4))
        rows = rng.dirichlet(np.full(SKUS + 1, 0.3), len(there)).reshape(-1, SKUS + 1)
        scores = rng.uniform(0.2, 1, len(there))
        found.append(see(Detections(corners, scores, np.zeros(len(there), int)), rows))
    return found


def assert_same(a, b):
    for name in ("boxes", "scores", "labels", "item_scores"):
        np.testing.assert_allclose(getattr(a.detections, name), getattr(b.detections, name), 1e-4)
    np.testing.assert_allclose(a.probabilities, b.probabilities, 1e-4, 1e-5)


@settings(max_examples=25)
@given(looks(), st.randoms())
def test_the_order_of_frames_changes_nothing(found, chance):
    shuffled = list(found)
    chance.shuffle(shuffled)
    assert_same(join_looks(found), join_looks(shuffled))


@settings(max_examples=25)
@given(looks())
def test_joined_rows_are_probabilities_and_as_many_as_there_are_places(found):
    joined = join_looks(found)
    np.testing.assert_allclose(joined.probabilities.sum(axis=1), 1)
    places = {round(float(x) / 100) for one in found for x in one.detections.boxes[:, 0]}
    assert len(joined.detections) == len(places)
    assert (np.diff(joined.detections.scores) <= 0).all()


@settings(max_examples=25)
@given(looks())
def test_one_frame_is_itself_and_so_are_copies_of_it(found):
    assert join_looks(found[:1]) is found[0]
    assert_same(join_looks([found[0]] * 3), found[0])


def test_a_box_that_one_of_five_frames_has_loses_its_score():
    item = [0, 0, 50, 50]
    with_ghost = look([item, [200, 200, 250, 250]], [0.9, 0.9], [sure(0), sure(1)])
    plain = look([item], [0.9], [sure(0)])
    joined = join_looks([plain, plain, with_ghost, plain, plain])
    np.testing.assert_allclose(joined.detections.item_scores, [0.9, 0.18])
    assert joined.detections.labels.tolist() == [0, 1]


def test_names_are_voted_by_the_mean_of_log_probabilities():
    item = [[0, 0, 50, 50]]
    doubtful = np.array([0.5, 0.4, 0.04, 0.03, 0.03])
    clear = np.array([0.05, 0.85, 0.04, 0.03, 0.03])
    joined = join_looks([look(item, [0.9], [row]) for row in (doubtful, doubtful, clear)])
    expected = np.exp((2 * np.log(doubtful) + np.log(clear)) / 3)
    np.testing.assert_allclose(joined.probabilities[0], expected / expected.sum())
    assert joined.detections.labels.tolist() == [1]


def test_two_items_that_lie_close_stay_two():
    near = [[0, 0, 50, 50], [20, 0, 70, 50]]
    shifted = [[21, 0, 71, 50], [1, 0, 51, 50]]
    joined = join_looks(
        [look(near, [0.9, 0.9], [sure(0), sure(1)]), look(shifted, [0.8, 0.8], [sure(1), sure(0)])]
    )
    assert sorted(joined.detections.labels.tolist()) == [0, 1]
    np.testing.assert_allclose(joined.detections.item_scores, [0.85, 0.85])


def test_detectors_that_name_items_are_joined_label_by_label():
    box = np.array([[0.0, 0, 50, 50], [0, 0, 50, 50]])
    one = Seen(Detections(box, [0.8, 0.3], [2, 1]))
    other = Seen(Detections(box[:1] + 1, [0.6], [2]))
    joined = join_looks([one, other])
    assert joined.detections.labels.tolist() == [2, 1]
    np.testing.assert_allclose(joined.detections.scores, [0.7, 0.15])
    assert joined.detections.item_scores is None
    assert joined.probabilities is None


def test_nothing_on_any_frame_is_an_empty_look():
    nothing = look(np.zeros((0, 4)), [], np.zeros((0, SKUS + 1)))
    assert len(join_looks([nothing, nothing]).detections) == 0
    empty = Seen(Detections.empty())
    assert len(join_looks([empty, empty]).detections) == 0


def test_what_cannot_be_joined_is_refused():
    with pytest.raises(ValueError, match="one or more"):
        join_looks([])
    item = [[0, 0, 50, 50]]
    named_look = look(item, [0.9], [sure(0)])
    with pytest.raises(ValueError, match="same SKUs"):
        join_looks([named_look, Seen(Detections(item, [0.9], [0]))])
