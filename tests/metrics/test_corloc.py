import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.metrics.corloc import corloc

HALF = (0, 0, 10, 5)  # of the box below: IoU is exactly 0.5
WHOLE = (0, 0, 10, 10)


def test_half_an_overlap_is_wrong_unless_the_bar_itself_is_enough():
    assert corloc([HALF], [[WHOLE]]).rate == 0
    assert corloc([HALF], [[WHOLE]], strict=False).rate == 1


def test_any_true_box_will_do_and_no_box_is_wrong():
    result = corloc([WHOLE, None], [[(50, 50, 60, 60), WHOLE], [WHOLE]])
    assert result.rate == 0.5
    assert result.found == 1
    assert result.right.tolist() == [True, False]
    assert result.overlaps.tolist() == [1, 0]


def test_an_image_without_the_object_does_not_count():
    result = corloc([WHOLE, WHOLE], [[WHOLE], []])
    assert (result.images, result.rate) == (1, 1)
    assert np.isnan(result.overlaps[1])


def test_no_image_at_all_has_rate_0():
    assert corloc([], []).rate == 0


def test_lists_of_two_lengths_are_refused():
    with pytest.raises(ValueError, match="1 boxes for 2 images"):
        corloc([WHOLE], [[WHOLE], [WHOLE]])


@given(seed=st.integers(0, 200))
def test_the_order_of_the_images_does_not_matter_and_a_lower_bar_is_never_stricter(seed):
    rng = np.random.default_rng(seed)
    corners = rng.uniform(0, 20, (2, 8, 2))
    first, second = (np.hstack([c, c + rng.uniform(5, 20, (8, 2))]) for c in corners)
    boxes, truths = list(first), [[row] for row in second]
    order = rng.permutation(8)
    one = corloc(boxes, truths)
    other = corloc([boxes[i] for i in order], [truths[i] for i in order])
    assert one.rate == other.rate
    assert corloc(boxes, truths, least_iou=0.3).rate >= one.rate
