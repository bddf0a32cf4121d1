"""Sets of photos of every data set that is read, and true boxes from a file."""

import json
from pathlib import Path

import numpy as np
import pytest

from rpc.data.files import DataError
from rpc.data.images import write_image
from rpc.retrieval.colocalisation.data_sets import data_sets
from rpc.retrieval.colocalisation.photo_sets import folder_set
from rpc.retrieval.colocalisation.truth_file import with_truths

MINISTORE = Path(__file__).parents[3] / "examples" / "ministore"


def plain(path, side=(40, 60)):
    write_image(path, np.zeros((*side, 3), np.uint8))


@pytest.fixture
def folders(tmp_path):
    for name in ("oat/a", "oat/b", "soy/a", "soy/b", "rye/a"):
        plain(tmp_path / "train" / f"{name}.png")
    plain(tmp_path / "test/oat/c.png")
    return tmp_path


def test_a_set_is_a_class_of_the_split_and_one_of_a_single_photo_is_told(folders):
    sets, few = data_sets(folders)
    assert [(one.category.name, len(one.photos)) for one in sets] == [("oat", 2), ("soy", 2)]
    assert few == ["rye: 1 photos, left out (2 or more are needed)"]
    assert sets[0].photos[0].truths == ()
    with pytest.raises(DataError, match="no class has 2 photos in test"):
        data_sets(folders, "test")
    plain(folders / "val/rye/v.png")
    assert [one.category.name for one in data_sets(folders, "trainval")[0]] == ["oat", "rye", "soy"]


def test_all_photos_are_one_set_where_that_is_wanted(folders):
    sets, few = data_sets(folders, as_one=True)
    assert [len(one.photos) for one in sets] == [5]
    assert few == []


