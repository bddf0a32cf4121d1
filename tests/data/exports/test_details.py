"""Facts of single layouts: turned boxes, masks, EXIF, ids, names, paths that lead out, bombs."""

import json

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from rpc.data.exports.found import look_at
from rpc.data.exports.reading import plan_store
from rpc.data.exports.safe_xml import read_xml
from rpc.data.exports.shapes import ellipse_box, rotated_box
from rpc.data.exports.told import plan_page
from rpc.data.exports.write import write_store
from rpc.data.exports.yolo_files import read_yaml
from rpc.data.files import FOLLOW_LINKS, DataError
from tests.data.exports.layouts import (
    coco,
    cvat_coco,
    label_studio,
    labelme,
    plain_coco,
    roboflow_coco,
    via_json,
    voc,
    yolo,
)
from tests.data.exports.truth import (
    COLA,
    FLAT_TRUTH,
    HEIGHT,
    SPLIT_TRUTH,
    TEA,
    WIDTH,
    Truth,
    write_json,
    write_photo,
    write_text,
)


def read(root):
    return plan_store(look_at(root))


def only_item(plan):
    (photo,) = [photo for photos in plan.placed.values() for photo in photos]
    (item,) = photo.items
    return item


def kinds(problems):
    return {problem.kind for problem in problems}


def one_cvat_shape(root, shape):
    write_photo(root / "images" / "a.jpg")
    write_text(
        root / "annotations.xml",
        f'<annotations><image id="0" name="a.jpg" width="{WIDTH}" height="{HEIGHT}">{shape}'
        "</image></annotations>",
    )
    return read(root)


@pytest.mark.parametrize(
    ("shape", "box"),
    [
        ('<box label="c" xtl="20" ytl="40" xbr="80" ybr="60" rotation="90.0"/>', (40, 20, 60, 80)),
        ('<polygon label="c" points="20.0,40.0;80.0,45.0;50.0,60.0"/>', (20, 40, 80, 60)),
        (
            '<mask label="c" rle="5, 10" left="20" top="40" width="60" height="20"/>',
            (20, 40, 80, 60),
        ),
        ('<ellipse label="c" cx="50" cy="50" rx="30" ry="10"/>', (20, 40, 80, 60)),
        ('<ellipse label="c" cx="50" cy="50" rx="30" ry="10" rotation="90"/>', (40, 20, 60, 80)),
    ],
)
def test_cvat_shapes_become_the_box_around_them_and_that_is_told(tmp_path, shape, box):
    plan = one_cvat_shape(tmp_path, shape)
    np.testing.assert_allclose(only_item(plan).box, box, atol=1e-3)
    assert any("box around" in kind for kind in kinds(plan.changed))


def test_points_are_no_items_and_a_cuboid_is_one_that_cannot_be_taken(tmp_path):
    box = '<box label="c" xtl="20" ytl="40" xbr="80" ybr="60"/>'
    plan = one_cvat_shape(tmp_path / "1", f'{box}<points label="p" points="1,1"/>')
    assert only_item(plan).sku == "c"
    assert "points, lines and tags" in " ".join(kinds(plan.left_out))
    plan = one_cvat_shape(tmp_path / "2", f'{box}<cuboid label="c" xtl1="3"/>')
    assert plan.photos == 0


def test_label_studio_turns_a_rectangle_about_its_corner(tmp_path):
    label_studio(tmp_path, [Truth("", "a.jpg", (("cola", (100, 50, 140, 70)),))])
    path = next(tmp_path.glob("*.json"))
    tasks = json.loads(path.read_text())
    tasks[0]["annotations"][0]["result"][0]["value"]["rotation"] = 90
    path.write_text(json.dumps(tasks))
    np.testing.assert_allclose(only_item(read(tmp_path)).box, (80, 50, 100, 90), atol=1e-3)


def test_label_studio_takes_the_ground_truth_and_no_skipped_task(tmp_path):
    label_studio(tmp_path, FLAT_TRUTH)
    path = next(tmp_path.glob("*.json"))
    tasks = json.loads(path.read_text())
    tasks[0]["annotations"][0]["was_cancelled"] = True
    other = json.loads(json.dumps(tasks[1]["annotations"][0]))
    other["result"][0]["value"]["rectanglelabels"] = ["cola"]
    tasks[1]["annotations"].append(other | {"ground_truth": True})
    tasks[2]["annotations"].append(other)
    path.write_text(json.dumps(tasks))
    plan = read(tmp_path)
    assert [i.sku for p in plan.placed["exemplars"] for i in p.items] == ["cola"]
    assert len(plan.placed["val"][0].items) == 2
    assert "tasks were skipped or not annotated" in kinds(plan.left_out)
    assert "photos were annotated several times: the first annotation is taken" in kinds(
        plan.changed
    )


