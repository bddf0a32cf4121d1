"""Gallery and queries of every layout that recognition reads."""

from pathlib import Path

import numpy as np
import pytest

from rpc.data.class_sets.class_folders import LabelledPhoto, labels_of
from rpc.data.files import DataError
from rpc.data.images import write_image
from rpc.pipelines.retrieval.photos import read_class_photos

MINISTORE = Path(__file__).parents[2] / "examples" / "ministore"


def draw(path):
    rgb = np.zeros((40, 60, 3), np.uint8)
    rgb[10:20, 30:50] = (200, 40, 40)
    write_image(path, rgb)


@pytest.fixture
def folders(tmp_path):
    for name in ("train/oat/a.png", "train/oat/b.png", "train/soy/c.png", "test/soy/d.png"):
        draw(tmp_path / name)
    return tmp_path


def test_training_photos_are_the_gallery_and_test_photos_the_queries(folders):
    data = read_class_photos(folders)
    assert [photo.name for photo in data.gallery] == [
        "train/oat/a.png", "train/oat/b.png", "train/soy/c.png"
    ]  # fmt: skip
    assert [photo.name for photo in data.queries] == ["test/soy/d.png"]
    assert data.split == "train as gallery, test as queries"


def test_validation_photos_are_in_the_gallery_as_nothing_is_chosen_on_them(folders):
    draw(folders / "val/soy/v.png")
    data = read_class_photos(folders)
    assert data.gallery[-1].name == "val/soy/v.png"
    assert data.split == "train and val as gallery, test as queries"


def test_a_store_gives_exemplars_as_gallery_and_items_of_test_trays_as_queries():
    data = read_class_photos(MINISTORE)
    assert {photo.path.parent.name for photo in data.gallery} == {"exemplars"}
    assert {photo.path.parent.name for photo in data.queries} == {"test"}
    assert "by given boxes" in data.split
    rgb = data.queries[0].read()
    x1, y1, x2, y2 = data.queries[0].crop
    assert abs(rgb.shape[0] - (y2 - y1)) < 2
    assert abs(rgb.shape[1] - (x2 - x1)) < 2


def test_a_limit_counts_by_class_and_split(folders):
    data = read_class_photos(folders).limited(1)
    assert labels_of(data.gallery).tolist() == [0, 1]
    with pytest.raises(ValueError, match="at least 1"):
        data.limited(0)


def test_a_photo_is_read_as_the_part_that_is_meant(tmp_path):
    draw(tmp_path / "a.png")
    photo = LabelledPhoto(tmp_path / "a.png", 0, (28.5, 9, 51, 21.2), (30, 10, 50, 20))
    rgb = photo.read()
    assert rgb.shape == (13, 23, 3)
    x1, y1, x2, y2 = photo.box_read
    assert (rgb[y1:y2, x1:x2] == (200, 40, 40)).all()
    whole = LabelledPhoto(tmp_path / "a.png", 0, None, (30, 10, 50, 20))
    assert whole.read().shape == (40, 60, 3)
    assert whole.box_read == (30, 10, 50, 20)
    with pytest.raises(DataError, match="no pixel in the photo"):
        LabelledPhoto(tmp_path / "a.png", 0, (70, 0, 80, 9)).read()
