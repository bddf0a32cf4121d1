"""The photo of an entry: of the size that the entry says, and of the turn that its box means."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from rpc.data.entry_photo import entry_fault, read_entry_photo, size_fault, turned_box
from rpc.data.files import DataError
from rpc.data.images import photo_header, read_image

BOX = (30.0, 20.0, 90.0, 60.0)  # of the product, on the pixels as the file has them


def write(path, turn=1, size=(240, 180), box=BOX):
    """A photo with one product, and an EXIF turn."""
    width, height = size
    rgb = np.full((height, width, 3), 225, np.uint8)
    x1, y1, x2, y2 = map(int, box)
    rgb[y1:y2, x1:x2] = (150, 20, 30)
    exif = Image.Exif()
    exif[0x0112] = turn
    Image.fromarray(rgb).save(path, exif=exif, quality=95)
    return path


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("size", [(240, 180), (200, 200)])
def test_a_turned_box_lies_where_the_product_is_on_the_upright_photo(tmp_path, turn, size):
    path = write(tmp_path / "a.jpg", turn, size)
    header = photo_header(path)
    assert header.stored == size
    rgb = read_image(path)
    assert rgb.shape[1::-1] == (header.width, header.height)
    x1, y1, x2, y2 = map(int, turned_box(BOX, header))
    dark = rgb[:, :, 1] < 120
    assert dark[y1 + 3 : y2 - 3, x1 + 3 : x2 - 3].all()
    dark[y1 - 3 : y2 + 3, x1 - 3 : x2 + 3] = False
    assert not dark.any()
    assert header.turn_keeps_size == (turn in (2, 3, 4) or (turn >= 5 and size == (200, 200)))


@pytest.mark.parametrize("turn", range(2, 9))
@pytest.mark.parametrize("size", [(240, 180), (200, 200)])
def test_boxes_of_the_photo_before_its_turn_are_refused_with_the_cause(tmp_path, turn, size):
    path = write(tmp_path / "a.jpg", turn, size)
    header = photo_header(path)
    with pytest.raises(DataError, match=r"before its EXIF turn.*exiftool") as caught:
        read_entry_photo(path, size, [BOX])
    assert str(caught.value).startswith(f"{path}: ")
    upright = (header.width, header.height)
    assert read_entry_photo(path, upright, [turned_box(BOX, header)]).shape[1::-1] == upright


def test_sizes_before_the_turn_with_upright_boxes_are_told_apart(tmp_path):
    path = write(tmp_path / "a.jpg", 6)
    header = photo_header(path)
    fault = entry_fault(path, read_image(path), (240, 180), [turned_box(BOX, header)])
    assert "is 180x240 px upright, the JSON says 240x180" in fault.what
    assert "before its EXIF turn (90 degrees clockwise); its boxes fit the upright" in fault.what
    assert fault.remedy == "exchange width and height in the JSON"
    by_header = size_fault(header, (240, 180))
    assert "before its EXIF turn" in by_header.what
    assert "exchange width and height" in by_header.remedy
    assert "exiftool" in by_header.remedy
    outside = size_fault(header, (240, 180), boxes=[(100, 20, 230, 60)])
    assert outside.what.endswith("and its boxes fit that, too")


@pytest.mark.parametrize(
    ("claimed", "what"),
    [
        ((120, 90), "is 240x180 px upright, the JSON says 120x90: twice as large"),
        ((480, 360), "half as large"),
        ((180, 135), "1.33 times as large"),
        ((180, 240), "width and height are exchanged"),
        ((240, 100), "another picture"),
        ((10, 180), "another picture"),
    ],
)
def test_a_photo_of_another_size_is_refused(tmp_path, claimed, what):
    path = write(tmp_path / "a.jpg")
    with pytest.raises(DataError, match=what):
        read_entry_photo(path, claimed)


@pytest.mark.parametrize("claimed", [None, (240, 180), (241, 180), (239, 179)])
def test_a_pixel_of_rounding_and_an_unknown_size_pass(tmp_path, claimed):
    assert read_entry_photo(write(tmp_path / "a.jpg"), claimed, [BOX]).shape == (180, 240, 3)


def test_a_photo_in_which_nothing_stands_out_gives_no_evidence(tmp_path):
    path = write(tmp_path / "a.jpg", 3, box=(0, 0, 240, 180))
    assert entry_fault(path, read_image(path), (240, 180), [BOX]) is None


def test_a_header_with_a_turn_that_does_not_exist_has_none(tmp_path):
    assert photo_header(write(tmp_path / "a.jpg", 9)).turn == 1
