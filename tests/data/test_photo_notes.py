import logging

import numpy as np
import pytest
from PIL import Image

from rpc.data.images import read_image
from rpc.data.photo_files import find_photos
from rpc.data.photo_notes import note_totals


@pytest.fixture
def told(caplog, monkeypatch):
    """The lines that were logged."""
    monkeypatch.setattr(logging.getLogger("rpc.data"), "propagate", True)
    note_totals()
    caplog.clear()
    yield lambda: [record.getMessage() for record in caplog.records]
    note_totals()


def test_the_first_photo_of_a_kind_is_told_and_their_number_at_the_end(tmp_path, told):
    deep = (np.arange(64).reshape(8, 8) * 64).astype(np.uint16)
    for number in range(3):
        Image.fromarray(deep).save(tmp_path / f"{number}.png")
        for _ in range(2):
            read_image(tmp_path / f"{number}.png")
    (line,) = told()
    assert line.startswith(f"{tmp_path}/0.png: 16 bits a value, the largest 4,032: taken as 12")
    note_totals()
    assert told()[1:] == ["16 bits a value: 3 photos in all"]


def test_what_a_folder_holds_beside_photos_is_told_once(tmp_path, told):
    Image.new("RGB", (8, 8)).save(tmp_path / "a.jpg")
    for name in ("a.mov", "Thumbs.db"):
        (tmp_path / name).write_text("x")
    for _ in range(2):
        find_photos(tmp_path, "photos")
    assert told() == [
        f"{tmp_path}: 1 video passed over: a.mov (take stills from it, as JPEG)",
        f"{tmp_path}: 1 hidden and system file passed over",
    ]


def test_plain_photos_are_not_told(tmp_path, told):
    Image.new("RGB", (8, 8)).save(tmp_path / "a.jpg")
    find_photos(tmp_path, "photos")
    read_image(tmp_path / "a.jpg")
    note_totals()
    assert told() == []
