import copy
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.data.dataset import (
    Annotation,
    Dataset,
    ImageInfo,
    read_dataset,
    scan_dataset,
    write_dataset,
)
from rpc.data.files import DataError
from rpc.data.store import Store
from rpc.data.taxonomy import Category, Taxonomy

plain = st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4)
unknown_fields = st.dictionaries(st.sampled_from(["cart", "note", "point_xy", "名"]), plain)
fractions = st.floats(0, 0.9)


@st.composite
def coco_files(draw):
    """COCO objects as tools write them: gaps in ids, boxes with many digits, odd extra fields."""
    category_ids = draw(st.lists(st.integers(1, 999), min_size=1, max_size=4, unique=True))
    image_ids = draw(st.lists(st.integers(0, 10**12), max_size=4, unique=True))
    images = [
        {
            "id": number,
            "file_name": f"{row}.jpg",
            "width": draw(st.integers(1, 3000)),
            "height": draw(st.integers(1, 3000)),
            "level": draw(st.sampled_from(["easy", "medium", "hard", None])),
            **draw(unknown_fields),
        }
        for row, number in enumerate(image_ids)
    ]
    annotations = []
    for number in range(draw(st.integers(0, 5)) if images else 0):
        image = draw(st.sampled_from(images))
        x, y = (draw(fractions) * image[side] for side in ("width", "height"))
        w = draw(st.floats(0.01, 1)) * (image["width"] - x)
        h = draw(st.floats(0.01, 1)) * (image["height"] - y)
        annotations.append(
            {
                "id": number * 3,
                "image_id": image["id"],
                "category_id": draw(st.sampled_from(category_ids)),
                "bbox": [x, y, w, h],
                "segmentation": draw(
                    st.sampled_from([[], [[]], None, [[0, 0, 1, 0, 1, 1]], {"counts": "x"}])
                ),
                "visible": draw(st.none() | st.floats(0, 1)),
                **draw(unknown_fields),
            }
        )
    return {
        "info": draw(plain),
        "categories": [{"id": n, "name": f"{n}_food"} for n in category_ids],
        "images": images,
        "annotations": annotations,
    }


@given(coco_files(), st.booleans())
def test_a_data_set_comes_back_equal_from_what_was_written(tmp_path_factory, content, with_bom):
    folder = tmp_path_factory.mktemp("coco")
    path = folder / "in.json"
    path.write_text(json.dumps(content), encoding="utf-8-sig" if with_bom else "utf-8")
    first = read_dataset(path)
    again = read_dataset(write_dataset(folder / "out.json", first))
    assert again == first
    assert again.to_coco() == first.to_coco()
    assert len(first.annotations) == len(content["annotations"])
    for record, entry in zip(first.annotations, content["annotations"], strict=True):
        x, y, w, h = entry["bbox"]
        np.testing.assert_allclose(record.bbox, [x, y, x + w, y + h], atol=2e-6)


