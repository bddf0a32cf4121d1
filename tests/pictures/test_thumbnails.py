"""Strong colours make a thumbnail: grey ends and small print do not."""

import numpy as np
import pytest

from rpc.pictures.thumbnails import colourfulness


def test_a_red_front_has_more_than_a_grey_end_with_a_red_rim():
    end = np.full((40, 40, 3), 200, np.uint8)
    end[:2] = (220, 30, 30)
    front = np.full((40, 30, 3), (220, 30, 30), np.uint8)
    assert colourfulness(front) == pytest.approx(190)
    assert colourfulness(end) == pytest.approx(190 / 20)


def test_pictures_of_the_same_colours_have_the_same_whatever_their_size():
    small = np.full((4, 4, 3), (10, 60, 20), np.uint8)
    assert colourfulness(small) == colourfulness(np.tile(small, (3, 5, 1)))


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 4), (0, 4, 3)])
def test_what_is_no_picture_is_refused(shape):
    with pytest.raises(ValueError, match="expected"):
        colourfulness(np.zeros(shape, np.uint8))
