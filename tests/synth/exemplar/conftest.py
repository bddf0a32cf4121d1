"""Drawn photos whose masks are known, and a small store made of them."""

import json

import cv2
import pytest

from tests.synth.exemplar.drawn_photos import COLOURS, draw_photo


@pytest.fixture
def photo():
    return draw_photo(60, 80, COLOURS["can"])


@pytest.fixture
def tiny_store(tmp_path):
    """Two SKUs with three photos each."""
    root = tmp_path / "store"
    (root / "exemplars").mkdir(parents=True)
    images, annotations = [], []
    for category_id, (sku, colour) in enumerate(COLOURS.items(), start=1):
        for view in range(3):
            name = f"{sku}_camera3-{view + 1}.jpg"
            rgb, mask, (x1, y1, x2, y2) = draw_photo(50 + 2 * view, 70, colour, seed=view)
            cv2.imwrite(str(root / "exemplars" / name), rgb[..., ::-1])
            number = len(images) + 1
            images.append({"id": number, "file_name": name, "width": 160, "height": 160})
            annotations.append(
                {
                    "id": number,
                    "image_id": number,
                    "category_id": category_id,
                    "bbox": [x1, y1, x2 - x1, y2 - y1],
                    "area": int(mask.sum()),
                    "iscrowd": 0,
                    "segmentation": [],
                }
            )
    categories = [{"id": i, "name": sku} for i, sku in enumerate(COLOURS, start=1)]
    content = {"images": images, "annotations": annotations, "categories": categories}
    (root / "instances_train.json").write_text(json.dumps(content))
    return root