def test_of_aircraft_the_banner_is_cut_off_and_boxes_stay(tmp_path):
    texts = {
        "variants.txt": "Cessna 172\nF-16A/B\n",
        "images_variant_train.txt": "0001 Cessna 172\n0002 Cessna 172\n0005 F-16A/B\n",
        "images_variant_val.txt": "0003 Cessna 172\n",
        "images_variant_test.txt": "0004 F-16A/B\n",
        "images_box.txt": "".join(f"000{n} 5 6 30 20\n" for n in range(1, 6)),
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    for number in range(1, 6):
        plain(tmp_path / f"images/000{number}.jpg", (60, 80))
    photo = data_sets(tmp_path)[0][0].photos[0]
    assert photo.read().shape == (40, 80, 3)
    assert photo.truths == ((4, 5, 30, 20),)


def test_of_pets_the_animal_and_not_its_head_is_true(tmp_path):
    from PIL import Image

    notes = tmp_path / "annotations"
    (notes / "trimaps").mkdir(parents=True)
    (notes / "trainval.txt").write_text(
        "Pug_1 1 2 1\nPug_2 1 2 1\nBeagle_1 2 2 2\nBeagle_2 2 2 2\n"
    )
    (notes / "test.txt").write_text("Pug_3 1 2 1\n")
    trimap = np.full((40, 60), 2, np.uint8)
    trimap[5:31, 10:50] = 1
    for name in ("Pug_1", "Pug_2", "Pug_3", "Beagle_1", "Beagle_2"):
        plain(tmp_path / "images" / f"{name}.jpg")
        Image.fromarray(trimap).save(notes / "trimaps" / f"{name}.png")
    sets, _ = data_sets(tmp_path)
    assert [one.category.name for one in sets] == ["Pug", "Beagle"]
    assert sets[0].photos[0].truths == ((10, 5, 50, 31),)


def test_one_set_of_voc_has_the_boxes_of_all_classes_on_a_photo(tmp_path):
    from tests.data.class_sets.test_object_sets import LISTS, NOTES

    for folder in ("ImageSets/Main", "Annotations"):
        (tmp_path / folder).mkdir(parents=True)
    for name, text in LISTS.items():
        (tmp_path / "ImageSets/Main" / name).write_text(text)
    for name, text in NOTES.items():
        (tmp_path / "Annotations" / f"{name}.xml").write_text(text)
        plain(tmp_path / "JPEGImages" / f"{name}.jpg")
    (one,), _ = data_sets(tmp_path, "trainval", as_one=True)
    assert {photo.name[11:17]: len(photo.truths) for photo in one.photos} == {
        "000001": 2, "000002": 1, "000004": 2, "000003": 1
    }  # fmt: skip
    assert len(data_sets(tmp_path, "trainval", leave_out=("truncated",))[0][0].photos) == 2


def test_a_store_is_read_as_before_and_has_no_trainval():
    sets, _ = data_sets(MINISTORE)
    assert all(photo.truths for one in sets for photo in one.photos)
    with pytest.raises(DataError, match="a store has no split trainval"):
        data_sets(MINISTORE, "trainval")
    with pytest.raises(DataError, match="no PASCAL VOC: only its objects are marked"):
        data_sets(MINISTORE, leave_out=("difficult",))


def test_an_unknown_layout_is_one_line_with_all_that_are_read(tmp_path):
    with pytest.raises(DataError, match=r"CUB-200-2011 .*; PASCAL VOC .*; Object Discovery"):
        data_sets(tmp_path)
    with pytest.raises(DataError, match="no such folder"):
        data_sets(tmp_path / "none")


def truth_file(path, names, size=(60, 40), boxed=None):
    images = [
        {"id": n, "file_name": name, "width": size[0], "height": size[1]}
        for n, name in enumerate(names, start=1)
    ]
    notes = [
        {"id": n, "image_id": n, "category_id": 1, "bbox": [n, 2, 10, 10], "area": 100}
        for n in range(1, 1 + len(names))
        if boxed is None or n in boxed
    ]
    categories = [{"id": 1, "name": "mug"}]
    content = {"images": images, "annotations": notes, "categories": categories}
    path.write_text(json.dumps(content))
    return path


@pytest.fixture
def mug(tmp_path):
    for name in ("a", "b", "c"):
        plain(tmp_path / "mug" / f"{name}.png")
    return folder_set(tmp_path / "mug")


def test_photos_get_the_boxes_of_their_names_whatever_folder_and_suffix(mug, tmp_path):
    truth = truth_file(tmp_path / "t.json", ["mug/b.jpg", "a.png"], boxed=(1,))
    found = with_truths(mug, truth)
    assert [photo.truths for photo in found.photos] == [(), ((1, 2, 11, 12),), ()]
    assert found.photos[1].read().shape == (40, 60, 3)


def test_frames_get_the_boxes_of_their_numbers(mug, tmp_path):
    from dataclasses import replace

    photos = tuple(
        replace(photo, name=f"frame_{n:06}")
        for n, photo in zip((0, 5, 10), mug.photos, strict=True)
    )
    truth = truth_file(tmp_path / "t.json", ["frame_000010", "5.jpg", "walk-7.png"])
    found = with_truths(replace(mug, photos=photos), truth, frames=True)
    assert [photo.truths for photo in found.photos] == [(), ((2, 2, 12, 12),), ((1, 2, 11, 12),)]


def test_a_truth_of_other_photos_of_another_size_or_twice_is_told(mug, tmp_path):
    with pytest.raises(DataError, match=r"box on none of the 3 images of mug, such as a\.png"):
        with_truths(mug, truth_file(tmp_path / "t.json", ["x.png"]))
    with pytest.raises(DataError, match=r"lists b\.jpg twice"):
        with_truths(mug, truth_file(tmp_path / "t.json", ["b.png", "b.jpg"]))
    other = with_truths(mug, truth_file(tmp_path / "t.json", ["a.png"], size=(30, 20)))
    with pytest.raises(DataError, match=r"a\.png: is 60x40 px, .* says 30x20"):
        other.photos[0].read()
