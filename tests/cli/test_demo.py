"""The demo with the checkpoint that comes with the repository, as a newcomer runs it."""

import importlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from rpc.checkout import loading
from rpc.data.images import read_image
from rpc.data.store import Store
from rpc.detection import runtime
from rpc.pictures.draw import PHOTO_SIDE
from rpc.reporting import is_counts_list

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
    assert drawn.shape[0] >= PHOTO_SIDE


def test_what_a_counter_does_without_is_told_and_words_can_be_left_out(
    demo, model, shop, tmp_path, monkeypatch, capsys
):
    load, asked = loading.load, []

    def told(*args, words, **options):
        asked.append(words)
        return replace(load(*args, words=words, **options), notes=("no reader here",))

    monkeypatch.setattr(loading, "load", told)
    tray = next((shop / "store" / "test").iterdir())
    for more in ([], ["--no-words"]):
        line = [tray, "--model", model, "--out", tmp_path / "counted", "--device", "cpu", *more]
        assert demo(list(map(str, line))) == 0
    assert asked == [True, False]
    assert "no reader here" in capsys.readouterr().err.splitlines()


def test_the_shipped_models_are_small_enough_to_come_with_the_code():
    for path in (ROOT / "rpc" / "weights").glob("*.pth"):
        assert path.stat().st_size <= 15e6


def test_a_folder_gives_a_list_and_a_picture_of_each_tray_and_all_counts(
    demo, model, shop, tmp_path, capsys
):
    out = tmp_path / "counted"
    (shop / "store" / "test" / "notes.txt").write_text("no photo")
    assert demo([str(shop / "store" / "test"), "--model", str(model), "--out", str(out)]) == 0
    counts = json.loads((out / "counts.json").read_text())
    assert [(one["image_id"], one["file_name"]) for one in counts] == [
        (1, "tray_1.png"),
        (2, "tray_2.png"),
    ]
    assert is_counts_list(counts)
    items = 0
    for entry in counts:
        photo = entry["file_name"]
        found = {one["name"]: one["count"] for one in entry["counts"]}
        items += sum(found.values())
        stem = Path(photo).stem
        listed = json.loads((out / f"{stem}_list.json").read_text())
        assert (listed["photo"], listed["counts"]) == (photo, found)
        assert (out / f"{stem}_counted.jpg").is_file()
    assert f"2 trays, {items} items" in capsys.readouterr().out


def test_photos_of_one_stem_do_not_overwrite_each_other(demo, model, shop, tmp_path):
    trays, out = shop / "store" / "test", tmp_path / "counted"
    for copy in ("tray_1.jpg", "tray_1.jpg.png"):
        (trays / copy).write_bytes((trays / "tray_1.png").read_bytes())
    assert demo([str(trays), "--model", str(model), "--out", str(out)]) == 0
    names = sorted(path.name for path in out.glob("*_list.json"))
    assert names == [
        *("tray_1.jpg_2_list.json", "tray_1.jpg_list.json", "tray_1.png_list.json"),
        "tray_2_list.json",
    ]


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize(("verb", "more"), [("demo", ()), ("detect", ("--data", "store"))])
def test_an_unknown_device_is_one_line(refused, shop, verb, more):
    more = [shop / part if part == "store" else part for part in more]
    told = refused(verb, *more, "--device", "gpu")
    assert told.startswith("error: device 'gpu': expected auto, cpu")
