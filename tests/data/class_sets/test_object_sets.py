"""PASCAL VOC and Object Discovery on trees as their archives make them."""

import numpy as np
import pytest

from rpc.data.class_sets.object_discovery import find_object_discovery, read_object_discovery
from rpc.data.class_sets.voc_sets import find_voc, read_voc_sets
from rpc.data.files import DataError
from rpc.data.images import write_image


def note(width, height, *things):
    """An annotation as VOC2007 writes it; things are (class, truncated, difficult, corners)."""
    objects = "".join(
        f"<object><name>{title}</name><pose>Left</pose><truncated>{truncated}</truncated>"
        f"<difficult>{difficult}</difficult><bndbox><xmin>{x1}</xmin><ymin>{y1}</ymin>"
        f"<xmax>{x2}</xmax><ymax>{y2}</ymax></bndbox></object>"
        for title, truncated, difficult, (x1, y1, x2, y2) in things
    )
    return (
        "<annotation><folder>VOC2007</folder><size><width>"
        f"{width}</width><height>{height}</height><depth>3</depth></size>{objects}</annotation>"
    )


NOTES = {
    "000001": note(60, 40, ("cat", 0, 0, (11, 6, 30, 25)), ("dog", 0, 0, (1, 1, 9, 9))),
    "000002": note(60, 40, ("cat", 1, 0, (1, 1, 20, 20))),
    "000003": note(60, 40, ("cat", 0, 1, (1, 1, 20, 20)), ("dog", 0, 0, (5, 5, 50, 35))),
    "000004": note(60, 40, ("cat", 0, 0, (2, 2, 20, 20)), ("cat", 0, 1, (30, 3, 50, 20))),
}
LISTS = {
    "cat_trainval.txt": "000001  1\n000002  1\n000003  0\n000004  1\n",
    "dog_trainval.txt": "000001  1\n000002 -1\n000003  1\n000004 -1\n",
    "cat_train.txt": "000001  1\n000002  1\n",
    "trainval.txt": "000001\n000002\n000003\n000004\n",
}


@pytest.fixture
def voc(tmp_path):
    root = tmp_path / "VOCdevkit" / "VOC2007"
    (root / "ImageSets/Main").mkdir(parents=True)
    (root / "Annotations").mkdir()
    for name, text in LISTS.items():
        (root / "ImageSets/Main" / name).write_text(text)
    for name, text in NOTES.items():
        (root / "Annotations" / f"{name}.xml").write_text(text)
        write_image(root / "JPEGImages" / f"{name}.jpg", np.zeros((40, 60, 3), np.uint8))
    return root


def contents(sets):
    return {one.name: {photo.name[11:17]: photo.boxes for photo in one.photos} for one in sets}


def test_a_set_is_of_the_photos_with_label_1_and_has_the_boxes_of_its_class_alone(voc):
    assert contents(read_voc_sets(voc, "trainval")) == {
        "cat": {
            "000001": ((10, 5, 30, 25),),
            "000002": ((0, 0, 20, 20),),
            "000004": ((1, 1, 20, 20), (29, 2, 50, 20)),
        },
        "dog": {"000001": ((0, 0, 9, 9),), "000003": ((4, 4, 50, 35),)},
    }
    assert contents(read_voc_sets(voc, "train"))["cat"].keys() == {"000001", "000002"}


def test_photos_with_marked_objects_alone_are_left_out_where_that_is_wanted(voc):
    both = contents(read_voc_sets(voc, "trainval", ("difficult", "truncated")))["cat"]
    assert both == {"000001": ((10, 5, 30, 25),), "000004": ((1, 1, 20, 20),)}
    assert "000002" in contents(read_voc_sets(voc, "trainval", ("difficult",)))["cat"]


