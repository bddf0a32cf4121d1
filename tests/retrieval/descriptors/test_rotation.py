"""Pictures rotated: quarter turns exactly, other angles with nothing lost."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.retrieval.descriptors.rotation import rotated


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 7))
def test_quarter_turns_are_exact(height, width, quarters):
    picture = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    assert np.array_equal(rotated(picture, 90 * quarters), np.rot90(picture, quarters))


@pytest.mark.parametrize("degrees", [10, 45, 80, 135, 300])
def test_other_angles_keep_the_whole_picture_and_fill_the_corners(degrees):
    picture = np.full((60, 100, 3), 40, np.uint8)
    found = rotated(picture, degrees, fill=200)
    dark = (found[..., 0] < 120).sum()
    assert dark == pytest.approx(6000, rel=0.03)
    assert found[0, 0, 0] == 200
    assert max(found.shape[:2]) <= np.hypot(60, 100) + 1


def test_the_turn_is_counterclockwise():
    picture = np.full((81, 81, 3), 255, np.uint8)
    picture[38:43, 60:] = 0  # points to the right
    found = rotated(picture, 45)
    rows, columns = np.nonzero(found[..., 0] < 100)
    middle = found.shape[0] / 2
    assert rows.mean() < middle - 10
    assert columns.mean() > middle + 10


def test_a_single_pixel_can_be_rotated():
    assert rotated(np.zeros((1, 1, 3), np.uint8), 45).shape[2] == 3
