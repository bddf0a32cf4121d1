"""A sheet of look-alikes: every pair is on it, cut-outs keep their colour and shape."""

import numpy as np
import pytest

from rpc.pictures.pairs import COLUMNS, FOOT, GAP, SIDE, Pair, draw_pairs


def cutout(colour, height=40, width=20):
    picture = np.zeros((height, width, 4), np.uint8)
    picture[..., :3], picture[..., 3] = colour, 255
    return picture


def test_each_pair_is_drawn_beside_the_other_at_its_own_shape():
    red, blue = (200, 0, 0), (0, 0, 200)
    sheet = draw_pairs([Pair((cutout(red), cutout(blue)), "cola and zero", "camera 0")] * 3)
    assert sheet.shape == (2 * (SIDE + GAP + FOOT), COLUMNS * (2 * SIDE + 3 * GAP), 3)
    for colour in (red, blue):
        assert (sheet == colour).all(axis=2).sum() == 3 * SIDE * SIDE // 2
    assert (sheet[SIDE + GAP :] < 100).any()  # text


def test_no_pair_and_other_pictures_are_refused():
    with pytest.raises(ValueError, match="pairs: expected one or more"):
        draw_pairs([])
    with pytest.raises(ValueError, match=r"pairs: expected pictures \(H, W, 4\) uint8"):
        draw_pairs([Pair((np.zeros((4, 4, 3), np.uint8),) * 2, "")])
