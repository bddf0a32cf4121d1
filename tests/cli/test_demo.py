"""The demo with the checkpoint that comes with the repository, as a newcomer runs it."""

import importlib
import json
from pathlib import Path

import pytest

from rpc.data.images import read_image
from rpc.data.store import Store
from rpc.detection import runtime

ROOT = Path(__file__).parents[2]
STORE = ROOT / "examples" / "ministore"


@pytest.fixture
def demo(monkeypatch):
    runtime.setup()
    return importlib.import_module("rpc.cli.count").main


def test_the_shipped_model_counts_a_tray_of_its_store(demo, tmp_path, capsys):
    store = Store.open(STORE)
    dataset = store.split("val")
    image = dataset.images[0]
    photo = store.image_path("val", image)
    assert demo([str(photo), "--out", str(tmp_path)]) == 0
    listed = json.loads((tmp_path / f"{photo.stem}_list.json").read_text())
    assert sum(listed["counts"].values()) == len(listed["items"])
    told = capsys.readouterr().out
    assert f"{len(listed['items'])} items, {len(listed['counts'])} products" in told
    # A photo of the validation split: on such the model's counting rule was chosen.
    assert abs(len(listed["items"]) - len(dataset.annotations_of(image.id))) <= 1
    assert set(listed["counts"]) <= set(dataset.taxonomy.names)
    drawn = read_image(tmp_path / f"{photo.stem}_counted.jpg")
    assert drawn.shape[0] >= image.height


def test_the_shipped_models_are_small_enough_to_come_with_the_code():
    for path in (ROOT / "rpc" / "weights").glob("*.pth"):
        assert path.stat().st_size <= 15e6
