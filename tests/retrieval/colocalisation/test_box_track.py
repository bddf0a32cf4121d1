import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.retrieval.colocalisation.box_track import smooth_boxes

BOX = (10.0, 20.0, 30.0, 40.0)


def test_a_single_wrong_box_is_outvoted():
    assert smooth_boxes([BOX, BOX, (0, 0, 99, 99), BOX, BOX]) == [BOX] * 5


def test_a_short_gap_is_closed_and_a_long_one_stays():
    assert smooth_boxes([BOX, None, BOX], reach=1) == [BOX] * 3
    assert smooth_boxes([BOX, None, None, None, BOX], reach=1) == [BOX, None, None, None, BOX]
    assert smooth_boxes([None, None, BOX], reach=2) == [None, None, BOX]


def test_an_object_that_moves_evenly_keeps_its_boxes():
    moving = [tuple(float(v + 3 * t) for v in BOX) for t in range(9)]
    assert smooth_boxes(moving) == moving


def test_reach_0_changes_nothing_and_an_empty_video_is_empty():
    boxes = [BOX, None, (0.0, 0.0, 1.0, 1.0)]
    assert smooth_boxes(boxes, reach=0) == boxes
    assert smooth_boxes([]) == []


@given(seed=st.integers(0, 100), dx=st.floats(-50, 50))
def test_moving_all_boxes_moves_the_result(seed, dx):
    rng = np.random.default_rng(seed)
    boxes = [None if rng.random() < 0.3 else tuple(rng.uniform(0, 50, 4)) for _ in range(8)]
    moved = smooth_boxes([None if b is None else tuple(np.add(b, dx)) for b in boxes])
    for one, other in zip(moved, smooth_boxes(boxes), strict=True):
        assert (one is None) == (other is None)
        if one is not None:
            np.testing.assert_allclose(one, np.add(other, dx), atol=1e-9)


@pytest.mark.parametrize("box", [(1, 2, 3), (1, 2, 3, np.nan)])
def test_what_is_no_box_is_refused(box):
    with pytest.raises(ValueError, match="frame 1"):
        smooth_boxes([BOX, box])
    with pytest.raises(ValueError, match="reach"):
        smooth_boxes([BOX], reach=-1)
