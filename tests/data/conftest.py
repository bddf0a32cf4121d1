"""Small JSON data sets and stores to damage."""

import copy
import json
import os
from pathlib import Path

import numpy as np
import pytest

from rpc.data.images import write_image

COCO = {
    "info": {"license": "CC0-1.0"},
    "licenses": [],
    "__raw_Chinese_name_df": [{"category_id": 7, "name": "可乐"}],
    "categories": [
        {"id": 7, "name": "cola", "supercategory": "drink"},
        {"id": 3, "name": "chips", "supercategory": "puffed_food", "family": "bag"},
    ],
    "images": [
        {"id": 40, "file_name": "b.jpg", "width": 64, "height": 48, "level": "easy", "cart": 5},
        {"id": 7, "file_name": "a.jpg", "width": 64, "height": 48, "level": "easy"},
    ],
    "annotations": [
        {
            "id": 11,
            "image_id": 40,
            "category_id": 7,
            "bbox": [1.5, 2, 10, 20],
            "area": 150,
            "iscrowd": 0,
            "segmentation": [[]],
            "point_xy": [6.5, 12],
        },
        {"id": 5, "image_id": 40, "category_id": 3, "bbox": [0, 0, 64, 48], "area": 9},
        {"id": 6, "image_id": 7, "category_id": 7, "bbox": [3, 3, 4, 4], "area": 9},
    ],
}


@pytest.fixture
def coco():
    return copy.deepcopy(COCO)


@pytest.fixture
def write(tmp_path):
    """Write an object (or raw text) as JSON and return its path."""

    def _write(content, name="instances.json"):
        path = tmp_path / name
        text = content if isinstance(content, str) else json.dumps(content)
        path.write_text(text, encoding="utf-8")
        return path

    return _write


def photo(height=48, width=64):
    """A pale photo with a dark red product in the middle, as RGB."""
    rgb = np.full((height, width, 3), 225, dtype=np.uint8)
    rgb[height // 4 : -(height // 4), width // 4 : -(width // 4)] = (150, 20, 30)
    return rgb


@pytest.fixture
def make_photo():
    """Write a photo to a path."""

    def _make(path, height=48, width=64):
        return write_image(path, photo(height, width))

    return _make


@pytest.fixture
def store_root(tmp_path, make_photo):
    """A sound store of two SKUs with five exemplars each and one tray in `val`."""
    root = tmp_path / "store"
    categories = [{"id": 1, "name": "tea"}, {"id": 2, "name": "rice"}]
    images, annotations = [], []
    for number in range(1, 11):
        sku = 1 + (number > 5)
        name = f"{'tea' if sku == 1 else 'rice'}_camera{number % 2}-{number}.jpg"
        make_photo(root / "exemplars" / name)
        images.append({"id": number, "file_name": name, "width": 64, "height": 48})
        annotations.append(
            {"id": number, "image_id": number, "category_id": sku, "bbox": [16, 12, 32, 24]}
        )
    train = {"images": images, "annotations": annotations, "categories": categories}
    (root / "instances_train.json").write_text(json.dumps(train))
    make_photo(root / "val" / "tray.jpg")
    tray = {"id": 1, "file_name": "tray.jpg", "width": 64, "height": 48, "level": "easy"}
    items = [
        {"id": n, "image_id": 1, "category_id": 1 + n % 2, "bbox": [16, 12, 32, 24]}
        for n in range(1, 4)
    ]
    val = {"images": [tray], "annotations": items, "categories": categories}
    (root / "instances_val.json").write_text(json.dumps(val))
    return root


@pytest.fixture
def edit():
    """Change a JSON file in place."""

    def _edit(path, change):
        content = json.loads(Path(path).read_text())
        change(content)
        Path(path).write_text(json.dumps(content))

    return _edit


@pytest.fixture
def ministore():
    return Path(__file__).parents[2] / "examples" / "ministore"


@pytest.fixture
def outside_stores():
    """The stores outside the repository, where the environment names their folder."""
    folder = os.environ.get("RPC_DATA")
    if not folder:
        pytest.skip("RPC_DATA does not name a folder of stores")
    return [p for p in sorted(Path(folder).iterdir()) if (p / "instances_train.json").exists()]
