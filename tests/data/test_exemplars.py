import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.data.exemplars import parse_exemplar_name
from rpc.data.store import Store


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("69019388_camera0-1.jpg", ("69019388", 0, 1)),
        ("6924882486100_camera3-12.jpg", ("6924882486100", 3, 12)),
        ("soda_can_0_camera2-6.jpg", ("soda_can_0", 2, 6)),
        ("left/绿茶_camera1-40.PNG", ("绿茶", 1, 40)),
        ("a_camera1-2_camera3-4.jpg", ("a_camera1-2", 3, 4)),
        ("IMG_2385.jpg", (None, None, None)),
        ("_camera0-1.jpg", (None, None, None)),
        ("x_camera0.jpg", (None, None, None)),
        ("x_camera-1-2.jpg", (None, None, None)),
        ("x_camera0-1_2.jpg", (None, None, None)),
    ],
)
def test_names_give_sku_camera_and_view(name, expected):
    assert parse_exemplar_name(name) == expected


@given(
    st.from_regex(r"[\w ]{1,20}", fullmatch=True), st.integers(0, 999_999), st.integers(0, 999_999)
)
def test_a_name_that_was_put_together_comes_apart_again(sku, camera, view):
    assert parse_exemplar_name(f"{sku}_camera{camera}-{view}.jpg") == (sku, camera, view)


def test_fields_of_the_json_win_over_the_name(store_root, edit):
    def change(content):
        content["images"][0] |= {"camera": 3, "view": 0}
        content["images"][1]["file_name"] = "IMG_1.jpg"

    edit(store_root / "instances_train.json", change)
    first, second, third = Store.open(store_root).exemplars()[:3]
    assert (first.camera, first.view) == (3, 0)
    assert (second.camera, second.view) == (None, None)
    assert (third.camera, third.view) == (1, 3)
    assert third.category_id == 1
    assert third.box == (16, 12, 48, 36)
    assert third.path == store_root / "exemplars" / "tea_camera1-3.jpg"


def test_a_photo_with_two_boxes_is_two_exemplars_and_one_without_is_none(store_root, edit):
    def change(content):
        content["annotations"][1]["image_id"] = content["annotations"][0]["image_id"]

    edit(store_root / "instances_train.json", change)
    names = [e.path.name for e in Store.open(store_root).exemplars()]
    assert len(names) == 10
    assert names[0] == names[1]
    assert "tea_camera0-2.jpg" not in names
