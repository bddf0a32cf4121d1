import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from rpc.structures import decode_rle, encode_rle, mask_to_box

masks = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=12), elements=st.booleans())


# pycocotools 2.0.11 still speaks numpy 1's array protocol.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@given(masks)
def test_run_lengths_decode_to_the_mask_they_came_from(mask):
    np.testing.assert_array_equal(decode_rle(encode_rle(mask)), mask)


@given(masks)
def test_plain_run_lengths_decode_like_compressed_ones(mask):
    flat = mask.ravel(order="F").tolist()
    runs, value = [0], False
    for pixel in flat:
        if pixel != value:
            runs.append(0)
            value = pixel
        runs[-1] += 1
    np.testing.assert_array_equal(decode_rle({"size": list(mask.shape), "counts": runs}), mask)


@given(masks)
def test_the_box_of_a_mask_is_tight(mask):
    box = mask_to_box(mask)
    if box is None:
        assert not mask.any()
        return
    x1, y1, x2, y2 = box
    assert mask.sum() == mask[y1:y2, x1:x2].sum()
    inside = mask[y1:y2, x1:x2]
    assert inside[0].any()
    assert inside[-1].any()
    assert inside[:, 0].any()
    assert inside[:, -1].any()


@pytest.mark.parametrize(
    "bad", [{}, {"size": [2], "counts": "x"}, {"size": [2, 2], "counts": [1, 1]}]
)
def test_damaged_run_lengths_are_refused(bad):
    with pytest.raises(ValueError, match="RLE"):
        decode_rle(bad)


def test_a_mask_of_three_dimensions_is_refused():
    with pytest.raises(ValueError, match=r"expected shape \(H, W\)"):
        encode_rle(np.zeros((2, 2, 1), dtype=bool))
