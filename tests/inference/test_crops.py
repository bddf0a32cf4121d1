"""Crops show their box and nothing else; extents say how large it appears."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.inference.crops import box_extents, cut_crops, fit_square
from tests.inference.item_boxes import HEIGHT, WIDTH, item_boxes


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


@pytest.mark.parametrize("shape", [(10, 40), (40, 10), (1, 300), (64, 64), (1, 1)])
def test_a_picture_lies_undistorted_in_the_middle_of_its_square(shape):
    square = fit_square(np.full((*shape, 3), 9, np.uint8), 64)
    filled = (square == 9).all(axis=2)
    rows, columns = filled.any(axis=1).sum(), filled.any(axis=0).sum()
    scale = 64 / max(shape)
    assert (rows, columns) == (max(round(shape[0] * scale), 1), max(round(shape[1] * scale), 1))
    assert (square[~filled] == 127).all()
    first = int(np.flatnonzero(filled.any(axis=1))[0])
    assert abs(first - (64 - first - rows)) <= 1
