"""Changed boxes stay near their items; stray boxes frame none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.recognition.counter.changes import Cover, jitter_boxes, stray_boxes
from rpc.structures import box_iou
from tests.inference.item_boxes import HEIGHT, WIDTH, item_boxes


@given(item_boxes(), st.integers(0, 99))
def test_a_jittered_box_stays_inside_the_photo_and_on_its_item(boxes, seed):
    moved = jitter_boxes(boxes, WIDTH, HEIGHT, np.random.default_rng(seed))
    assert moved.shape == boxes.shape
    assert (moved >= 0).all()
    assert (moved <= [WIDTH, HEIGHT] * 2).all()
    # Each side moves by at most 15 % of the box: 0.7 * 0.7 of it is left at worst.
    assert (np.diag(box_iou(moved, boxes)) > 0.489).all()


@given(item_boxes(low=4), st.integers(0, 20), st.integers(0, 99))
def test_a_stray_box_frames_no_item(boxes, count, seed):
    stray = stray_boxes(boxes, count, WIDTH, HEIGHT, np.random.default_rng(seed))
    assert stray.ndim == 2
    assert len(stray) <= count
    assert (stray >= 0).all()
    assert (stray <= [WIDTH, HEIGHT] * 2).all()
    if len(stray):
        assert box_iou(stray, boxes).max() < 0.4


def test_most_stray_boxes_are_found_on_an_ordinary_tray():
    boxes = np.array([[10.0, 10, 40, 50], [60, 20, 110, 60]])
    stray = stray_boxes(boxes, 200, WIDTH, HEIGHT, np.random.default_rng(0))
    assert len(stray) > 100


@pytest.mark.parametrize("count", [0, 5])
def test_a_tray_without_items_has_no_stray_boxes(count):
    rng = np.random.default_rng(0)
    assert stray_boxes(np.zeros((0, 4)), count, WIDTH, HEIGHT, rng).shape == (0, 4)


def test_chance_is_the_argument():
    boxes = np.array([[10.0, 10, 40, 50]])
    first, second = (jitter_boxes(boxes, 90, 90, np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(first, second)


@given(st.integers(0, 500))
def test_a_hidden_face_leaves_the_rim_as_it_was(seed):
    crop = np.full((64, 64, 3), (20, 180, 60), np.uint8)
    hidden = Cover.drawn(64, np.random.default_rng(seed)).over(crop)
    assert hidden.shape == crop.shape
    assert hidden.dtype == np.uint8
    changed = (hidden != crop).any(axis=2)
    assert 0.04 < changed.mean() < 0.75
    assert (crop == (20, 180, 60)).all()  # the crop itself is untouched
    corners = hidden[[0, 0, -1, -1], [0, -1, 0, -1]]
    assert (corners == (20, 180, 60)).all()
