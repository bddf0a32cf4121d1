"""Every layout, written as its tool writes it, is read as the truth says; faults are told."""

import re

import numpy as np
import pytest

from rpc.data.exports.found import look_at
from rpc.data.exports.reading import plan_store
from rpc.data.files import DataError
from tests.data.exports.layouts import (
    ALL,
    FLAT,
    WITH_SPLITS,
    cvat_xml,
    fiftyone,
    label_studio,
    label_studio_min,
    table,
    truth_of,
    yolo_cvat,
)
from tests.data.exports.truth import COLA, Truth

ids = [writer.__name__ for writer in ALL]
# These cannot say that a photo has no item.
NEVER_EMPTY = {table}


def read(root):
    return plan_store(look_at(root))


def found(plan):
    """Items by split and photo of what was placed."""
    return {
        (photo.labelled.split, photo.labelled.name.rpartition("/")[2].rpartition("\\")[2]): [
            (item.sku, item.box) for item in photo.items
        ]
        for photos in plan.placed.values()
        for photo in photos
    }


def kinds(problems):
    return {problem.kind for problem in problems}


@pytest.mark.parametrize("writer", ALL, ids=ids)
def test_a_layout_is_recognised_and_read_as_the_truth_says(writer, tmp_path):
    truth = truth_of(writer)
    writer(tmp_path, truth)
    plan = read(tmp_path)
    assert plan.export.layout == ALL[writer]
    got = {(split, items[0][0], len(items)): items for (split, _), items in found(plan).items()}
    for photo in truth:
        split = "train" if writer is yolo_cvat else photo.split
        items = got[split, photo.items[0][0], len(photo.items)]
        assert [sku for sku, _ in items] == [sku for sku, _ in photo.items]
        np.testing.assert_allclose(
            [box for _, box in items], [box for _, box in photo.items], atol=0.01
        )
    assert len(got) == len(truth)
    assert set(plan.classes) == {"cola", "grüner tee"}
    sizes = {place: len(photos) for place, photos in plan.placed.items() if photos}
    with_splits = {"exemplars": 2, "val": 1, "test": 1}
    assert sizes == (with_splits if writer in WITH_SPLITS else {"exemplars": 2, "val": 1})


@pytest.mark.parametrize("writer", ALL, ids=ids)
def test_the_photo_of_an_entry_is_the_one_of_its_split(writer, tmp_path):
    writer(tmp_path, truth_of(writer))
    plan = read(tmp_path)
    files = [p.labelled.file for photos in plan.placed.values() for p in photos]
    real = [file for file in files if file is not None]
    assert len(set(real)) == len(real)


@pytest.mark.parametrize("writer", ALL, ids=ids)
def test_a_missing_photo_is_named(writer, tmp_path):
    writer(tmp_path, truth_of(writer))
    gone = next(p for p in sorted(tmp_path.rglob("*.jpg")) if p.name == "a.jpg")
    gone.unlink()
    plan = read(tmp_path)
    told = " ".join(map(str, plan.left_out))
    assert sum(map(len, plan.placed.values())) == len(truth_of(writer)) - 1
    assert "is missing" in told or "has no photo of its name" in told


@pytest.mark.parametrize("writer", ALL, ids=ids)
def test_a_truncated_photo_is_named(writer, tmp_path):
    writer(tmp_path, truth_of(writer))
    photo = next(p for p in sorted(tmp_path.rglob("*.jpg")) if p.name == "a.jpg")
    photo.write_bytes(photo.read_bytes()[:600])
    plan = read(tmp_path)
    assert "photos cannot be read" in kinds(plan.left_out)
    assert sum(map(len, plan.placed.values())) == len(truth_of(writer)) - 1


