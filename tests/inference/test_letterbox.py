"""A photo goes into the square as a whole, undistorted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.inference.letterbox import PAD_VALUE, letterbox


@given(st.integers(1, 300), st.integers(1, 300), st.sampled_from([32, 64, 100]))
def test_the_photo_fills_the_upper_left_of_a_padded_square(height, width, side):
    photo = np.full((height, width, 3), 7, np.uint8)
    square, scale = letterbox(photo, side, side)
    full = -(-side // 32) * 32
    assert square.shape == (full, full, 3)
    assert scale * max(height, width) == pytest.approx(side)
    rows, columns = max(round(height * scale), 1), max(round(width * scale), 1)
    assert (square[:rows, :columns] == 7).all()
    assert (square[rows:] == PAD_VALUE).all()
    assert (square[:, columns:] == PAD_VALUE).all()


@given(st.integers(40, 300), st.integers(40, 300))
def test_a_longer_and_a_shorter_side_bound_the_photo_without_padding(height, width):
    photo = np.full((height, width, 3), 7, np.uint8)
    scaled, scale = letterbox(photo, 133, 80)
    rows, columns = scaled.shape[:2]
    assert (rows, columns) == (round(height * scale), round(width * scale))
    assert max(rows, columns) <= 133
    assert min(rows, columns) <= 80
    assert max(rows, columns) == 133 or min(rows, columns) == 80
    assert (scaled == 7).all()