def test_the_folder_of_a_year_is_found_and_two_are_told(voc, tmp_path):
    assert find_voc(voc) == find_voc(voc.parent) == find_voc(tmp_path) == voc
    assert find_voc(tmp_path / "VOCdevkit" / "VOC2007" / "JPEGImages") is None
    for folder in ("JPEGImages", "ImageSets/Main"):
        (voc.parent / "VOC2012" / folder).mkdir(parents=True)
    with pytest.raises(DataError, match="holds VOC2007, VOC2012; say the folder of one"):
        find_voc(tmp_path)
    assert find_voc(voc) == voc


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("ImageSets/Main/cat_trainval.txt", "000001\n", "line 1: expected a photo and 1, 0 or -1"),
        ("ImageSets/Main/cat_trainval.txt", "000009 1\n", r"000009\.jpg: missing"),
        ("ImageSets/Main/cat_trainval.txt", "../../x 1\n", "leads out of the data folder"),
        ("Annotations/000002.xml", note(60, 40), "holds no cat, which ImageSets/Main says"),
        ("Annotations/000002.xml", "<annotation>", r"000002\.xml: not valid XML"),
        (
            "Annotations/000002.xml",
            note(60, 40, ("cat", 0, 0, (9, 9, 1, 1))),
            "sides are exchanged: 9 9 1 1",
        ),
        (
            "Annotations/000002.xml",
            note(60, 40, ("cat", 0, 0, ("a", 9, 1, 1))),
            "an object without a box",
        ),
        ("Annotations/000002.xml", note("x", 40, ("cat", 0, 0, (1, 1, 9, 9))), "no number"),
    ],
)
def test_what_is_wrong_in_voc_is_one_line(voc, file, text, told):
    (voc / file).write_text(text)
    with pytest.raises(DataError, match=told) as error:
        read_voc_sets(voc, "trainval")
    assert "\n" not in str(error.value)


def test_a_split_without_lists_and_a_photo_of_another_size_are_told(voc):
    with pytest.raises(DataError, match=r"no list <class>_test\.txt"):
        read_voc_sets(voc, "test")
    write_image(voc / "JPEGImages/000001.jpg", np.zeros((80, 120, 3), np.uint8))
    with pytest.raises(DataError, match="twice as large"):
        read_voc_sets(voc, "trainval")[0].photos[0].read()


@pytest.fixture
def discovery(tmp_path):
    for title in ("Airplane100", "Horse100"):
        for number in range(1, 4):
            rgb = np.zeros((40, 60, 3), np.uint8)
            write_image(tmp_path / "Data" / title / f"{number:04}.jpg", rgb)
            mask = np.zeros((40, 60, 3), np.uint8)
            if number != 2:  # the search found this photo, and it shows something else
                mask[5:20, 10 : 20 + 10 * number] = 255
                mask[30, 50] = 255
            write_image(tmp_path / "Data" / title / "GroundTruth" / f"{number:04}.png", mask)
    return tmp_path


def test_boxes_are_tight_on_the_masks_and_an_empty_mask_is_noise(discovery):
    folders = find_object_discovery(discovery)
    assert folders == find_object_discovery(discovery / "Data")
    sets = read_object_discovery(folders)
    assert [one.name for one in sets] == ["Airplane100", "Horse100"]
    assert [photo.boxes for photo in sets[0].photos] == [
        ((10, 5, 51, 31),), (), ((10, 5, 51, 31),)
    ]  # fmt: skip
    assert sets[0].photos[0].name == "Airplane100/0001.jpg"
    assert find_object_discovery(discovery / "Data/Horse100") == [discovery / "Data/Horse100"]
    assert find_object_discovery(discovery / "Data/Horse100/GroundTruth") == []


def test_a_photo_without_a_mask_or_of_another_size_is_told(discovery):
    photo = discovery / "Data/Airplane100/0003.jpg"
    write_image(photo, np.zeros((80, 120, 3), np.uint8))
    sets = read_object_discovery(find_object_discovery(discovery))
    with pytest.raises(DataError, match="twice as large"):
        sets[0].photos[2].read()
    (photo.parent / "GroundTruth/0003.png").unlink()
    with pytest.raises(DataError, match=r"0003\.jpg: has no mask GroundTruth/0003\.png"):
        read_object_discovery(find_object_discovery(discovery))
