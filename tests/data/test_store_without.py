import json

import numpy as np
import pytest

from rpc.data.files import DataError
from rpc.data.images import write_image
from rpc.data.store import Store
from rpc.data.store_without import store_without

SKUS = {3: "tea", 5: "cola", 9: "soap"}
TRAYS = {1: [3, 5], 2: [3, 3], 3: [9], 4: []}


def entries(images):
    """COCO's images and annotations: image id to category ids."""
    listed = [{"id": n, "file_name": f"{n}.jpg", "width": 30, "height": 30} for n in images]
    pairs = [(n, sku) for n, skus in images.items() for sku in skus]
    items = [
        {"id": k, "image_id": n, "category_id": sku, "bbox": [1, 1, 9, 9], "area": 81, "iscrowd": 0}
        for k, (n, sku) in enumerate(pairs, start=1)
    ]
    return listed, items


@pytest.fixture
def store(tmp_path):
    root = tmp_path / "shop"
    exemplars = {n: [sku] for n, sku in enumerate([3, 3, 5, 9], start=1)}
    splits = {"train": exemplars, "val": TRAYS, "test": TRAYS}
    for split, images in splits.items():
        listed, items = entries(images)
        folder = root / ("exemplars" if split == "train" else split)
        for image in listed:
            write_image(folder / image["file_name"], np.full((30, 30, 3), 9, np.uint8))
        categories = [{"id": n, "name": name} for n, name in SKUS.items()]
        content = {"images": listed, "annotations": items, "categories": categories}
        (root / f"instances_{split}.json").write_text(json.dumps(content))
    return Store.open(root)


def test_no_photo_of_a_left_out_sku_remains_and_the_others_keep_their_ids(store, tmp_path):
    small = Store.open(store_without(store, ["cola"], tmp_path / "small"))
    assert small.taxonomy.names == ("tea", "soap")
    assert small.taxonomy.ids == (3, 9)
    assert [e.category_id for e in small.exemplars()] == [3, 3, 9]
    for split in ("val", "test"):
        images = small.split(split).images
        assert [image.id for image in images] == [2, 3, 4]  # tray 1 shows a cola
        assert all(small.image_path(split, image).is_file() for image in images)
        assert not (tmp_path / "small" / split / "1.jpg").exists()
    assert not (tmp_path / "small" / "exemplars" / "3.jpg").exists()


def test_the_full_store_is_untouched(store, tmp_path):
    before = {p: p.read_bytes() for p in store.root.rglob("*") if p.is_file()}
    store_without(store, ["tea", "soap"], tmp_path / "small")
    assert {p: p.read_bytes() for p in store.root.rglob("*") if p.is_file()} == before


@pytest.mark.parametrize(
    ("names", "told"), [([], "some of"), (list(SKUS.values()), "some of"), (["milk"], "milk")]
)
def test_a_wrong_choice_is_refused_before_anything_is_written(store, tmp_path, names, told):
    with pytest.raises(DataError, match=told):
        store_without(store, names, tmp_path / "small")
    assert not (tmp_path / "small").exists()


def test_a_folder_with_files_is_refused(store, tmp_path):
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "mine.txt").write_text("x")
    with pytest.raises(DataError, match="empty folder"):
        store_without(store, ["tea"], tmp_path / "small")
