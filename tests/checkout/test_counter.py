"""The checkout counter: who finds, who names, what counts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.checkout import Checkout, name_items
from rpc.counting import CountingRule
from rpc.data import Category, DataError, Taxonomy
from rpc.structures import Detections

SKUS = Taxonomy([Category(1, "a"), Category(2, "b")])
PHOTO = np.zeros((100, 100, 3), np.uint8)
BOXES = [[0, 0, 10, 10], [20, 0, 30, 10], [40, 0, 50, 10]]


class Finds:
    def __init__(self, scores, labels=None):
        self.found = Detections(BOXES[: len(scores)], scores, labels or [0] * len(scores))
        self.looks = 0

    def predict(self, rgb):
        return self.found

    def predict_batch(self, photos):
        self.looks += 1
        return [self.found] * len(photos)


class Names:
    def __init__(self, rows):
        self.rows = np.array(rows)
        self.asked = None

    def probabilities(self, rgb, boxes):
        self.asked = boxes
        return self.rows[: len(boxes)]


def test_an_item_gets_its_likeliest_sku_and_the_product_of_both_scores():
    found = Detections(BOXES, [0.9, 0.8, 0.5], [0, 0, 0])
    probabilities = np.array([[0.1, 0.4, 0.5], [0.9, 0.1, 0.0], [0.2, 0.8, 0.0]])
    named = name_items(found, probabilities)
    assert named.labels.tolist() == [0, 1, 1]  # best first: 0.72, 0.40, 0.36
    np.testing.assert_allclose(named.scores, [0.72, 0.4, 0.36])
    assert named.boxes[:, 0].tolist() == [20, 40, 0]


def test_doubt_about_the_name_takes_nothing_from_being_an_item():
    found = Detections(BOXES, [0.9, 0.9, 0.9], [0, 0, 0])
    rows = [[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.25, 0.25, 0.5]]
    named = name_items(found, np.array(rows))
    np.testing.assert_allclose(named.scores, [0.9, 0.45, 0.225])
    np.testing.assert_allclose(named.item_scores, [0.9, 0.9, 0.45])


@given(st.integers(0, 3), st.integers(1, 4), st.integers(0, 99))
def test_naming_never_raises_a_score_and_loses_no_box(count, skus, seed):
    rng = np.random.default_rng(seed)
    found = Detections(BOXES[:count], rng.random(count), [0] * count)
    named = name_items(found, rng.dirichlet(np.ones(skus + 1), count).reshape(count, skus + 1))
    assert len(named) == count
    assert named.scores.sum() <= found.scores.sum() + 1e-12
    assert (named.scores <= named.item_scores + 1e-12).all()
    assert named.item_scores.sum() <= found.scores.sum() + 1e-12
    assert (np.diff(named.scores) <= 0).all()
    assert sorted(map(tuple, named.boxes.tolist())) == sorted(map(tuple, found.boxes.tolist()))


@pytest.mark.parametrize("shape", [(2, 3), (3, 1), (3,), (4, 3), (3, 3, 1)])
def test_probabilities_of_another_shape_are_refused(shape):
    found = Detections(BOXES, [0.9, 0.8, 0.5], [0, 0, 0])
    with pytest.raises(ValueError, match=r"expected \(3, SKUs \+ 1\), got "):
        name_items(found, np.ones(shape))


def test_only_boxes_from_the_floor_on_are_named():
    names = Names([[0.0, 1.0, 0.0]] * 3)
    checkout = Checkout(Finds([0.9, 0.05, 0.04]), SKUS, names, floor=0.05)
    assert checkout.detect(PHOTO).labels.tolist() == [1, 1]
    assert len(names.asked) == 2


def test_a_tray_without_items_is_an_empty_list():
    checkout = Checkout(Finds([]), SKUS, Names(np.zeros((0, 3))), CountingRule())
    assert checkout.shopping_list(PHOTO).total == 0


def test_without_a_recogniser_the_detectors_labels_count():
    checkout = Checkout(Finds([0.9, 0.8, 0.01], [1, 0, 1]), SKUS, rule=CountingRule(0.0))
    assert checkout.detect(PHOTO).labels.tolist() == [1, 0, 1]  # below the floor, too
    assert checkout.shopping_list(PHOTO).counts == {0: 1, 1: 2}


def test_another_rule_changes_what_counts_and_nothing_else():
    names = Names([[1.0, 0.0, 0.0]] * 3)
    checkout = Checkout(Finds([0.9, 0.6, 0.3]), SKUS, names, CountingRule(0.5))
    assert checkout.shopping_list(PHOTO).counts == {0: 2}
    assert checkout.with_rule(CountingRule(0.1)).shopping_list(PHOTO).counts == {0: 3}
    assert checkout.shopping_list(PHOTO).counts == {0: 2}


def test_a_counter_without_a_rule_says_what_to_do():
    for count in (Checkout(Finds([0.9]), SKUS).counted, Checkout(Finds([0.9]), SKUS)):
        with pytest.raises(DataError, match=r"model: holds no counting rule: .* give a threshold"):
            count(PHOTO)


def test_a_threshold_without_a_rule_asks_whether_it_is_an_item():
    names = Names([[0.5, 0.5, 0.0], [0.9, 0.0, 0.1]])
    checkout = Checkout(Finds([0.9, 0.9]), SKUS, names).with_threshold(0.6)
    assert checkout.shopping_list(PHOTO).total == 2  # by score the first one has 0.45
    former = Checkout(Finds([0.9, 0.9]), SKUS, names, CountingRule(0.5)).with_threshold(0.6)
    assert former.shopping_list(PHOTO).total == 1  # a rule of a former version stays what it is


def test_one_look_serves_the_whole_receipt():
    finds = Finds([0.9, 0.8])
    receipt = Checkout(finds, SKUS, Names([[0.7, 0.2, 0.1]] * 2), CountingRule(0.5))(PHOTO)
    assert receipt.counts == {"a": 2}
    assert receipt.items[0].alternatives == (("a", 0.7), ("b", 0.2))
    assert finds.looks == 1


def test_a_list_gives_as_many_receipts_and_goes_through_in_parts(monkeypatch):
    monkeypatch.setattr("rpc.checkout.counter.AT_ONCE", 2)
    finds = Finds([0.9])
    checkout = Checkout(finds, SKUS, rule=CountingRule(0.5))
    receipts = checkout([PHOTO] * 5)
    assert receipts == [checkout(PHOTO)] * 5
    assert finds.looks == 3 + 1
    assert checkout([]) == []
    assert checkout((PHOTO,)) == receipts[:1]


@pytest.mark.parametrize("photo", [None, 7, PHOTO[..., 0], PHOTO / 255, np.stack([PHOTO] * 2)])
def test_what_is_no_photo_is_refused_with_its_place_in_the_list(photo):
    checkout = Checkout(Finds([]), SKUS, rule=CountingRule())
    expected = r"expected a path, bytes, a PIL image or an RGB array \(H, W, 3\) uint8, got "
    with pytest.raises(DataError, match="^photo: " + expected):
        checkout(photo)
    with pytest.raises(DataError, match="^photo 9: " + expected):
        checkout([PHOTO] * 9 + [photo])


def test_another_threshold_keeps_the_rest_of_the_rule():
    checkout = Checkout(Finds([0.9, 0.6]), SKUS, rule=CountingRule(0.5, max_items=1))
    assert checkout.with_threshold(0.95)(PHOTO).counts == {}
    assert checkout.with_threshold(0.3).rule == CountingRule(0.3, max_items=1)
    with pytest.raises(DataError, match="threshold: expected 0 <= value <= 1, got 2"):
        checkout.with_threshold(2)


def test_a_counter_says_what_it_is():
    checkout = Checkout(Finds([]), SKUS, name="m.pth", device="cuda:1")
    assert repr(checkout) == "Checkout(m.pth, 2 SKUs, on cuda:1)"
