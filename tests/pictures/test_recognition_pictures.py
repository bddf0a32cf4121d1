import numpy as np
import pytest

from rpc.pictures.confusion_picture import CELL, GAP, NAMES, TOP, confusion_picture
from rpc.pictures.looked_at import draw_looked_at
from rpc.pictures.palette import LINE, SKU_COLOURS

GREY = np.full((40, 40, 3), 128, np.uint8)


def _cell(picture, row, column):
    return tuple(picture[TOP + CELL * row + 3, NAMES + GAP + CELL * column + 3].tolist())


def test_cells_are_redder_the_more_often_and_the_diagonal_is_grey():
    block = {
        "skus": ["a", "b", "c"],
        "families": ["x", "x", "y"],
        "times": [[0, 9, 0], [3, 0, 0], [0, 0, 0]],
    }
    picture = confusion_picture(block, "Confusions")
    assert _cell(picture, 0, 0) == LINE
    assert _cell(picture, 0, 2) == (255, 255, 255)
    often, seldom = _cell(picture, 0, 1), _cell(picture, 1, 0)
    assert often[1] < seldom[1] < 255


def test_nothing_confused_is_a_picture_too():
    picture = confusion_picture({"skus": [], "families": [], "times": []}, "None")
    assert picture.std() > 0


def test_boxes_are_drawn_where_they_are_in_the_larger_picture():
    picture = draw_looked_at(GREY, np.array([[10.0, 20, 30, 40]]), ["part"], None, 160)
    assert picture.shape == (160, 160, 3)
    assert tuple(picture[150, 40]) == SKU_COLOURS[0]
    assert tuple(picture[100, 80]) == (128, 128, 128)


def test_heat_is_red_where_it_is_largest_and_nothing_where_it_is_even():
    heat = np.zeros((4, 4))
    heat[0, 0] = 1
    picture = draw_looked_at(GREY, np.zeros((0, 4)), (), heat, 80).astype(int)
    assert picture[2, 2, 0] > picture[2, 2, 2]
    assert picture[70, 70, 0] < picture[70, 70, 2]
    plain = draw_looked_at(GREY, np.zeros((0, 4)), (), np.ones((4, 4)), 80)
    assert (plain == 128).all()


def test_a_box_without_a_name_is_refused():
    with pytest.raises(ValueError, match="1 boxes and 0 names"):
        draw_looked_at(GREY, np.zeros((1, 4)), (), None, 80)