@given(coco_files())
def test_counts_agree_with_a_loop_over_annotations(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("coco") / "in.json"
    path.write_text(json.dumps(content))
    dataset = read_dataset(path)
    expected = np.zeros((len(dataset.images), len(dataset.taxonomy)), dtype=int)
    order = [image.id for image in dataset.images]
    for a in dataset.annotations:
        expected[order.index(a.image_id), dataset.taxonomy.label(a.category_id)] += 1
    np.testing.assert_array_equal(dataset.counts(), expected)
    assert sum(len(dataset.annotations_of(n)) for n in order) == len(dataset.annotations)
    rows, labels = dataset.places()
    assert [order[row] for row in rows] == [a.image_id for a in dataset.annotations]
    assert [dataset.taxonomy.ids[n] for n in labels] == [a.category_id for a in dataset.annotations]


def test_a_file_of_the_real_shape_is_read(coco, write):
    dataset = read_dataset(write(coco))
    assert dataset.taxonomy.names == ("chips", "cola")
    assert dataset.levels() == ["easy", "easy"]
    assert dataset.counts().tolist() == [[1, 1], [0, 1]]
    assert dataset.image(40).extra == {"cart": 5}
    first = dataset.annotations_of(40)[0]
    assert first.bbox == (1.5, 2.0, 11.5, 22.0)
    assert first.segmentation is None
    assert first.extra == {"point_xy": [6.5, 12]}
    assert dataset.extra["__raw_Chinese_name_df"] == coco["__raw_Chinese_name_df"]
    assert dataset.to_coco()["annotations"][0]["bbox"] == [1.5, 2, 10, 20]


def damage(target, **fields):
    """A change of the first entry of a list; a field set to `del` is removed."""

    def change(content):
        for name, value in fields.items():
            if value == "del":
                del content[target][0][name]
            else:
                content[target][0][name] = value

    return change


BAD_ENTRIES = [
    ("annotations", {"bbox": "del"}, "annotation 11", "the field 'bbox' is missing"),
    ("annotations", {"category_id": "del"}, "annotation 11", "'category_id' is missing"),
    ("annotations", {"image_id": "del"}, "annotation 11", "'image_id' is missing"),
    ("annotations", {"id": 5}, "annotation 5", "the id is there twice"),
    ("annotations", {"image_id": 8}, "annotation 11", "image_id 8: no image has this id"),
    ("annotations", {"category_id": 0}, "annotation 11", "category_id 0: no category"),
    ("annotations", {"category_id": 201}, "annotation 11", "(they go from 3 to 7)"),
    (
        "annotations",
        {"category_id": 7.5},
        "annotation 11",
        "category_id 7.5: no category",
    ),
    ("annotations", {"category_id": "x"}, "annotation 11", "category_id 'x': no category"),
    ("annotations", {"category_id": [7]}, "annotation 11", "category_id [7]: no category"),
    ("annotations", {"image_id": True}, "annotation 11", "image_id True: no image has this id"),
    ("annotations", {"id": 5.5}, "annotation 5.5", "id: expected an integer, got 5.5"),
    ("annotations", {"id": "5"}, "annotation 5", "the id is there twice"),
    ("annotations", {"bbox": [1, 2, math.nan, 4]}, "annotation 11", "four finite numbers"),
    ("annotations", {"bbox": [1, 2, math.inf, 4]}, "annotation 11", "four finite numbers"),
    ("annotations", {"bbox": [1, 2, 10**400, 4]}, "annotation 11", "four finite numbers"),
    ("annotations", {"bbox": [1, 2, 3]}, "annotation 11", "got [1, 2, 3]"),
    ("annotations", {"bbox": ["one", 2, 3, 4]}, "annotation 11", "four finite numbers"),
    ("annotations", {"bbox": [1, 2, 3, None]}, "annotation 11", "four finite numbers"),
    ("annotations", {"bbox": {"x": 1}}, "annotation 11", "four finite numbers"),
    ("annotations", {"bbox": [1, 2, 0, 4]}, "annotation 11", "a height above 0"),
    ("annotations", {"bbox": [1, 2, 3, -4]}, "annotation 11", "a height above 0"),
    ("annotations", {"bbox": [60, 2, 7, 4]}, "annotation 11", "outside its image of 64x48 px"),
    ("annotations", {"bbox": [-2.5, 2, 7, 4]}, "annotation 11", "outside its image of 64x48"),
    ("annotations", {"bbox": [64, 2, 1, 4]}, "annotation 11", "outside its image"),
    ("annotations", {"area": -1}, "annotation 11", "area: expected pixels"),
    ("annotations", {"visible": 1.5}, "annotation 11", "visible: expected a fraction 0 to 1"),
    ("annotations", {"iscrowd": 1}, "annotation 11", "a crowd cannot be counted"),
    ("images", {"width": "del"}, "image 40", "the field 'width' is missing"),
    ("images", {"width": 0}, "image 40", "width: expected pixels, an integer above 0, got 0"),
    ("images", {"height": -3}, "image 40", "height: expected pixels"),
    ("images", {"height": 48.5}, "image 40", "height: expected pixels"),
    ("images", {"level": "extreme"}, "image 40", "level: expected one of easy, medium, hard"),
    ("images", {"level": ["easy"]}, "image 40", "level: expected one of"),
    ("images", {"id": 7}, "image 7", "the id is there twice"),
    ("images", {"id": None}, "image at place 0", "id: expected an integer, got None"),
    ("images", {"file_name": 3}, "image 40", "expected a file name, got 3"),
]


@pytest.mark.parametrize(("target", "fields", "where", "what"), BAD_ENTRIES)
def test_a_damaged_entry_is_refused_in_one_line_that_names_it(
    coco, write, target, fields, where, what
):
    damage(target, **fields)(coco)
    path = write(coco)
    with pytest.raises(DataError) as caught:
        read_dataset(path)
    message = str(caught.value)
    assert str(path) in message
    assert where in message
    assert what in message
    assert "\n" not in message
    assert len(message) < 500


@pytest.mark.parametrize(("target", "fields", "where", "what"), BAD_ENTRIES)
def test_a_scan_reports_a_damaged_entry_and_keeps_the_sound_ones(
    coco, write, target, fields, where, what
):
    sound = copy.deepcopy(coco)
    damage(target, **fields)(coco)
    dataset, problems = scan_dataset(write(coco))
    assert dataset is not None
    assert any(what in str(p) and where in str(p) for p in problems)
    usable = {a.id for a in dataset.annotations}
    assert usable <= {a["id"] for a in sound["annotations"]}
    assert usable
    assert read_dataset(write(coco), strict=False) == dataset


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"images": [], "annotations": []}, "expected the field 'categories' with a list"),
        ({"images": {}, "annotations": [], "categories": []}, "field 'images' with a list"),
        ({"images": [], "annotations": [], "categories": []}, "expected at least one"),
        ("[]", "expected a JSON object"),
        ("{", "not valid JSON at line 1, column 2"),
    ],
)
def test_a_file_without_usable_lists_is_refused(write, content, message):
    path = write(content)
    with pytest.raises(DataError, match=message):
        read_dataset(path)
    dataset, problems = scan_dataset(path)
    assert dataset is None
    assert message in str(problems[0])


