"""Values in another form that mean one thing only: read as it, and told."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.data.coco_forms import IdNumbers, as_box, as_id, as_number, as_size
from rpc.data.dataset import read_dataset, scan_dataset
from rpc.data.files import DataError


def told(dataset):
    return "\n".join(note.what for note in dataset.notes)


def in_place(lists, name, change):
    for entry in lists:
        if name in entry:
            entry[name] = change(entry[name])


@pytest.mark.parametrize("form", [float, str, lambda n: f" {float(n)} "])
def test_numbers_in_other_forms_are_the_same_ids_and_sizes(coco, write, form):
    plain = read_dataset(write(coco))
    assert plain.notes == ()
    for name in ("id", "width", "height"):
        in_place(coco["images"], name, form)
    for name in ("id", "image_id", "category_id", "area"):
        in_place(coco["annotations"], name, form)
    in_place(coco["annotations"], "bbox", lambda box: list(map(form, box)))
    in_place(coco["categories"], "id", form)
    dataset = read_dataset(write(coco))
    assert dataset == plain
    lines = told(dataset)
    assert "id of 2 images is written in another form, such as" in lines
    assert "category_id of 3 annotations" in lines
    assert "the id of 2 categories" in lines
    assert "width of 2 images" in lines or form is str


def test_text_ids_become_numbers_that_every_list_agrees_on(coco, write):
    names = {40: "tray-b", 7: "tray-a"}
    in_place(coco["images"], "id", names.get)
    in_place(coco["annotations"], "image_id", names.get)
    in_place(coco["annotations"], "id", "uuid-{}".format)
    in_place(coco["categories"], "id", {7: "z", 3: "b"}.get)
    in_place(coco["annotations"], "category_id", {7: "z", 3: "b"}.get)
    dataset = read_dataset(write(coco))
    assert dataset.image_names == {"tray-a": 1, "tray-b": 2}
    assert dataset.category_names == {"b": 1, "z": 2}
    assert [image.id for image in dataset.images] == [2, 1]
    assert dataset.counts().tolist() == [[1, 1], [0, 1]]
    assert dataset.taxonomy.names == ("chips", "cola")
    assert "such as 'uuid-11': read as" in told(dataset)


def test_a_number_that_stands_for_a_text_is_no_id_of_the_file(coco, write):
    in_place(coco["images"], "id", {40: "tray-b", 7: "tray-a"}.get)
    in_place(coco["annotations"], "image_id", {40: "tray-b", 7: 1}.get)
    with pytest.raises(DataError, match="annotation 6: image_id 1: no image has this id"):
        read_dataset(write(coco))


def test_seven_and_its_text_are_one_id_and_007_is_another(coco, write):
    again = copy.deepcopy(coco["images"][1])
    coco["images"].append(again | {"id": "7"})
    with pytest.raises(DataError, match="image 7: the id is there twice"):
        read_dataset(write(coco))
    coco["images"][-1]["id"] = "007"
    assert read_dataset(write(coco)).image_names == {"007": 41}


@given(st.lists(st.integers() | st.floats() | st.text(max_size=3) | st.none(), max_size=8))
def test_different_ids_never_become_the_same_number(raw):
    numbers = IdNumbers(raw)
    meant = {one: as_id(one) for one in raw if one == one and as_id(one) is not None}
    for one, id_ in meant.items():
        for other, other_id in meant.items():
            assert (numbers.of(one) == numbers.of(other)) == (id_ == other_id)
        if isinstance(id_, int):
            assert numbers.of(one) == id_


@pytest.mark.parametrize("value", [True, None, "", " ", 1.5, float("nan"), 1e300, [1], {}])
def test_what_is_no_id_is_left(value):
    assert as_id(value) is None


@pytest.mark.parametrize(
    ("value", "number", "size"),
    [("640", 640, 640), (640.0, 640, 640), ("6.4e2", 640, 640), ("0.5", 0.5, None)]
    + [(value, None, None) for value in ("inf", "0x10", "", "640px", True, None, float("inf"))]
    + [(-3, -3, None), (0, 0, None)],
)
def test_numbers_and_sizes_in_other_forms(value, number, size):
    assert as_number(value) == number
    assert as_size(value) == size


def test_a_box_of_texts_is_four_numbers_or_none():
    assert as_box(["1", "2.5", 3, 4.0]) == [1, 2.5, 3, 4]
    for value in (["1", "x", 3, 4], [1, 2, 3], "1,2,3,4", [1, 2, 3, None]):
        assert as_box(value) is None


def test_annotations_without_ids_are_numbered(coco, write):
    del coco["annotations"][0]["id"]
    coco["annotations"][2]["id"] = None
    dataset = read_dataset(write(coco))
    assert [a.id for a in dataset.annotations] == [6, 5, 7]
    assert "2 annotations have no id: numbered from 6" in told(dataset)


@pytest.mark.parametrize("name", ["images\\t.jpg", "../../t.jpg", "/data/local-files/?d=t.jpg"])
def test_a_file_name_that_cannot_be_opened_does_not_stop_the_reading(coco, write, name):
    coco["images"][0]["file_name"] = name
    dataset = read_dataset(write(coco))
    assert dataset.images[0].file_name == name


def test_a_missing_file_name_is_told(coco, write):
    del coco["images"][0]["file_name"]
    dataset = read_dataset(write(coco))
    assert "1 images have no file_name" in told(dataset)


# x, y, width, height of the image and the box: cut or refused.
BORDERS = [
    ((640, 480), [590, 400, 53, 60], True),  # 3 px, .5 % of the side
    ((2000, 1500), [1900, 1000, 120, 60], True),  # 20 px, 1 %
    ((2000, 1500), [1900, 1000, 125, 60], False),  # 25 px of 125
    ((2000, 1500), [1000, 1000, 1100, 60], True),  # a tenth of a long box
    ((2000, 1500), [1985, 1000, 34, 60], False),  # most of it lies outside
    ((64, 48), [-2, 40, 10, 10], True),  # 2 px, as always
    ((64, 48), [-2.5, 2, 7, 4], False),
    ((64, 48), [64, 2, 1, 4], False),
]


@pytest.mark.parametrize(("size", "box", "is_cut"), BORDERS)
def test_a_box_is_cut_by_a_limit_that_grows_with_the_photo(coco, write, size, box, is_cut):
    width, height = size
    for image in coco["images"]:
        image.update(width=width, height=height)
    coco["annotations"] = [coco["annotations"][0] | {"bbox": box}]
    path = write(coco)
    if not is_cut:
        with pytest.raises(DataError, match="lies outside its image of"):
            read_dataset(path)
        return
    dataset = read_dataset(path)
    x1, y1, x2, y2 = dataset.annotations[0].bbox
    assert (x1, y1) == (max(box[0], 0), box[1])
    assert (x2, y2) == (min(box[0] + box[2], width), min(box[1] + box[3], height))
    assert dataset.clipped == 1
    assert "1 boxes reach out of their image, by" in told(dataset)


def test_masks_that_cvat_calls_crowds_are_items(coco, write):
    rle = {"counts": [5, 3], "size": [48, 64]}
    for entry in coco["annotations"]:
        entry.update(iscrowd=1, segmentation=rle)
    dataset = read_dataset(write(coco))
    assert len(dataset.annotations) == 3
    assert "3 annotations with iscrowd 1 are read as one item each" in told(dataset)
    assert dataset.to_coco()["annotations"][0]["iscrowd"] == 0


def test_areas_that_are_nan_are_those_of_the_boxes(coco, write):
    coco["annotations"][0]["area"] = float("nan")
    dataset = read_dataset(write(coco))
    assert dataset.annotations[0].area == 200
    assert "the area of 1 annotations is NaN" in told(dataset)


@pytest.mark.parametrize("value", [[0], {}, 2, "yes"])
def test_iscrowd_that_is_neither_is_refused_even_on_every_item(coco, write, value):
    for entry in coco["annotations"]:
        entry["iscrowd"] = value or [0]
    with pytest.raises(DataError, match="iscrowd: expected 0"):
        read_dataset(write(coco))


@pytest.mark.parametrize("form", [int, str, "tray-{}".format])
def test_the_items_of_a_damaged_image_are_no_problems_of_their_own(coco, write, form):
    in_place(coco["images"], "id", form)
    in_place(coco["annotations"], "image_id", form)
    coco["images"][0]["level"] = "extreme"
    dataset, problems = scan_dataset(write(coco))
    assert len(problems) == 1
    assert len(dataset.annotations) == 1


def test_one_crowd_among_items_is_refused_unless_it_is_of_cvat(coco, write):
    coco["annotations"][0]["iscrowd"] = "1"
    with pytest.raises(DataError, match="a crowd cannot be counted"):
        read_dataset(write(coco))
    coco["annotations"][0]["attributes"] = {"occluded": False, "rotation": 0.0}
    assert len(read_dataset(write(coco)).annotations) == 3


@pytest.mark.parametrize("none", [0, 0.0, "0", False, None])
def test_no_crowd_in_any_form(coco, write, none):
    coco["annotations"][0]["iscrowd"] = none
    assert read_dataset(write(coco)).notes == ()


def test_missing_sizes_come_from_the_photos_or_are_the_boxes_extent(coco, write):
    del coco["images"][0]["width"], coco["images"][1]["height"]
    path = write(coco)
    with pytest.raises(DataError, match="the field 'width' is missing"):
        read_dataset(path)
    dataset = read_dataset(path, size_of=lambda name: (64, 48))
    assert [(i.width, i.height) for i in dataset.images] == [(64, 48)] * 2
    assert "2 images have no width and height: 2 sizes were read from the photos" in told(dataset)
    dataset = read_dataset(path, size_of=lambda name: None)
    assert [(i.width, i.height) for i in dataset.images] == [(64, 48), (7, 7)]
    assert "2 are not known" in told(dataset)

    def refuse(name):
        raise DataError(f"{name}: cannot be read")

    with pytest.raises(DataError, match=r"a\.jpg: cannot be read"):
        read_dataset(path, size_of=refuse)
    assert len(scan_dataset(path, refuse)[1]) == 2  # the images; their items go with them


def test_levels_in_capitals_and_numbers_for_names(coco, write):
    coco["images"][0]["level"] = "Easy"
    coco["categories"][0]["name"] = 12
    dataset = read_dataset(write(coco))
    assert dataset.levels() == ["easy", "easy"]
    assert dataset.taxonomy.names == ("chips", "12")
    assert "'Easy'" in told(dataset)


def test_integers_that_no_array_holds_are_neither_ids_nor_numbers():
    assert as_id(2**63 - 1) == as_number(2**63 - 1) == 2**63 - 1
    assert as_id(2**63) is None
    assert as_number(-(10**400)) is None
