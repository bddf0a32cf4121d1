"""Names in the light of the tray's other items, and the gain that labelled trays choose."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.checkout.seen import see
from rpc.counting.repeats import GAINS, NamedBoxes, choose_gain, with_repeats
from rpc.structures import Detections


def apart(count):
    """Boxes (N, 4) that do not touch."""
    left = 30.0 * np.arange(count)
    return np.stack([left, 0 * left, left + 20, 0 * left + 20], axis=1)


def tray(rows, boxes=None, items=None):
    table = np.array(rows, np.float64)
    return NamedBoxes(
        apart(len(table)) if boxes is None else boxes,
        np.ones(len(table)) if items is None else np.array(items),
        table,
    )


SPLIT = [[0.4, 0.6, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]]  # either of two SKUs; surely the first


def test_a_split_name_goes_to_the_sku_that_lies_there_already():
    # By hand, gain 3: 0.4 * (1 + 3 * 1) = 1.6 against 0.6 * (1 + 0).
    found = with_repeats(tray(SPLIT), 3.0)
    np.testing.assert_allclose(found[0], [1.6 / 2.2, 0.6 / 2.2, 0, 0], atol=1e-6)
    np.testing.assert_allclose(found[1], [1, 0, 0, 0], atol=1e-6)


def test_a_second_look_at_the_same_item_is_no_other_item():
    same = np.array([[0.0, 0, 20, 20], [1, 0, 21, 20]])
    np.testing.assert_allclose(with_repeats(tray(SPLIT, same), 3.0), SPLIT, atol=1e-9)


def test_a_box_that_is_hardly_an_item_tells_hardly_anything():
    found = with_repeats(tray(SPLIT, items=[1.0, 0.01]), 3.0)
    np.testing.assert_allclose(found, SPLIT, atol=0.01)


tables = st.integers(1, 5).flatmap(
    lambda n: st.lists(
        st.lists(st.floats(0.001, 1), min_size=4, max_size=4), min_size=n, max_size=n
    )
)


@given(table=tables, gain=st.sampled_from(GAINS))
def test_rows_keep_their_sum_and_what_is_no_product_keeps_its_share(table, gain):
    rows = np.array(table)
    rows /= rows.sum(axis=1, keepdims=True)
    found = with_repeats(tray(rows), gain)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    np.testing.assert_allclose(found[:, -1], rows[:, -1])
    if gain == 0:
        np.testing.assert_array_equal(found, rows)


def drawn_trays(rng, again):
    """Trays of 6 items of 20 SKUs; each is one that lies there already with chance `again`."""
    trays, truth = [], []
    for _ in range(30):
        labels = [int(rng.integers(20))]
        while len(labels) < 6:
            old = rng.random() < again
            labels.append(int(rng.choice(labels)) if old else int(rng.integers(20)))
        table = rng.dirichlet(np.full(21, 0.2), size=6) * 0.6
        table[np.arange(6), labels] += 0.4
        table[:, -1] = 0
        table /= table.sum(axis=1, keepdims=True)
        trays.append(tray(table))
        truth.append((apart(6), np.array(labels)))
    return trays, truth


def test_the_gain_is_what_the_store_s_own_trays_show():
    rng = np.random.default_rng(0)
    assert choose_gain(*drawn_trays(rng, again=0.7)) >= 8
    assert choose_gain(*drawn_trays(rng, again=0.0)) <= 1
    assert choose_gain([], []) == 0


def test_seen_is_named_anew_and_counted_as_before():
    table = np.array([[0.4, 0.5, 0.1], [0.9, 0.0, 0.1]])
    found = Detections(apart(2), np.array([0.8, 0.7]), np.zeros(2, np.int64))
    before = see(found, table)
    after = before.with_repeats(4.0)
    by_place = {float(box[0]): row for row, box in enumerate(after.detections.boxes)}
    first = by_place[0.0]
    assert after.detections.labels[first] == 0
    assert before.detections.labels[np.argmax(before.detections.boxes[:, 0] == 0)] == 1
    items = after.detections.item_scores
    assert items is not None
    assert items[first] == pytest.approx(0.8 * 0.9)
    share = after.probabilities[first, :-1].max()
    assert after.detections.scores[first] == pytest.approx(0.8 * share)
    assert before.with_repeats(0.0) is before
