import json

import pytest

from rpc.data.class_sets.store_crops import read_store_set
from rpc.data.dataset import read_dataset, write_dataset
from rpc.data.files import DataError
from rpc.data.key_points import key_point_names, key_points
from rpc.recognition.training.photo_batches import seen_whole
from tests.cli.small_shop import make_store

NAMES = ["logo", "cap"]


def write(path, annotations, names=(NAMES, ["cap", "neck"])):
    """Two categories with points of their own, on one photo of 100 x 80 px."""
    categories = [
        {"id": n, "name": f"sku{n}", **({} if own is None else {"keypoints": own})}
        for n, own in enumerate(names, start=1)
    ]
    items = [
        {"id": n, "image_id": 1, "category_id": 1, "bbox": [10, 10, 50, 60], **item}
        for n, item in enumerate(annotations, start=1)
    ]
    images = [{"id": 1, "file_name": "a.jpg", "width": 100, "height": 80}]
    content = {"images": images, "annotations": items, "categories": categories}
    path.write_text(json.dumps(content))
    return read_dataset(path)


def test_points_go_by_name_and_what_a_category_lacks_is_out_of_sight(tmp_path):
    data = write(
        tmp_path / "a.json",
        [
            {"keypoints": [20, 30, 2, 0, 0, 0], "num_keypoints": 1},
            {"category_id": 2, "keypoints": [1.5, 2, 1, 3, 4.25, 2]},
            {"category_id": 2},
            {"keypoints": []},
        ],
    )
    names = key_point_names([data])
    assert names == ("logo", "cap", "neck")
    hidden = ((0, 0, 0),) * 3
    assert key_points(data, names) == {
        1: ((20, 30, 1), (0, 0, 0), (0, 0, 0)),
        2: ((0, 0, 0), (1.5, 2, 0), (3, 4.25, 1)),
        3: hidden,
        4: hidden,
    }
    turned = key_points(data, ("neck", "logo"))
    assert turned[2] == ((3, 4.25, 1), (0, 0, 0))


def test_data_without_points_have_none(tmp_path):
    data = write(tmp_path / "a.json", [{}], (None, None))
    assert key_point_names([data]) == ()
    assert key_points(data, ()) == {1: ()}


def test_points_are_written_back_as_they_were(tmp_path):
    data = write(tmp_path / "a.json", [{"keypoints": [20, 30, 2, 0, 0, 0], "num_keypoints": 1}])
    again = read_dataset(write_dataset(tmp_path / "b.json", data))
    assert key_points(again, NAMES) == key_points(data, NAMES)
    assert again.taxonomy.categories[1].extra["keypoints"] == ["cap", "neck"]
    assert again.annotations[0].extra["num_keypoints"] == 1


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        ([1, 2, 2], "expected x, y, v of each of the 2 points .* 6 numbers; got 3 numbers"),
        ([1, 2, 2] * 3, "6 numbers; got 9 numbers"),
        ("here", "6 numbers; got 'here'"),
        ({"x": 1}, "6 numbers; got {'x': 1}"),
        ([1, 2, 2, float("nan"), 2, 2], "expected finite numbers"),
        ([1, 2, 2, float("inf"), 2, 2], "expected finite numbers"),
        ([1, 2, 2, "3", 2, 2], "expected finite numbers"),
        ([1, 2, True, 3, 2, 2], "expected finite numbers"),
        ([1, 2, 2, 3, 2, None], "expected finite numbers"),
        ([1, 2, 2, 3, 4, 3], "expected v of 0 .* got .2.0, 3.0."),
        ([1, 2, 2, 3, 4, 0.5], "expected v of 0"),
        ([1, 2, -1, 3, 4, 2], "expected v of 0"),
    ],
)
def test_points_of_a_wrong_shape_or_value_are_one_line(tmp_path, numbers, told):
    data = write(tmp_path / "a.json", [{}, {"keypoints": numbers}])
    with pytest.raises(DataError, match=f"a.json: annotation 2: keypoints: .*{told}") as error:
        key_points(data, NAMES)
    assert "\n" not in str(error.value)


def test_points_that_no_name_is_known_of_are_refused(tmp_path):
    data = write(tmp_path / "a.json", [{"keypoints": [1, 2, 2]}], (None, None))
    with pytest.raises(DataError, match="each of the 0 points that category 1 names"):
        key_points(data, ())


@pytest.mark.parametrize("names", [["logo", "logo"], "logo", [1], [""], {"logo": 1}, [["logo"]]])
def test_names_are_a_list_of_different_texts(tmp_path, names):
    data = write(tmp_path / "a.json", [], (None, names))
    with pytest.raises(DataError, match=r"a.json: category 2: keypoints: expected a list"):
        key_point_names([data])


def test_crops_of_a_store_have_its_points_where_they_are_on_the_photo(tmp_path):
    store = make_store(tmp_path)
    assert read_store_set(store, 0.1).points == ()
    for split in ("train", "val", "test"):
        path = store / f"instances_{split}.json"
        content = json.loads(path.read_text())
        for category in content["categories"]:
            category["keypoints"] = ["left", "right"]
        for item in content["annotations"]:
            x, y, width, height = item["bbox"]
            item["keypoints"] = [x, y + height / 2, 2, x + width, y + height / 2, 1]
        path.write_text(json.dumps(content))
    found = read_store_set(store, 0.1)
    assert found.points == ("left", "right")
    assert found.known == {"boxes", "points"}
    for photo in (*found.train, *found.val, *found.test):
        x1, y1, x2, y2 = photo.box
        assert photo.points == ((x1, (y1 + y2) / 2, 1), (x2, (y1 + y2) / 2, 0))
        seen = seen_whole(photo, 64)
        middle = (seen.box[1] + seen.box[3]) / 2
        assert seen.points[0] == pytest.approx([seen.box[0], middle, 1], abs=0.6)
        assert seen.points[1, 2] == 0