@pytest.mark.parametrize("entry", [None, 3, "x", [1]])
def test_an_entry_that_is_no_object_is_refused(coco, write, entry):
    coco["annotations"].append(entry)
    coco["images"].append(entry)
    dataset, problems = scan_dataset(write(coco))
    assert len(problems) == 2
    assert len(dataset.annotations) == 3


def test_the_number_of_further_problems_is_told(coco, write):
    for a in coco["annotations"]:
        a["category_id"] = 99
    with pytest.raises(DataError, match=r"3 problems of one kind.* and 2 more"):
        read_dataset(write(coco))


def test_a_missing_area_is_that_of_the_box(coco, write):
    del coco["annotations"][0]["area"]
    assert read_dataset(write(coco)).annotations[0].area == 200


def test_an_image_without_items_has_a_row_of_zeros(coco, write):
    coco["annotations"] = []
    dataset = read_dataset(write(coco))
    assert dataset.annotations_of(7) == ()
    assert dataset.counts().tolist() == [[0, 0], [0, 0]]


def test_a_subset_keeps_its_images_and_all_skus(coco, write):
    dataset = read_dataset(write(coco)).subset([7])
    assert [image.id for image in dataset.images] == [7]
    assert dataset.counts().tolist() == [[0, 1]]
    with pytest.raises(DataError, match="no image has the id 8"):
        dataset.subset([8])


def test_a_data_set_made_in_memory_is_checked_too():
    taxonomy = Taxonomy([Category(1, "tea")])
    image = ImageInfo(1, "a.jpg", 10, 10)
    item = Annotation(1, 1, 1, (0, 0, 5, 5), 25)
    with pytest.raises(DataError, match="image id 1 is there 2 times"):
        Dataset((image, image), (), taxonomy)
    with pytest.raises(DataError, match="annotation 1: no image has the id 1"):
        Dataset((), (item,), taxonomy)
    with pytest.raises(DataError, match="annotation 2: no SKU has the id 4"):
        Dataset((image,), (item, Annotation(2, 1, 4, (0, 0, 5, 5), 25)), taxonomy)
    with pytest.raises(DataError, match="expected x1 < x2"):
        Annotation(1, 1, 1, (0, 0, math.nan, 5), 25)


def test_the_stores_outside_the_repository_are_sound(outside_stores, tmp_path):
    for root in outside_stores:
        store = Store.open(root)
        for name in ("train", "val", "test"):
            if store.has_split(name):
                dataset = store.split(name)
                assert dataset.counts().sum() == len(dataset.annotations)
                assert read_dataset(write_dataset(tmp_path / "x.json", dataset)) == dataset
