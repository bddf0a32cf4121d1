import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rpc.structures import box_areas, box_iou, clip_boxes, xywh_to_xyxy, xyxy_to_xywh
from rpc.structures.boxes import as_boxes

numbers = st.floats(-1e3, 1e3, allow_nan=False)


@st.composite
def boxes(draw, most=8):
    raw = draw(arrays(np.float64, st.tuples(st.integers(0, most), st.just(4)), elements=numbers))
    low, high = np.minimum(raw[:, :2], raw[:, 2:]), np.maximum(raw[:, :2], raw[:, 2:])
    return np.concatenate([low, high], axis=1)


def naive_iou(a, b):
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    inter = width * height
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inter
    return inter / union if union > 0 else 0.0


@given(boxes(), boxes())
def test_iou_agrees_with_a_loop_over_pairs(first, second):
    expected = [[naive_iou(a, b) for b in second] for a in first]
    np.testing.assert_allclose(
        box_iou(first, second), np.reshape(expected, (len(first), len(second))), atol=1e-12
    )


@given(boxes())
def test_iou_with_itself_is_symmetric_and_one_on_the_diagonal(found):
    iou = box_iou(found, found)
    np.testing.assert_allclose(iou, iou.T)
    solid = box_areas(found) > 1e-6
    np.testing.assert_allclose(np.diag(iou)[solid], 1)


@given(boxes())
def test_width_and_height_lead_back_to_corners(found):
    np.testing.assert_allclose(xywh_to_xyxy(xyxy_to_xywh(found)), found, atol=1e-9)


@given(boxes())
def test_clipped_boxes_lie_in_the_image_and_never_grow(found):
    clipped = clip_boxes(found, 100, 50)
    assert ((clipped[:, 0::2] >= 0) & (clipped[:, 0::2] <= 100)).all()
    assert ((clipped[:, 1::2] >= 0) & (clipped[:, 1::2] <= 50)).all()
    assert (box_areas(clipped) <= box_areas(found)).all()


def test_no_boxes_at_all_are_an_empty_array():
    assert as_boxes([]).shape == (0, 4)
    assert box_iou([], [[0, 0, 1, 1]]).shape == (0, 1)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ([[0, 0, 1]], r"expected shape \(N, 4\)"),
        ([[0, 0, np.nan, 1]], "row 0 is not finite"),
        ([[0, 0, 1, 1], [5, 0, 4, 1]], "row 1 has x2 < x1"),
    ],
)
def test_a_wrong_box_is_refused_with_its_row(bad, message):
    with pytest.raises(ValueError, match=message):
        as_boxes(bad)
