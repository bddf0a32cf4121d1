"""The shipped model finds, a gallery names: from the shell, on trays of its store."""

import importlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from rpc.checkout.loading import check_gallery, load
from rpc.checkout.trained import load_gallery_checkout
from rpc.data.dataset import write_dataset
from rpc.data.files import DataError
from rpc.data.store import Store
from rpc.detection import runtime
from rpc.retrieval.descriptors import recipes
from rpc.retrieval.gallery.gallery import Gallery
from tests.cli.small_shop import VERB

ROOT = Path(__file__).parents[2]
STORE = ROOT / "examples" / "ministore"
MODEL = ROOT / "rpc" / "weights" / "ministore.pth"


class ColourGrid:
    """Mean colours of 3 x 3 parts: enough to name some things, and quick."""

    recipe = {"name": "colour grid"}  # noqa: RUF012  as a descriptor has it

    def __init__(self, device="cpu"):
        pass  # no network

    def __call__(self, pictures):
        rows = []
        for picture in pictures:
            parts = [np.array_split(band, 3, axis=1) for band in np.array_split(picture, 3)]
            means = [part.reshape(-1, 3).mean(axis=0) for band in parts for part in band]
            rows.append(np.concatenate(means) - 120)
        array = np.array(rows, dtype=np.float32).reshape(len(rows), 27)
        return array / np.linalg.norm(array, axis=1, keepdims=True)


@pytest.fixture
def tool(monkeypatch):
    """Another descriptor for galleries, and the tools by name."""
    runtime.setup()
    monkeypatch.setattr(recipes, "DESCRIBERS", {"colour grid": ColourGrid})
    monkeypatch.setattr(recipes, "DEFAULT", "colour grid")
    return lambda name: importlib.import_module(VERB[name]).main


@pytest.fixture
def gallery(tool, tmp_path):
    folder = tmp_path / "gallery"
    skus = ["soda_can_0", "chips_bag_1", "cup_noodle_2"]
    line = ["add", str(folder), "--data", str(STORE), "--most", "2", "--skus", *skus]
    assert tool("gallery")(line) == 0
    return folder


def test_the_demo_counts_only_what_the_gallery_holds(tool, gallery, tmp_path, capsys):
    photo = next((STORE / "val").glob("*easy*.jpg"))
    line = [str(photo), "--out", str(tmp_path), "--gallery", str(gallery), "--threshold", "0.01"]
    assert tool("demo")(line) == 0
    listed = json.loads((tmp_path / f"{photo.stem}_list.json").read_text())
    assert listed["counts"]
    assert set(listed["counts"]) <= set(Gallery.open(gallery).names)
    assert "items" in capsys.readouterr().out


def test_what_does_not_fit_is_refused(tool, gallery):
    with pytest.raises(DataError, match="no weight of the model's recogniser was chosen"):
        load_gallery_checkout(MODEL, gallery, fusion=True)
    with pytest.raises(DataError, match="expected a gallery"):
        load(MODEL, fusion=True)
    with pytest.raises(DataError, match="no recogniser to ask"):
        load_gallery_checkout(ROOT / "rpc" / "weights" / "start.pth", gallery, fusion=True)
    with pytest.raises(DataError, match="holds no gallery"):
        load_gallery_checkout(MODEL, gallery.parent / "nowhere")
    taxonomy = Gallery.open(gallery).taxonomy
    check_gallery(taxonomy, Store.open(STORE).taxonomy, gallery)
    assert tool("gallery")(["rename", str(gallery), "soda_can_0", "cola"]) == 0
    with pytest.raises(DataError, match="cola"):
        check_gallery(Gallery.open(gallery).taxonomy, Store.open(STORE).taxonomy, gallery)


@pytest.mark.slow
def test_tuning_keeps_its_choice_and_the_demo_fuses_by_it(tool, gallery, tmp_path):
    store = Store.open(STORE)
    small = tmp_path / "small"
    shutil.copytree(STORE / "exemplars", small / "exemplars")
    shutil.copy(STORE / "instances_train.json", small)
    val = store.split("val")
    few = val.subset([image.id for image in val.images[:3]])
    write_dataset(small / "instances_val.json", few)
    for image in few.images:
        (small / "val").mkdir(exist_ok=True)
        shutil.copy(store.image_path("val", image), small / "val")
    assert tool("gallery")(["tune", str(gallery), "--data", str(small)]) == 0
    settings = Gallery.open(gallery).state.settings
    assert settings["open_set"]["chosen_on"] == "small val"
    assert {"weight", "novelty", "counting", "doubt"} <= set(settings["fusion"])
    for fusion, kept in ((False, settings), (True, settings["fusion"])):
        counter = load_gallery_checkout(MODEL, gallery, fusion=fusion)
        assert counter.rule.to_dict() == kept["counting"]
        assert counter.doubt.to_dict() == kept["doubt"]
    photo = store.image_path("val", few.images[0])
    line = [str(photo), "--out", str(tmp_path), "--gallery", str(gallery), "--fusion"]
    assert tool("demo")(line) == 0