@pytest.mark.parametrize("writer", ALL, ids=ids)
@pytest.mark.parametrize(
    ("box", "kind"),
    [
        ((300, 20, 350, 90), "photos hold a box outside the photo and are left out"),
        ((10, 20, 10, 90), "photos hold a box without a size and are left out"),
    ],
)
def test_a_photo_with_a_box_that_cannot_be_is_left_out_whole(writer, box, kind, tmp_path):
    first, *rest = truth_of(writer)
    bad = Truth(first.split, first.name, (("cola", COLA), ("cola", box)))
    writer(tmp_path, [bad, *rest])
    plan = read(tmp_path)
    assert kind in kinds(plan.left_out)
    assert sum(map(len, plan.placed.values())) == len(rest)


@pytest.mark.parametrize("writer", ALL, ids=ids)
def test_a_photo_without_an_item_is_left_out_and_told(writer, tmp_path):
    first, *rest = truth_of(writer)
    writer(tmp_path, [Truth(first.split, first.name), *rest])
    plan = read(tmp_path)
    told = kinds(plan.left_out)
    wanted = "photos are named by no label file" if writer in NEVER_EMPTY else "photos have no item"
    assert any(kind.startswith(wanted) for kind in told)
    assert sum(map(len, plan.placed.values())) == len(rest)


@pytest.mark.parametrize("writer", ALL, ids=ids)
def test_one_more_folder_around_and_system_files_change_nothing(writer, tmp_path):
    writer(tmp_path / "one" / "more", truth_of(writer))
    (tmp_path / "__MACOSX" / "one").mkdir(parents=True)
    (tmp_path / "__MACOSX" / "one" / "._a.jpg").write_bytes(b"\0\5\26\7")
    (tmp_path / "one" / "._a.json").write_bytes(b"\0\5\26\7")
    plan = read(tmp_path)
    assert sum(map(len, plan.placed.values())) == len(truth_of(writer))


@pytest.mark.parametrize("writer", ALL, ids=ids)
def test_a_damaged_label_file_is_told_in_one_line(writer, tmp_path):
    writer(tmp_path, truth_of(writer))
    suffixes = {".json", ".xml", ".csv", ".txt"}
    labels = [
        p
        for p in sorted(tmp_path.rglob("*"))
        if p.suffix in suffixes
        and p.name not in ("README.roboflow.txt", "notes.json", "classes.txt", "train.txt")
        and "captions" not in p.name
    ]
    data = labels[0].read_bytes()
    labels[0].write_bytes(data[: len(data) // 2] + b"\xff\xfe<{")
    files = look_at(tmp_path)
    try:
        told = (
            " ".join(map(str, plan_store(files).left_out)) if files.layouts else str(files.broken)
        )
    except DataError as error:
        told = str(error)
    assert labels[0].name in told


def test_every_flat_layout_is_read_in_the_order_of_its_file(tmp_path):
    for number, writer in enumerate((label_studio, label_studio_min, fiftyone)):
        assert writer in FLAT
        writer(tmp_path / str(number), FLAT_ORDER)
        names = [p.labelled.name for p in read(tmp_path / str(number)).placed["exemplars"]]
        assert [name[-5:] for name in names] == ["z.jpg", "y.jpg"]


FLAT_ORDER = [Truth("", "z.jpg", (("cola", COLA),)), Truth("", "y.jpg", (("cola", COLA),))]


def test_cvat_subsets_of_other_names_are_not_lost(tmp_path):
    cvat_xml(tmp_path, [Truth("shelf", "a.jpg", (("cola", COLA),))])
    plan = read(tmp_path)
    assert plan.export.photos[0].split == "Shelf"
    assert len(plan.placed["exemplars"]) == 1


def test_regions_whose_ids_are_lists_are_regions_of_their_own(tmp_path):
    label_studio(tmp_path, truth_of(label_studio))
    as_written = found(read(tmp_path))
    path = next(tmp_path.glob("*.json"))
    path.write_text(re.sub(r'"id": "[^"]*"', '"id": [[]]', path.read_text()))
    assert '"id": [[]]' in path.read_text()
    assert found(read(tmp_path)) == as_written