def test_crowds_are_left_out_but_masks_of_cvat_are_items(tmp_path):
    plain_coco(tmp_path / "coco", SPLIT_TRUTH)
    cvat_coco(tmp_path / "cvat", FLAT_TRUTH)
    for root in (tmp_path / "coco", tmp_path / "cvat"):
        for path in root.rglob("instances_*.json"):
            value = json.loads(path.read_text())
            value["annotations"][0]["iscrowd"] = 1
            path.write_text(json.dumps(value))
    plan = read(tmp_path / "coco")
    assert any("crowd region" in kind for kind in kinds(plan.left_out))
    assert plan.photos == 1
    plan = read(tmp_path / "cvat")
    assert plan.photos == 3
    assert any("marked as crowds" in kind for kind in kinds(plan.changed))


def test_the_root_category_of_roboflow_is_dropped_and_ids_are_kept(tmp_path):
    from rpc.data.exports.write import plan_taxonomy

    roboflow_coco(tmp_path, SPLIT_TRUTH)
    plan = read(tmp_path)
    assert [(c.id, c.name) for c in plan_taxonomy(plan).categories] == [
        (1, "cola"),
        (2, "grüner tee"),
    ]
    assert ("products", "classes without an item are left out") in [
        (problem.where, problem.kind) for problem in plan.left_out
    ]


def test_files_that_number_a_class_otherwise_are_joined_by_name(tmp_path):
    from rpc.data.exports.write import plan_taxonomy

    plain_coco(tmp_path, SPLIT_TRUTH)
    path = tmp_path / "annotations" / "instances_val2017.json"
    value = json.loads(path.read_text())
    swap = {1: 2, 2: 1}
    for entry in value["categories"]:
        entry["id"] = swap[entry["id"]]
    for entry in value["annotations"]:
        entry["category_id"] = swap[entry["category_id"]]
    path.write_text(json.dumps(value))
    plan = read(tmp_path)
    assert [item.sku for item in plan.placed["val"][0].items] == ["cola", "grüner tee"]
    assert any("other ids in other files" in kind for kind in kinds(plan.changed))
    assert plan_taxonomy(plan).ids == (1, 2)


def test_class_names_steer_no_terminal_and_can_be_written(tmp_path):
    value = coco([Truth("", "a.jpg", (("cola", COLA),)), Truth("", "\ud800.jpg")])
    value["categories"][0]["name"] = "\x1b[31mco\nla \ud800"
    write_photo(tmp_path / "a.jpg")
    (tmp_path / "x.json").write_text(json.dumps(value))
    plan = read(tmp_path)
    assert only_item(plan).sku == "[31mco la \\ud800"
    plan_page(plan).encode()
    assert write_store(plan, tmp_path / "out")


def test_text_ids_and_whole_floats_are_ids(tmp_path):
    write_photo(tmp_path / "a.jpg")
    value = coco([Truth("", "a.jpg", (("cola", COLA),))])
    value["images"][0] |= {"id": "7", "width": 240.0}
    value["annotations"][0] |= {"image_id": 7.0, "category_id": "1"}
    write_json(tmp_path / "x.json", value)
    assert only_item(read(tmp_path)).box == COLA


@pytest.mark.parametrize("turn", [5, 6, 7, 8])
def test_boxes_of_a_photo_that_lies_on_its_side_are_turned_with_it(tmp_path, turn):
    dark = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    x1, y1, x2, y2 = TEA  # fits both frames: contrast tells
    dark[y1:y2, x1:x2] = 0
    exif = Image.Exif()
    exif[0x0112] = turn
    write_json(tmp_path / "x.json", coco([Truth("", "a.png", (("cola", TEA),))]))
    Image.fromarray(dark).save(tmp_path / "a.png", exif=exif)
    plan = read(tmp_path)
    upright = cv2.imread(str(tmp_path / "a.png"))[..., 0]
    rows, columns = np.nonzero(upright < 128)
    found = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    assert only_item(plan).box == found
    assert any("lie on their side" in kind for kind in kinds(plan.changed))


def test_labels_of_the_upright_photo_stay_and_a_hidden_turn_is_told(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (HEIGHT, WIDTH)).save(tmp_path / "a.jpg", exif=exif)
    write_json(tmp_path / "x.json", coco([Truth("", "a.jpg", (("cola", TEA),))]))
    plan = read(tmp_path)
    assert only_item(plan).box == TEA
    assert plan.changed == ()
    value = json.loads((tmp_path / "x.json").read_text())
    del value["images"][0]["width"]
    write_json(tmp_path / "x.json", value)
    assert any("do not say how they saw them" in kind for kind in kinds(read(tmp_path).changed))


