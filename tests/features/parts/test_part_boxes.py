import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.features.parts.part_boxes import layouts_of, overflow, part_boxes


def test_boxes_around_the_points_in_sight_by_hand():
    points = np.array([[[20.0, 30, 1], [60, 40, 1], [90, 90, 0], [50, 50, 1]]])
    objects = np.array([[0.0, 0, 100, 100]])
    boxes = part_boxes(points, objects, [(0, 1), (2,), (3, 2)], 100)
    assert boxes[0, 0].tolist() == [10, 20, 70, 50]  # 10 px wider; 30 px high is enough
    assert np.isnan(boxes[0, 1]).all()
    assert boxes[0, 2].tolist() == [37.5, 37.5, 62.5, 62.5]  # 25 px: of one point in sight


def test_boxes_end_where_the_photo_does():
    points = np.array([[[1.0, 99, 1]], [[300.0, 50, 1]]])
    objects = np.tile([[0.0, 0, 100, 100]], (2, 1))
    boxes = part_boxes(points, objects, [(0,)], 100)
    assert boxes[0, 0].tolist() == [0, 86.5, 13.5, 100]
    assert np.isnan(boxes[1]).all()


@pytest.mark.parametrize("groups", [[()], [(0, 4)], [(-1,)]])
def test_groups_of_points_that_are_not_there_are_refused(groups):
    with pytest.raises(ValueError, match="numbers from 0 to 3"):
        part_boxes(np.zeros((1, 4, 3)), np.zeros((1, 4)), groups, 100)


def test_no_photo_gives_no_box():
    assert part_boxes(np.zeros((0, 3, 3)), np.zeros((0, 4)), [(0,)], 10).shape == (0, 1, 4)


@given(st.floats(0.1, 10), st.floats(-50, 50), st.lists(st.floats(1, 40), min_size=8, max_size=8))
def test_a_layout_is_the_same_at_any_place_and_scale(scale, shift, numbers):
    a, b = np.array(numbers[:4]), np.array(numbers[4:])
    part, whole = np.concatenate([a[:2], a[:2] + a[2:]]), np.concatenate([b[:2], b[:2] + b[2:]])
    moved = layouts_of(scale * part + shift, scale * whole + shift)
    assert np.allclose(moved, layouts_of(part, whole), atol=1e-6)


def test_a_part_that_fills_its_object_has_layout_zero():
    box = np.array([3.0, 4, 10, 30])
    assert layouts_of(box, box).tolist() == [0, 0, 0, 0]


def test_overflow_is_the_worst_side():
    whole = np.array([10.0, 10, 50, 50])
    parts = np.array([[10.0, 10, 50, 50], [7, 20, 30, 30], [20, 20, 52, 61]])
    assert overflow(parts, whole).tolist() == [0, 3, 11]
