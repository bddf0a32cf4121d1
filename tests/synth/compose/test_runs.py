from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.structures.masks import encode_rle
from synth.compose.runs import encode_window


@given(
    st.integers(0, 2**32 - 1),
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)),
    st.sampled_from([0.0, 0.3, 0.8, 1.0]),
)
def test_a_window_has_the_code_of_the_whole_mask(seed, size, margins, density) -> None:
    h, w = size
    left, top, right, bottom = margins
    window = np.random.default_rng(seed).random((h, w)) < density
    whole = np.pad(window, ((top, bottom), (left, right)))
    height, width = whole.shape
    assert encode_window(window, left, top, width, height) == encode_rle(whole)


def test_a_window_outside_the_image_is_refused() -> None:
    with pytest.raises(ValueError, match="expected it inside"):
        encode_window(np.ones((4, 4)), 8, 0, 10, 10)
