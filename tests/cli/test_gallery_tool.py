"""The gallery from the shell: a product comes, is found, gets another name, goes."""

import importlib
import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from rpc.data.images import read_image, write_image
from rpc.pipelines.gallery import adding
from rpc.retrieval.descriptors import recipes
from rpc.retrieval.gallery.gallery import Gallery
from tests.features.text.fake_reader import FakeReader

TOOLS = Path(__file__).parents[2] / "tools"


class MeanColour:
    recipe = {"name": "mean colour"}  # noqa: RUF012  as a descriptor has it

    def __init__(self, device="cpu"):
        self.device = device

    def __call__(self, pictures):
        means = np.stack([p.reshape(-1, 3).mean(axis=0) for p in pictures])
        return (means / np.linalg.norm(means, axis=1, keepdims=True)).astype(np.float32)


def photo(path, colour):
    rgb = np.full((60, 80, 3), 235, np.uint8)
    cv2.circle(rgb, (40, 30), 18, colour, -1)
    return write_image(path, rgb)


@pytest.fixture
def photos(tmp_path):
    colours = {"red": (200, 20, 20), "green": (20, 190, 30), "blue": (20, 30, 210)}
    return {name: photo(tmp_path / f"{name}.png", colour) for name, colour in colours.items()}


@pytest.fixture
def gallery(tmp_path, monkeypatch, capsys):
    """Call the tool on a gallery of mean colours; its exit code, and its stdout and stderr."""
    monkeypatch.setattr(recipes, "DESCRIBERS", {"mean colour": MeanColour})
    monkeypatch.setattr(recipes, "DEFAULT", "mean colour")
    monkeypatch.delenv("RPC_TRACEBACK", raising=False)
    monkeypatch.setattr(adding, "missing_reader", lambda: "no reader")

    def run(verb, *more):
        line = ["gallery.py", verb, tmp_path / "gallery", *more]
        monkeypatch.setattr(sys, "argv", list(map(str, line)))
        main = importlib.import_module("rpc.cli.gallery").main
        with pytest.raises(SystemExit) as left:
            importlib.import_module("rpc.cli.leave").run(main)
        return left.value.code, *capsys.readouterr()

    run.folder = tmp_path / "gallery"
    return run


@pytest.fixture
def filled(gallery, photos):
    for name, path in photos.items():
        assert gallery("add", name, path)[0] == 0
    return gallery


def test_a_product_comes_is_found_gets_another_name_and_goes(filled, photos, tmp_path):
    code, out, _ = filled("search", photos["green"], "--out", tmp_path / "seen", "--json")
    found = json.loads(out)
    assert code == 0
    assert found["hits"][0]["name"] == "green"
    assert read_image(found["picture"]).shape[0] > 190
    assert found["seconds"] > 0
    assert filled("rename", "green", "lime", "--title", "A lime")[0] == 0
    _, out, _ = filled("search", photos["green"], "--out", tmp_path / "seen")
    assert out.split()[1] == "lime"
    assert filled("remove", "lime", "red")[0] == 0
    assert Gallery.open(filled.folder).names == ("blue",)
    assert filled("index", "--kind", "hnsw")[0] == 0
    told = json.loads(filled("info", "--json")[1])
    assert (told["skus"], told["photos"]) == (1, {"blue": ["blue.png"]})
    assert told["recipe"] == MeanColour.recipe


def test_the_exemplars_of_a_store_come_with_their_ids_and_titles(gallery):
    root = TOOLS.parent / "examples" / "ministore"
    names = ["soda_can_1", "cup_noodle_0"]
    code, out, _ = gallery("add", "--data", root, "--skus", *names, "--most", "3")
    assert code == 0
    assert "2 SKUs: 6 photos" in out
    state = Gallery.open(gallery.folder).state
    categories = json.loads((root / "instances_train.json").read_bytes())["categories"]
    wanted = {c["name"]: (c["id"], c.get("title", "")) for c in categories if c["name"] in names}
    assert {sku.name: (sku.category_id, sku.title) for sku in state.skus} == wanted


@pytest.mark.parametrize("rerank", ["none", "expansion", "reciprocal", "verify"])
def test_every_second_look_can_be_asked_for(filled, photos, tmp_path, rerank):
    code, out, _ = filled(
        "search", photos["blue"], "--rerank", rerank, "--out", tmp_path / "s", "--count", "1"
    )
    assert code == 0
    assert out.split()[1] == "blue"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (["add"], "expected a SKU and its photos"),
        (["add", "milk", "missing.jpg"], "missing.jpg"),
        (["add", "milk", "RED", "--box", "9", "9", "2", "2"], "x1 < x2"),
        (["add", "milk", "RED", "--recipe", "other"], "made with the recipe 'mean colour'"),
        (["add", "--data", "nowhere"], "nowhere"),
        (["remove", "milk"], "not in the gallery"),
        (["rename", "milk", "tea"], "not in the gallery"),
        (["rename", "red", "blue"], "already"),
        (["search", "missing.jpg"], "missing.jpg"),
    ],
)
def test_wrong_input_is_one_line_and_the_gallery_stays(filled, photos, line, told):
    before = {p: p.read_bytes() for p in filled.folder.rglob("*") if p.suffix}
    code, _, stderr = filled(*[photos["red"] if word == "RED" else word for word in line])
    assert code == 2
    assert len(stderr.splitlines()) == 1
    assert told in stderr
    assert {p: p.read_bytes() for p in filled.folder.rglob("*") if p.suffix} == before


@pytest.mark.parametrize("line", [["info"], ["remove", "x"], ["search", "x.jpg"]])
def test_where_there_is_no_gallery_the_way_to_one_is_told(gallery, line):
    code, _, stderr = gallery(*line)
    assert code == 2
    assert "rpc-checkout gallery add" in stderr
    assert not gallery.folder.exists()


def test_a_gallery_of_a_recipe_that_is_not_known_is_refused(filled, photos, monkeypatch):
    monkeypatch.setattr(recipes, "DESCRIBERS", {})
    code, _, stderr = filled("search", photos["red"])
    assert code == 2
    assert "mean colour" in stderr


def test_words_are_read_kept_and_told(gallery, photos, monkeypatch):
    reader = FakeReader({200: ["CHERRY", "330 ml"]}, {200: ["04006381333931"]})
    monkeypatch.setattr(adding, "missing_reader", lambda: "")
    monkeypatch.setattr(adding, "PackReader", lambda: reader)
    gallery("add", "red", photos["red"])
    gallery("add", "green", photos["green"], "--no-words")
    gallery("add", "blue", photos["blue"])
    assert reader.asked == 2
    told = json.loads(gallery("info", "--json")[1])
    assert told["words"] == {"red": ["330 ml", "CHERRY"], "green": [], "blue": []}
    assert told["codes"] == {"red": ["04006381333931"], "green": [], "blue": []}
    page = gallery("info")[1]
    assert "  words on 1 of them: 330 ml, CHERRY" in page
    assert "  words on 1 of them: none legible" in page
    assert "  barcodes: 04006381333931" in page


def test_a_missing_reader_is_told_and_stops_nothing(gallery, photos):
    code, out, _ = gallery("add", "red", photos["red"])
    assert code == 0
    assert "no reader" in out.splitlines()
    assert "no reader" not in gallery("add", "green", photos["green"], "--no-words")[1]
