from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.io import savemat

from rpc.data.class_sets.class_layouts import LAYOUTS, read_class_set
from rpc.data.class_sets.class_set import held_out
from rpc.data.class_sets.store_crops import read_store_set
from rpc.data.files import DataError
from rpc.data.images import write_image

MINISTORE = Path(__file__).parents[3] / "examples" / "ministore"


def _touch(*paths):
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"photo")


def _cells(names):
    cells = np.empty((len(names), 1), dtype=object)
    cells[:, 0] = names
    return cells


def _records(fields, rows):
    made = np.empty(len(rows), dtype=[(name, object) for name in fields])
    for place, row in enumerate(rows):
        made[place] = row
    return made


CUB = {
    "images.txt": "1 001.Gull/a.jpg\n2 001.Gull/b.jpg\n3 002.Tern/c.jpg\n4 002.Tern/d.jpg\n",
    "image_class_labels.txt": "1 1\n2 1\n3 2\n4 2\n",
    "train_test_split.txt": "1 1\n2 0\n3 1\n4 0\n",
    "classes.txt": "1 001.Gull\n2 002.Tern\n",
    "bounding_boxes.txt": "1 10 20 30 40\n2 0 0 5 5\n3 1 2 3.5 4\n4 0 0 9 9\n",
    "parts/parts.txt": "1 back\n2 left leg\n",
    "parts/part_locs.txt": "".join(
        f"{image} {part} {10.5 * image} {part} {int(part == 1)}\n"
        for image in range(1, 5)
        for part in (1, 2)
    ),
}


@pytest.fixture
def cub(tmp_path):
    for line in CUB["images.txt"].splitlines():
        _touch(tmp_path / "images" / line.partition(" ")[2])
    (tmp_path / "parts").mkdir()
    for name, text in CUB.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_cub_has_boxes_and_key_points(cub):
    found = read_class_set(cub)
    assert found.points == ("back", "left leg")
    assert found.known == {"boxes", "points"}
    assert found.train[0].box == (10, 20, 40, 60)
    assert found.train[1].points == ((31.5, 1, 1), (31.5, 2, 0))
    assert [photo.label for photo in found.test] == [0, 1]
    assert found.mirrored
    assert not found.rotated


def test_cub_without_boxes_and_key_points_is_read_by_labels(cub):
    (cub / "bounding_boxes.txt").unlink()
    (cub / "parts/part_locs.txt").unlink()
    found = read_class_set(cub)
    assert found.known == set()
    assert found.train[0].box is None


def test_key_points_that_are_nowhere_in_sight_are_as_good_as_none(cub):
    path = cub / "parts/part_locs.txt"
    lines = [line.rsplit(" ", 1)[0] + " 0" for line in path.read_text().splitlines()]
    path.write_text("\n".join(lines))
    assert read_class_set(cub).known == {"boxes"}


def test_key_points_without_their_names_are_told(cub):
    (cub / "parts/parts.txt").unlink()
    with pytest.raises(DataError, match=r"parts\.txt: missing"):
        read_class_set(cub)


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("parts/part_locs.txt", "1 1 5 5\n", "line 1: expected 5 numbers"),
        ("parts/part_locs.txt", "1 1 5 nan 1\n", "line 1: expected 5 numbers"),
        ("parts/part_locs.txt", "9 1 5 5 1\n", "image 9, part 1: images.txt and"),
        ("parts/part_locs.txt", "1 3 5 5 1\n", "image 1, part 3: images.txt and"),
        ("parts/part_locs.txt", "1 1 5 5 1\n1 1 5 5 1\n", "line 2: image 1 has part 1 once more"),
        ("parts/part_locs.txt", "1 1 5 5 2\n", "expected 1 .in sight. or 0 at the end, got 2"),
        ("parts/part_locs.txt", "1 1 5 5 1\n", "image 1 has 1 of 2 key points .4 such images"),
        ("parts/parts.txt", "back\n", "line 1: expected a number"),
        ("bounding_boxes.txt", "1 1 1 0 5\n", "image 1: a box of no size"),
        ("bounding_boxes.txt", "1 1 1 5\n", "image 1: expected 4 numbers"),
        ("bounding_boxes.txt", "1 1 1 5 5\n", "image 2 differs"),
    ],
)
def test_wrong_boxes_or_key_points_are_one_line(cub, file, text, told):
    (cub / file).write_text(text)
    with pytest.raises(DataError, match=told) as error:
        read_class_set(cub)
    assert "\n" not in str(error.value)


