"""A picture in its place on a sheet."""

import numpy as np
import pytest
from PIL import Image

from rpc.pictures.framed import paste_framed

PAPER, FRAME = (250, 250, 250), (200, 30, 30)


def pasted(rgb, colour):
    sheet = Image.new("RGB", (60, 50), PAPER)
    paste_framed(sheet, (10, 5), rgb, colour, tile=40, border=4)
    return np.asarray(sheet)


@pytest.mark.parametrize("size", [(16, 32), (64, 128), (1, 500)])
def test_a_picture_keeps_its_shape_and_stays_in_its_place(size):
    seen = pasted(np.zeros((*size, 3), np.uint8), None)
    rows, columns = np.nonzero((seen == 0).all(axis=2))
    assert (columns.min(), columns.max()) == (14, 45)
    assert rows.min() == 9
    assert rows.max() - rows.min() + 1 == max(round(32 * size[0] / size[1]), 1)


def test_a_frame_lies_around_the_picture_which_does_not_move():
    rgb = np.full((20, 20, 3), 90, np.uint8)
    plain, framed = pasted(rgb, None), pasted(rgb, FRAME)
    np.testing.assert_array_equal(framed[9:41, 14:46], plain[9:41, 14:46])
    assert (framed[5, 10] == FRAME).all()
    assert (framed[44, 49] == FRAME).all()
    assert (framed[45, 50] == PAPER).all()
    assert (plain[5, 10] == PAPER).all()
