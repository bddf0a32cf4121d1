import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rpc.counting import match_items, truth_of
from rpc.structures import Detections


@st.composite
def items(draw):
    rows = draw(
        st.lists(
            st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(1, 5), st.integers(0, 2)),
            max_size=6,
        )
    )
    boxes = np.reshape([(x, y, x + side, y + side) for x, y, side, _ in rows], (-1, 4))
    return Detections(boxes, np.ones(len(rows)), np.array([row[3] for row in rows], dtype=int))


@given(items(), items())
def test_each_box_and_each_item_is_in_exactly_one_list(counted, truth):
    m = match_items(counted, truth)
    boxes = [box for box, _ in m.right + m.confused] + list(m.extra)
    true = [item for _, item in m.right + m.confused] + list(m.missed)
    assert sorted(boxes) == list(range(len(counted)))
    assert sorted(true) == list(range(len(truth)))
    assert all(counted.labels[box] == truth.labels[item] for box, item in m.right)
    assert all(counted.labels[box] != truth.labels[item] for box, item in m.confused)


@given(items())
def test_the_truth_read_as_it_is_has_no_error(truth):
    m = match_items(truth, truth)
    assert len(m.right) == len(truth)
    assert (m.confused, m.missed, m.extra) == ((), (), ())


def test_a_small_example_is_matched_as_a_person_would():
    truth = Detections([[0, 0, 10, 10], [20, 0, 30, 10], [40, 0, 50, 10]], [1] * 3, [0, 1, 2])
    counted = Detections(
        [[0, 0, 10, 9], [20, 0, 30, 10], [70, 0, 80, 10]], [0.9, 0.8, 0.7], [0, 2, 1]
    )
    m = match_items(counted, truth)
    assert (m.right, m.confused, m.missed, m.extra) == (((0, 0),), ((1, 1),), (2,), (2,))


def test_a_loose_box_of_the_right_sku_is_right_as_the_list_is():
    truth = Detections([[0, 0, 10, 10]], [1], [0])
    loose = Detections([[0, 0, 10, 3]], [0.9], [0])
    assert match_items(loose, truth).right == ((0, 0),)
    assert match_items(Detections([[0, 0, 10, 3]], [0.9], [1]), truth).missed == (0,)


def test_the_truth_of_an_image_has_its_boxes_and_labels(three_trays):
    truth = truth_of(three_trays, 10)
    assert truth.boxes.tolist() == [[0, 0, 10, 10], [20, 0, 30, 10]]
    assert truth.labels.tolist() == [0, 1]
    assert len(truth_of(three_trays, 20)) == 0