@pytest.fixture
def dogs(tmp_path):
    for split, names in {
        "train": ["n01-Pug/a.jpg", "n02-Beagle/b.jpg"],
        "test": ["n02-Beagle/c.jpg"],
    }.items():
        _touch(*(tmp_path / "Images" / name for name in names))
        labels = np.array([[int(name[2])] for name in names])
        savemat(tmp_path / f"{split}_list.mat", {"file_list": _cells(names), "labels": labels})
        for name in names:
            note = tmp_path / "Annotation" / name.removesuffix(".jpg")
            note.parent.mkdir(parents=True, exist_ok=True)
            note.write_text(
                "<object><bndbox><xmin>3</xmin><ymin>4</ymin><xmax>50</xmax><ymax>60</ymax>"
            )
    return tmp_path


def test_dogs_have_boxes_where_the_annotations_are(dogs):
    found = read_class_set(dogs)
    assert found.classes == ("Pug", "Beagle")
    assert found.test[0].box == (3, 4, 50, 60)
    (dogs / "Annotation/n02-Beagle/c").write_text("<annotation/>")
    with pytest.raises(DataError, match="holds no box"):
        read_class_set(dogs)


BOX = ("bbox_x1", "bbox_y1", "bbox_x2", "bbox_y2")


@pytest.fixture
def cars(tmp_path):
    (tmp_path / "devkit").mkdir()
    names = {"class_names": np.array(["Audi A", "BMW B"], dtype=object)}
    savemat(tmp_path / "devkit/cars_meta.mat", names)
    splits = {
        "devkit/cars_train_annos.mat": [(5, 6, 50, 60, 1, "a.jpg"), (1, 1, 9, 9, 2, "b.jpg")],
        "cars_test_annos_withlabels.mat": [(1, 1, 9, 9, 2, "a.jpg")],
    }
    for (file, rows), split in zip(splits.items(), ("train", "test"), strict=True):
        savemat(tmp_path / file, {"annotations": _records((*BOX, "class", "fname"), rows)})
        _touch(*(tmp_path / f"cars_{split}" / row[-1] for row in rows))
    return tmp_path


def test_cars_in_two_folders(cars):
    found = read_class_set(cars)
    assert (found.name, found.classes) == ("Stanford Cars", ("Audi A", "BMW B"))
    assert [(p.name, p.label) for p in found.train] == [
        ("cars_train/a.jpg", 0),
        ("cars_train/b.jpg", 1),
    ]
    assert found.train[0].box == (4, 5, 50, 60)  # MATLAB counts from 1
    assert len(found.test) == 1


def test_cars_in_one_list(tmp_path):
    fields = ("relative_im_path", *BOX, "class", "test")
    rows = [(f"car_ims/{n}.jpg", 1, 1, 5, 5, 1 + n % 2, int(n > 1)) for n in range(4)]
    lists = {"annotations": _records(fields, rows), "class_names": _cells(["A", "B"])}
    savemat(tmp_path / "cars_annos.mat", lists)
    _touch(*(tmp_path / row[0] for row in rows))
    found = read_class_set(tmp_path)
    assert [photo.label for photo in found.train] == [0, 1]
    assert [photo.name for photo in found.test] == ["car_ims/2.jpg", "car_ims/3.jpg"]


