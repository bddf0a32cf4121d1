import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rpc.data.images import read_image
from rpc.data.product_box import find_product_box
from rpc.data.store import Store
from rpc.structures import box_iou


@settings(max_examples=25)
@given(
    st.integers(30, 120),  # clear of the border, which the method takes for background
    st.integers(30, 120),
    st.integers(40, 100),
    st.integers(40, 100),
    st.integers(0, 2**31),
)
def test_a_coloured_box_on_an_unevenly_lit_table_is_found(x, y, width, height, seed):
    light = np.linspace(170, 235, 240)[None, :, None] * np.array([1.0, 0.98, 0.93])
    rgb = np.repeat(light, 240, axis=0)
    rgb[y : y + height, x : x + width] = (40, 90, 170)
    rgb += np.random.default_rng(seed).normal(0, 4, rgb.shape)
    box, quality = find_product_box(np.clip(rgb, 0, 255).astype(np.uint8))
    assert box_iou([box], [[x, y, x + width, y + height]])[0, 0] > 0.8
    assert quality > 0.4


@pytest.mark.parametrize("shape", [(200, 300), (1, 1), (3, 500), (500, 2)])
def test_a_photo_of_nothing_gives_the_frame_and_no_trust(shape):
    box, quality = find_product_box(np.full((*shape, 3), 128, dtype=np.uint8))
    height, width = shape
    assert quality == 0
    assert box == pytest.approx((0.02 * width, 0.02 * height, 0.98 * width, 0.98 * height))


@settings(max_examples=25)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 2**31))
def test_the_box_has_a_size_and_lies_in_the_photo(height, width, seed):
    rgb = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    (x1, y1, x2, y2), quality = find_product_box(rgb)
    assert 0 <= x1 < x2 <= width
    assert 0 <= y1 < y2 <= height
    assert 0 <= quality <= 1


def test_boxes_on_the_embedded_exemplars_agree_with_their_annotation(ministore):
    exemplars = Store.open(ministore).exemplars()[::12]
    ious = [box_iou([find_product_box(read_image(e.path))[0]], [e.box])[0, 0] for e in exemplars]
    assert np.mean(ious) > 0.8
