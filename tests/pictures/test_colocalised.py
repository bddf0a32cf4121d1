import numpy as np
import pytest

from rpc.pictures.colocalised import (
    CAPTION,
    COLUMNS,
    FOUND,
    TILE,
    TRUE,
    draw_found,
    sheet,
)


def test_found_and_true_boxes_are_drawn_and_the_photo_keeps_its_shape():
    rgb = np.full((100, 50, 3), 127, np.uint8)
    tile = draw_found(rgb, np.eye(3), (5, 10, 25, 60), [(30, 70, 45, 90)], "naïve")
    assert tile.shape == (TILE + CAPTION, 2 * TILE, 3)
    colours = {tuple(int(v) for v in colour) for colour in tile.reshape(-1, 3)}
    assert {FOUND, TRUE} <= colours
    assert (tile[:TILE, TILE // 2 + 2 : TILE] == 245).all()  # beside the narrow photo


def test_a_map_of_zeros_and_no_box_can_be_drawn():
    tile = draw_found(np.zeros((10, 10, 3), np.uint8), np.zeros((2, 2)), None)
    assert tile.dtype == np.uint8


@pytest.mark.parametrize("number", [1, COLUMNS, COLUMNS + 1])
def test_a_sheet_has_full_rows(number):
    tile = np.zeros((4, 6, 3), np.uint8)
    rows = -(-number // COLUMNS)
    assert sheet([tile] * number).shape == (4 * rows, 6 * min(number, COLUMNS), 3)
    with pytest.raises(ValueError, match="1 tile or more"):
        sheet([])
