import json

import numpy as np
import pytest

from rpc.data.dataset import read_dataset
from rpc.data.files import DataError
from rpc.data.images import write_image
from rpc.data.scene_sets import exemplars_as_scenes, join_scene_sets
from rpc.data.store import Store

SKUS = [{"id": 3, "name": "tea"}, {"id": 7, "name": "rice"}]


def make_scenes(folder, count, value, *, categories=SKUS, first_id=0):
    images, annotations = [], []
    for n in range(count):
        name = f"{n:08d}.png"
        write_image(folder / "images" / name, np.full((20, 30, 3), value, np.uint8))
        images.append(
            {"id": first_id + n, "file_name": name, "width": 30, "height": 20, "level": "easy"}
        )
        for item in range(n + 1):
            box = {"bbox": [1 + item, 2, 5, 6], "category_id": categories[item % 2]["id"]}
            annotations.append(
                {"id": len(annotations) + 1, "image_id": first_id + n, "visible": 0.5, **box}
            )
    content = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "instances.json").write_text(json.dumps(content))
    return folder


def test_two_sets_become_one_with_every_image_and_item(tmp_path):
    syn, render = make_scenes(tmp_path / "a", 3, 10), make_scenes(tmp_path / "b", 2, 200)
    path = join_scene_sets({"syn": syn, "render": render}, tmp_path / "both")
    whole, parts = read_dataset(path), [read_dataset(f / "instances.json") for f in (syn, render)]
    assert len(whole) == 5
    assert [i.file_name for i in whole.images][2:4] == ["syn_00000002.png", "render_00000000.png"]
    assert whole.counts().tolist() == np.concatenate([p.counts() for p in parts]).tolist()
    boxes = [a.bbox for part in parts for a in part.annotations]
    assert [a.bbox for a in whole.annotations] == boxes
    assert all(a.visible == 0.5 for a in whole.annotations)
    assert whole.levels() == ["easy"] * 5
    for image, source in zip(whole.images, [*[syn] * 3, *[render] * 2], strict=True):
        name = image.file_name.partition("_")[2]
        theirs = (source / "images" / name).read_bytes()
        assert (tmp_path / "both" / "images" / image.file_name).read_bytes() == theirs


def test_images_are_linked_and_a_second_run_changes_nothing(tmp_path):
    syn = make_scenes(tmp_path / "a", 2, 10)
    first = join_scene_sets({"syn": syn}, tmp_path / "both").read_bytes()
    link = tmp_path / "both" / "images" / "syn_00000000.png"
    assert link.samefile(syn / "images" / "00000000.png")
    assert join_scene_sets({"syn": syn}, tmp_path / "both").read_bytes() == first


def test_images_are_copied_where_links_cannot_be_made(tmp_path, monkeypatch):
    def no_links(source, target):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("rpc.data.files.os.link", no_links)
    syn = make_scenes(tmp_path / "a", 1, 10)
    join_scene_sets({"syn": syn}, tmp_path / "both")
    copied = tmp_path / "both" / "images" / "syn_00000000.png"
    assert copied.read_bytes() == (syn / "images" / "00000000.png").read_bytes()
    assert not copied.samefile(syn / "images" / "00000000.png")


def test_sets_of_other_skus_are_not_mixed(tmp_path):
    other = [{"id": 3, "name": "tea"}, {"id": 8, "name": "salt"}]
    syn = make_scenes(tmp_path / "a", 1, 10)
    salt = make_scenes(tmp_path / "b", 1, 10, categories=other)
    with pytest.raises(DataError, match="other SKUs"):
        join_scene_sets({"syn": syn, "render": salt}, tmp_path / "both")
    with pytest.raises(DataError, match="at least one"):
        join_scene_sets({}, tmp_path / "both")


def test_a_missing_image_is_named_and_no_annotations_are_written(tmp_path):
    syn = make_scenes(tmp_path / "a", 2, 10)
    (syn / "images" / "00000001.png").unlink()
    with pytest.raises(DataError, match=r"00000001\.png"):
        join_scene_sets({"syn": syn}, tmp_path / "both")
    assert not (tmp_path / "both" / "instances.json").exists()


def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path):
    syn = make_scenes(tmp_path / "a", 1, 10)
    text = (syn / "instances.json").read_text().replace("00000000.png", "../../x.png")
    (syn / "instances.json").write_text(text)
    with pytest.raises(DataError):
        join_scene_sets({"syn": syn}, tmp_path / "both")


def test_exemplars_become_training_images_of_one_product(tmp_path):
    root = tmp_path / "store"
    make_scenes(root, 1, 10)
    (root / "images").rename(root / "exemplars")
    (root / "instances.json").rename(root / "instances_train.json")
    dataset = read_dataset(exemplars_as_scenes(Store.open(root), tmp_path / "single"))
    assert [image.file_name for image in dataset.images] == ["00000000.png"]
    assert len(dataset.annotations) == 1
    assert (tmp_path / "single" / "images" / "00000000.png").is_file()