def test_the_test_list_of_cars_without_labels_is_told(cars):
    (cars / "cars_test_annos_withlabels.mat").unlink()
    with pytest.raises(DataError, match=r"needs .*withlabels.mat .*has no labels"):
        read_class_set(cars)
    rows = _records((*BOX, "fname"), [(1, 1, 9, 9, "a.jpg")])
    savemat(cars / "cars_test_annos_withlabels.mat", {"annotations": rows})
    with pytest.raises(DataError, match="an entry without 'class'"):
        read_class_set(cars)


def test_cars_of_a_class_that_has_no_name_are_told(cars):
    savemat(cars / "devkit/cars_meta.mat", {"class_names": np.array(["Audi A"], dtype=object)})
    with pytest.raises(DataError, match=r"cars_train/b.jpg has class 2; expected 1 to 1"):
        read_class_set(cars)


@pytest.fixture
def aircraft(tmp_path):
    root = tmp_path / "fgvc-aircraft-2013b" / "data"
    texts = {
        "variants.txt": "Cessna 172\nF-16A/B\n",
        "images_variant_train.txt": "0001 Cessna 172\n0002 F-16A/B\n",
        "images_variant_val.txt": "0003 Cessna 172\n",
        "images_variant_test.txt": "0004 F-16A/B\n",
        "images_family_train.txt": "0001 Cessna\n0002 F-16\n",
        "images_box.txt": "0001 5 6 30 20\n",
    }
    root.mkdir(parents=True)
    for name, text in texts.items():
        (root / name).write_text(text)
    for number in range(1, 5):
        write_image(root / f"images/000{number}.jpg", np.zeros((60, 80, 3), np.uint8))
    return tmp_path


def test_aircraft_keeps_its_own_validation_and_loses_the_banner(aircraft):
    found = read_class_set(aircraft)
    assert found.classes == ("Cessna 172", "F-16A/B")
    assert found.families == ("Cessna", "F-16")
    assert [photo.label for photo in found.val] == [0]
    assert found.train[0].crop == (0, 0, 80, 40)
    assert found.train[0].box == (4, 5, 30, 20)
    assert found.with_validation() is found


def test_an_unknown_variant_of_aircraft_is_told(aircraft):
    (aircraft / "fgvc-aircraft-2013b/data/variants.txt").write_text("Cessna 172\n")
    with pytest.raises(DataError, match=r"variant 'F-16A/B' is not in variants\.txt"):
        read_class_set(aircraft)


@pytest.fixture
def flowers(tmp_path):
    savemat(tmp_path / "imagelabels.mat", {"labels": np.array([[1, 2, 1, 2, 2]], np.uint8)})
    split = {"trnid": [[1, 2]], "valid": [[3]], "tstid": [[4, 5]]}
    savemat(tmp_path / "setid.mat", {k: np.array(v, np.uint16) for k, v in split.items()})
    _touch(*(tmp_path / f"jpg/image_{n:05}.jpg" for n in range(1, 6)))
    return tmp_path


def test_flowers_have_their_three_splits(flowers):
    found = read_class_set(flowers)
    assert found.classes == ("flower 1", "flower 2")
    splits = [
        [(p.path.name[9:11], p.label) for p in s] for s in (found.train, found.val, found.test)
    ]
    assert splits == [[("01", 0), ("02", 1)], [("03", 0)], [("04", 1), ("05", 1)]]


def test_a_split_of_other_flowers_is_told(flowers):
    split = {"trnid": [[1, 9]], "valid": [[3]], "tstid": [[4]]}
    savemat(flowers / "setid.mat", {k: np.array(v, np.uint16) for k, v in split.items()})
    with pytest.raises(DataError, match=r"trnid names photo 9, which imagelabels\.mat"):
        read_class_set(flowers)


@pytest.mark.parametrize("file", ["setid.mat", "imagelabels.mat"])
def test_a_damaged_list_of_flowers_is_one_line(flowers, file):
    (flowers / file).write_bytes(b"nothing of MATLAB's")
    with pytest.raises(DataError, match=rf"{file}: not the"):
        read_class_set(flowers)
    (flowers / file).unlink()
    with pytest.raises(DataError, match=rf"{file}: missing"):
        read_class_set(flowers)