def test_a_photo_of_another_size_is_left_out_unless_boxes_are_fractions(tmp_path):
    for writer in (voc, label_studio):
        root = tmp_path / writer.__name__
        writer(root, [Truth("", "a.jpg", (("cola", COLA),))])
        photo = next(root.rglob("a.jpg"))
        Image.new("RGB", (WIDTH * 2, HEIGHT * 2)).save(photo)
    plan = read(tmp_path / "voc")
    assert "photos have another size than the labels say" in kinds(plan.left_out)
    doubled = tuple(2 * value for value in COLA)
    np.testing.assert_allclose(only_item(read(tmp_path / "label_studio")).box, doubled, atol=0.01)


def test_a_box_a_little_outside_is_cut_and_told(tmp_path):
    via_json(tmp_path, [Truth("", "a.jpg", (("cola", (-1, 20, 50, 181)),))])
    plan = read(tmp_path)
    assert only_item(plan).box == (0, 20, 50, 180)
    assert "boxes reach out of the photo and are cut" in kinds(plan.changed)


def test_a_photo_that_is_in_two_splits_is_told(tmp_path):
    yolo(tmp_path, [Truth("train", "a.jpg", (("cola", COLA),)), Truth("val", "b.jpg", TWO)])
    told = [problem for problem in read(tmp_path).changed if "several splits" in problem.what]
    assert [str(problem).partition(": ")[0] for problem in told] == ["images/train/a.jpg"]
    photo = tmp_path / "images" / "val" / "b.jpg"
    photo.write_bytes(photo.read_bytes() + b"\0")
    assert not [problem for problem in read(tmp_path).changed if "several" in problem.what]


TWO = (("cola", COLA), ("grüner tee", TEA))


def test_an_item_that_is_there_twice_is_counted_once(tmp_path):
    yolo(tmp_path, [Truth("train", "a.jpg", (("cola", COLA), ("cola", COLA)))])
    plan = read(tmp_path)
    assert only_item(plan).sku == "cola"
    assert "items are there twice, with the same box; one is taken" in kinds(plan.changed)


@pytest.mark.parametrize(
    ("line", "sku", "kind"),
    [
        ("1 0.5 0.5 0.2 0.2 0.87", "grüner tee", "items carry a confidence"),
        ("1.0 0.4 0.4 0.6 0.4 0.6 0.6", "grüner tee", "items are polygons or masks"),
        ("7 0.5 0.5 0.2 0.2", None, "photos hold an item of an unknown class"),
        ("0 120 90 40 40", None, "photos hold an item that cannot be read"),
        ("0 nan 0.5 0.2 0.2", None, "photos hold an item that cannot be read"),
        ("cola 0.5 0.5 0.2 0.2", None, "photos hold an item that cannot be read"),
        ("0 0.5 0.5 0.2", None, "photos hold an item that cannot be read"),
    ],
)
def test_lines_of_yolo(tmp_path, line, sku, kind):
    yolo(tmp_path, [Truth("train", "a.jpg", (("cola", COLA),)), Truth("val", "b.jpg")])
    (tmp_path / "labels" / "train" / "a.txt").write_text(line)
    plan = read(tmp_path)
    assert any(found.startswith(kind) for found in kinds(plan.left_out) | kinds(plan.changed))
    if sku is not None:
        assert only_item(plan).sku == sku


def test_yolo_names_may_be_words_that_yaml_takes_for_others(tmp_path):
    yolo(tmp_path, [Truth("train", "a.jpg", (("cola", COLA),))])
    write_text(tmp_path / "data.yaml", "names: [no, 007]\n")
    assert only_item(read(tmp_path)).sku == "no"
    write_text(tmp_path / "data.yaml", "names: {0: 007, 1: 1e3}\n")
    assert only_item(read(tmp_path)).sku == "007"


def test_yolo_without_names_is_called_by_number_and_two_lists_that_differ_are_refused(tmp_path):
    yolo(tmp_path, [Truth("train", "a.jpg", (("cola", COLA),))])
    (tmp_path / "data.yaml").unlink()
    plan = read(tmp_path)
    assert only_item(plan).sku == "0"
    assert "classes have no name and are called by their number" in kinds(plan.changed)
    write_text(tmp_path / "classes.txt", "cola\ntea")
    write_text(tmp_path / "labels" / "classes.txt", "tea\ncola")
    with pytest.raises(DataError, match="list different class names"):
        read(tmp_path)


