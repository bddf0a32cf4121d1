"""Every door that reads a photo for its boxes refuses those of another size of it, by one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from PIL import Image

from rpc.data.check import check_store
from rpc.data.class_sets.store_crops import read_store_set
from rpc.data.files import DataError
from rpc.data.store import Store
from rpc.detection.transforms import LoadRGB
from rpc.pipelines.gallery.photos import skus_of_store
from rpc.pipelines.naming.run import read_crops
from rpc.recognition.training.photo_batches import seen_whole
from rpc.retrieval.colocalisation.photo_sets import store_sets
from synth.exemplar.cutouts import build_cutouts

BOX = (30, 20, 60, 40)  # x, y, width, height on the pixels as the file has them


class NoDescriptor:
    """Stands for a descriptor that is never asked."""

    recipe: ClassVar[dict] = {}

    def __call__(self, *_):
        raise AssertionError("a photo was described")


def make_store(root: Path, claimed: tuple[int, int], turn: int = 1) -> Path:
    """Two SKUs with two exemplars each, and a tray in val and test, of 240x180 px each."""
    rgb = np.full((180, 240, 3), 225, np.uint8)
    x, y, w, h = BOX
    rgb[y : y + h, x : x + w] = (150, 20, 30)
    exif = Image.Exif()
    exif[0x0112] = turn
    box = [n * claimed[0] / 240 for n in BOX]
    for folder, split, count in (("exemplars", "train", 4), ("val", "val", 1), ("test", "test", 1)):
        (root / folder).mkdir(parents=True)
        numbers = range(1, count + 1)
        for number in numbers:
            Image.fromarray(rgb).save(root / folder / f"{number}.jpg", exif=exif, quality=95)
        content = {
            "images": [
                {"id": n, "file_name": f"{n}.jpg", "width": claimed[0], "height": claimed[1]}
                for n in numbers
            ],
            "annotations": [
                {"id": n, "image_id": n, "category_id": 1 + n % 2, "bbox": box} for n in numbers
            ],
            "categories": [{"id": 1, "name": "tea"}, {"id": 2, "name": "cola"}],
        }
        (root / f"instances_{split}.json").write_text(json.dumps(content))
    return root


def train_photo(root: Path) -> dict:
    image = Store.open(root).split("val").images[0]
    path = str(root / "val" / image.file_name)
    return {"img_path": path, "width": image.width, "height": image.height}


DOORS = {
    "exemplar": lambda root: Store.open(root).exemplars()[0].read(),
    "gallery": lambda root: skus_of_store(NoDescriptor(), Store.open(root), None, 4),
    "cut-outs": lambda root: build_cutouts(root, root / "out", "combined", workers=1),
    "training of detectors": lambda root: LoadRGB().transform(train_photo(root)),
    "recognition": lambda root: seen_whole(read_store_set(root, 0.1).train[0], 32),
    "recognition of trays": lambda root: seen_whole(read_store_set(root, 0.1).test[0], 32),
    "naming": lambda root: read_crops(Store.open(root), "val"),
    "co-localisation": lambda root: store_sets(Store.open(root), "train")[0][0].photos[0].read(),
}
EXEMPLAR_DOORS = ("exemplar", "gallery", "cut-outs")


@pytest.mark.parametrize("door", DOORS)
def test_a_photo_of_another_size_than_its_boxes_is_refused(tmp_path, door):
    root = make_store(tmp_path / "store", (120, 90))
    with pytest.raises(DataError, match=r"twice as large.*put the labelled files back") as caught:
        DOORS[door](root)
    text = str(caught.value)
    assert "240x180 px upright, the JSON says 120x90" in text
    assert ".jpg" in text
    assert "\n" not in text
    assert "method" not in text


@pytest.mark.parametrize("door", DOORS)
def test_the_size_before_an_exif_turn_is_named_as_such(tmp_path, door):
    root = make_store(tmp_path / "store", (240, 180), turn=6)
    with pytest.raises(DataError, match=r"before its EXIF turn \(90 degrees clockwise\)"):
        DOORS[door](root)


@pytest.mark.parametrize("door", EXEMPLAR_DOORS)
def test_a_box_from_before_a_turn_that_keeps_the_size_is_refused(tmp_path, door):
    root = make_store(tmp_path / "store", (240, 180), turn=3)
    with pytest.raises(DataError, match=r"box fits the photo before its EXIF turn \(180 degrees\)"):
        DOORS[door](root)
    assert not check_store(root).usable


@pytest.mark.parametrize("door", sorted(set(DOORS) - {"gallery", "cut-outs"}))
def test_a_photo_of_the_right_size_passes(tmp_path, door):
    assert DOORS[door](make_store(tmp_path / "store", (240, 180))) is not None