@pytest.fixture
def oats(tmp_path):
    _touch(*(tmp_path / f"train/{c}/{n}.jpg" for c in ("oat", "soy") for n in range(10)))
    _touch(*(tmp_path / f"test/{c}/0.jpg" for c in ("oat", "soy")))
    return tmp_path


def test_validation_is_taken_from_every_class_of_the_training_photos(oats):
    found = read_class_set(oats)
    assert not found.val
    kept = found.with_validation(0.2, seed=3)
    assert kept.held_out
    assert [p.label for p in kept.val] == [0, 0, 1, 1]
    assert {*kept.train, *kept.val} == set(found.train)
    assert len(kept.train) == 16
    assert kept == found.with_validation(0.2, seed=3)
    assert kept.val != found.with_validation(0.2, seed=4).val
    assert kept.test == found.test


def test_a_folder_of_validation_photos_is_taken_as_it_is(oats):
    _touch(oats / "val/oat/v.jpg")
    assert [p.name for p in read_class_set(oats).with_validation().val] == ["val/oat/v.jpg"]
    _touch(oats / "val/rye/v.jpg")
    with pytest.raises(DataError, match="rye: a class that train/ and test/ do not have"):
        read_class_set(oats)


def test_one_class_is_nothing_to_tell_apart(tmp_path):
    _touch(tmp_path / "train/oat/a.jpg", tmp_path / "test/oat/b.jpg")
    with pytest.raises(DataError, match="training photos of 1 classes; expected two or more"):
        read_class_set(tmp_path)


def test_a_class_of_one_photo_is_told(tmp_path):
    _touch(*(tmp_path / f"train/{name}.jpg" for name in ("oat/a", "oat/b", "soy/a")))
    _touch(tmp_path / "test/oat/a.jpg")
    with pytest.raises(DataError, match="class soy: one training photo, expected two or more"):
        read_class_set(tmp_path).with_validation()


def test_an_unknown_layout_lists_the_layouts_on_one_line(tmp_path):
    with pytest.raises(DataError, match="not a data set that is known") as error:
        read_class_set(tmp_path)
    assert all(name in str(error.value) for name in LAYOUTS)
    assert "\n" not in str(error.value)


@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=40).filter(
        lambda labels: all(labels.count(one) > 1 for one in labels)
    ),
    st.floats(0.01, 0.99),
)
def test_every_class_keeps_photos_in_both_splits(labels, share):
    rows = np.array(labels)
    apart = held_out(rows, share, np.random.default_rng(0), "abcd")
    for label in set(labels):
        count, kept = (rows == label).sum(), apart[rows == label].sum()
        assert 1 <= kept < count
        assert abs(kept - share * count) <= 1


def test_a_store_gives_crops_of_exemplars_and_of_trays():
    found = read_store_set(MINISTORE, margin=0.1)
    assert found.rotated
    assert not found.mirrored
    assert len(found.families) == len(found.classes)
    assert found.known == {"boxes"}
    photo = found.test[0]
    (x1, y1, x2, y2), (bx1, by1, bx2, by2) = photo.crop, photo.box
    assert x1 == max(bx1 - 0.1 * (bx2 - bx1), 0)
    assert y1 == max(by1 - 0.1 * (by2 - by1), 0)
    assert x2 >= bx2
    assert y2 >= by2
    splits = [{p.path.parent.name for p in s} for s in (found.train, found.val, found.test)]
    assert splits == [{"exemplars"}, {"val"}, {"test"}]


def test_scenes_of_another_store_are_refused(tmp_path):
    write_image(tmp_path / "images/0.png", np.zeros((40, 40, 3), np.uint8))
    text = (
        '{"images": [{"id": 0, "file_name": "0.png", "width": 40, "height": 40}],'
        '"annotations": [], "categories": [{"id": 1, "name": "another"}]}'
    )
    (tmp_path / "instances.json").write_text(text)
    with pytest.raises(DataError, match="scenes of another store"):
        read_store_set(MINISTORE, 0.04, tmp_path)