def test_via_attributes_are_told_apart_or_asked_for(tmp_path):
    from rpc.data.exports.reading import ReadOptions

    via_json(tmp_path, [Truth("", "a.jpg", (("cola", COLA),))])
    path = tmp_path / "via_region_data.json"
    value = json.loads(path.read_text())
    attributes = value["a.jpg123"]["regions"][0]["region_attributes"]
    attributes |= {"torn": "yes", "shade": "dark"}
    path.write_text(json.dumps(value))
    assert only_item(read(tmp_path)).sku == "cola"
    attributes["colour"] = attributes.pop("product")
    path.write_text(json.dumps(value))
    with pytest.raises(DataError, match=r"'torn' \(1 regions\).*--class-attribute"):
        read(tmp_path)
    plan = plan_store(look_at(tmp_path), ReadOptions(class_attribute="colour"))
    assert only_item(plan).sku == "cola"


def test_labelme_shapes_of_one_group_are_one_item(tmp_path):
    labelme(
        tmp_path, [Truth("", "a.jpg", (("cola", (10, 10, 30, 30)), ("cola", (50, 50, 70, 90))))]
    )
    path = tmp_path / "a.json"
    value = json.loads(path.read_text())
    for shape in value["shapes"]:
        shape["group_id"] = 3
    path.write_text(json.dumps(value))
    plan = read(tmp_path)
    assert only_item(plan).box == (10, 10, 70, 90)
    assert "shapes of one group are taken as one item" in kinds(plan.changed)


@pytest.mark.parametrize(
    "name",
    ["../secret.jpg", "/etc/secret.jpg", "a/../../secret.jpg", "..\\secret.jpg", "link.jpg"],
)
def test_no_path_leads_out_of_the_export(tmp_path, name, monkeypatch):
    monkeypatch.setenv(FOLLOW_LINKS, "")
    root = tmp_path / "export"
    write_photo(tmp_path / "secret.jpg")
    write_photo(root / "other.jpg")
    (root / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    write_json(root / "x.json", coco([Truth("", name, (("cola", COLA),))]))
    plan = read(root)
    assert plan.photos == 0
    assert "photos are missing" in kinds(plan.left_out)


def test_a_name_that_fits_two_photos_is_not_guessed(tmp_path):
    for folder in ("one", "two"):
        write_photo(tmp_path / folder / "a.jpg")
    write_json(tmp_path / "x.json", coco([Truth("", "C:\\work\\a.jpg", (("cola", COLA),))]))
    plan = read(tmp_path)
    assert plan.photos == 0
    assert "may be one/a.jpg, two/a.jpg" in " ".join(map(str, plan.left_out))
    write_json(tmp_path / "x.json", coco([Truth("", "C:\\two\\a.jpg", (("cola", COLA),))]))
    assert read(tmp_path).photos == 1


def test_names_are_found_in_either_unicode_form_and_case(tmp_path):
    write_photo(tmp_path / "gru\u0308n.JPG")
    write_json(tmp_path / "x.json", coco([Truth("", "gr\u00fcn.jpg", (("cola", COLA),))]))
    assert read(tmp_path).photos == 1


def test_xml_with_entities_is_refused_before_it_inflates(tmp_path):
    lines = ['<!ENTITY a0 "ha">']
    lines += [f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12)]
    path = tmp_path / "bomb.xml"
    path.write_text(f"<!DOCTYPE x [{''.join(lines)}]><annotation>&a11;</annotation>")
    with pytest.raises(DataError, match="declares XML entities"):
        read_xml(path)
    path.write_text(
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><annotation>&a;</annotation>'
    )
    with pytest.raises(DataError, match="declares XML entities"):
        read_xml(path)
    path.write_text("<a>" * 1000 + "</a>" * 1000)
    with pytest.raises(DataError, match="nested deeper"):
        read_xml(path)


def test_yaml_makes_no_object_and_follows_no_alias(tmp_path):
    path = tmp_path / "data.yaml"
    path.write_text("names: !!python/object/apply:os.system ['true']\n")
    assert read_yaml(path)["names"] == ["true"]
    path.write_text("a: &a [x, x]\nb: &b [*a, *a]\nnames: [*b]\n")
    with pytest.raises(DataError, match="aliases"):
        read_yaml(path)


@given(st.floats(-720, 720), st.floats(1, 50), st.floats(1, 50))
def test_the_box_around_a_turned_shape_holds_what_it_turns(degrees, rx, ry):
    box = rotated_box((50 - rx, 50 - ry, 50 + rx, 50 + ry), degrees)
    inner = ellipse_box(50, 50, rx, ry, degrees)
    assert box[0] <= inner[0] + 1e-6
    assert box[3] >= inner[3] - 1e-6
    np.testing.assert_allclose((box[0] + box[2]) / 2, 50)
    whole = rotated_box((50 - rx, 50 - ry, 50 + rx, 50 + ry), degrees + 180)
    np.testing.assert_allclose(box, whole, atol=1e-6)
