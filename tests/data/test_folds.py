import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.data.dataset import Dataset
from rpc.data.files import DataError
from rpc.data.folds import deal_folds, write_folds
from rpc.data.images import write_image
from rpc.data.records import ImageInfo
from rpc.data.store import Store
from rpc.data.taxonomy import Category, Taxonomy


def with_carts(carts):
    images = [
        ImageInfo(10 + n, f"{n}.jpg", 8, 8, extra={"cart": cart}) for n, cart in enumerate(carts)
    ]
    return Dataset(tuple(images), (), Taxonomy((Category(1, "tea"),)))


@given(st.lists(st.integers(0, 6), min_size=4, max_size=30), st.integers(2, 4))
def test_every_image_is_in_one_fold_and_no_cart_in_two(carts, count):
    dataset = with_carts(carts)
    if len(set(carts)) < count:
        with pytest.raises(DataError, match="cannot be dealt"):
            deal_folds(dataset, count, "cart")
        return
    folds = deal_folds(dataset, count, "cart")
    assert sorted(i for fold in folds for i in fold) == [image.id for image in dataset.images]
    cart_of = {image.id: image.extra["cart"] for image in dataset.images}
    seen = [{cart_of[i] for i in fold} for fold in folds]
    assert sum(len(carts_of_fold) for carts_of_fold in seen) == len(set(carts))
    sizes = [len(fold) for fold in folds]
    assert max(sizes) - min(sizes) <= max(carts.count(cart) for cart in carts)


def test_nine_carts_of_25_trays_make_halves_of_13_and_12():
    carts = [
        c for c, n in zip("abcdefghi", (2, 3, 3, 3, 2, 3, 3, 3, 3), strict=True) for _ in range(n)
    ]
    assert sorted(len(fold) for fold in deal_folds(with_carts(carts), 2, "cart")) == [12, 13]


def test_without_groups_every_image_goes_by_itself():
    assert [len(fold) for fold in deal_folds(with_carts([1] * 7), 3)] == [3, 2, 2]


@pytest.mark.parametrize(("count", "group", "line"), [(1, None, "2 or more"), (2, "shop", "shop")])
def test_what_cannot_be_dealt_is_told(count, group, line):
    with pytest.raises(DataError, match=line):
        deal_folds(with_carts([1, 2]), count, group)


def test_a_fold_is_a_store_whose_test_is_the_others_val(tmp_path):
    root = tmp_path / "store"
    skus = [{"id": 1, "name": "tea"}]
    for split, names in {
        "train": ["tea_camera0-1.png"],
        "val": ["a.png", "b.png", "c.png"],
    }.items():
        folder = root / ("exemplars" if split == "train" else split)
        images, items = [], []
        for n, name in enumerate(names, start=1):
            write_image(folder / name, np.full((9, 9, 3), 20 * n, np.uint8))
            images.append({"id": n, "file_name": name, "width": 9, "height": 9, "shop": n % 2})
            items.append({"id": n, "image_id": n, "category_id": 1, "bbox": [1, 1, 4, 4]})
        content = {"images": images, "annotations": items, "categories": skus}
        (root / f"instances_{split}.json").write_text(json.dumps(content))
    roots = write_folds(Store.open(root), tmp_path / "folds", 2, "shop")
    stores = [Store.open(path) for path in roots]
    tests = [{i.file_name for i in store.split("test").images} for store in stores]
    vals = [{i.file_name for i in store.split("val").images} for store in stores]
    assert sorted(map(sorted, tests)) == [["a.png", "c.png"], ["b.png"]]
    assert vals == tests[::-1]
    assert all(
        len(store.split("test").annotations) == len(t)
        for store, t in zip(stores, tests, strict=True)
    )
    assert all(
        store.image_path("test", i).is_file()
        for store in stores
        for i in store.split("test").images
    )
    assert [len(store.exemplars()) for store in stores] == [1, 1]
