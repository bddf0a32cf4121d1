"""Crops show their box and nothing else; stray boxes frame no item."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.recognition.counter.crops import (
    Cover,
    box_extents,
    cut_crops,
    jitter_boxes,
    stray_boxes,
)
from rpc.structures import box_iou

WIDTH, HEIGHT = 120, 90


@st.composite
def item_boxes(draw, low=1.0):
    """Boxes inside the photo, with sides of `low` px and more."""
    boxes = []
    for _ in range(draw(st.integers(1, 6))):
        x, y = draw(st.floats(0, WIDTH - low)), draw(st.floats(0, HEIGHT - low))
        boxes.append([x, y, draw(st.floats(x + low, WIDTH)), draw(st.floats(y + low, HEIGHT))])
    return np.array(boxes)


def test_what_lies_outside_the_box_is_grey():
    photo = np.full((HEIGHT, WIDTH, 3), (250, 10, 250), np.uint8)  # the neighbours
    photo[19:41, 28:82] = (20, 180, 60)  # the box with its margin of 4 %, rounded outwards
    crop = cut_crops(photo, np.array([[30.0, 20, 80, 40]]), 64)[0]
    inside = round(64 * 22 / 54)  # 54 x 22 px fill the width, and so many rows
    top = (64 - inside) // 2
    assert (crop[top : top + inside] == (20, 180, 60)).all()
    assert (crop[:top] == 127).all()
    assert (crop[top + inside :] == 127).all()


@given(
    st.lists(
        st.tuples(*[st.floats(-60, 180)] * 2, *[st.floats(0, 150)] * 2).map(
            lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
        ),
        max_size=5,
    )
)
def test_any_box_gives_a_crop_even_at_the_border_or_without_size(boxes):
    photo = np.full((HEIGHT, WIDTH, 3), 200, np.uint8)
    crops = cut_crops(photo, np.array(boxes).reshape(-1, 4), 32)
    assert crops.shape == (len(boxes), 32, 32, 3)
    assert crops.dtype == np.uint8
    assert set(np.unique(crops).tolist()) <= {127, 200}
    assert all((crop == 200).any() for crop in crops)


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


def test_extents_are_octaves_from_an_eighth_of_the_width_longer_side_first():
    boxes = np.array([[0.0, 0, 15, 30], [0, 0, 60, 15], [5, 5, 5, 5]])  # a photo 120 px wide
    extents = box_extents(boxes, 120)
    assert extents.dtype == np.float32
    np.testing.assert_allclose(extents, [[1, 0], [2, 0], [-4, -4]])
    assert box_extents(np.zeros((0, 4)), 120).shape == (0, 2)


@given(item_boxes(), st.floats(0.3, 3))
def test_extents_pass_over_turns_and_over_the_resolution_of_the_photo(boxes, factor):
    rotated = boxes[:, [1, 0, 3, 2]]
    np.testing.assert_allclose(box_extents(rotated, WIDTH), box_extents(boxes, WIDTH))
    larger = box_extents(boxes * 8, WIDTH * 8)
    np.testing.assert_allclose(larger, box_extents(boxes, WIDTH), atol=1e-5)


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
