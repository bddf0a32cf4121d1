"""Naming crops from the shell: a store of drawn packages, its table, its failures; a projection."""

import importlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from rpc.data.files import DataError
from rpc.data.images import read_image, write_image
from rpc.data.store import Store
from rpc.features.encodings.discriminant import Discriminant, write_discriminant
from rpc.pipelines.naming.run import RECIPES, Naming, read_crops
from synth.drawn import draw_package
from tests.cli.small_shop import VERB
from tests.runs.device_calls import META, devices_used

TOOLS = Path(__file__).parents[2] / "tools"
PRODUCTS = 4
WIDTH = 6128  # of the descriptor's statistics


def on_tray(places):
    """A tray (300, 300, 3) with packages at places, and their boxes xywh."""
    tray = np.full((300, 300, 3), 225, np.uint8)
    boxes = []
    for product, left, top, turn in places:
        rgba = np.rot90(draw_package(3, product, "front", 0, long_side=120), turn)
        height, width = rgba.shape[:2]
        alpha = rgba[..., 3:] / 255
        part = tray[top : top + height, left : left + width]
        part[:] = (rgba[..., :3] * alpha + part * (1 - alpha)).astype(np.uint8)
        boxes.append((product, [left, top, width, height]))
    return tray, boxes


@pytest.fixture
def store(tmp_path):
    categories = [{"id": n + 1, "name": f"pack {n}"} for n in range(PRODUCTS)]
    photos = {
        "train": [on_tray([(n, 40, 60, 0)]) for n in range(PRODUCTS)],
        "val": [
            on_tray([(0, 10, 10, 1), (1, 150, 150, 2)]),
            on_tray([(2, 10, 10, 3), (3, 150, 150, 0)]),
        ],
    }
    folders = {"train": "exemplars", "val": "val"}
    for split, trays in photos.items():
        images, annotations = [], []
        for number, (rgb, boxes) in enumerate(trays, start=1):
            name = f"{split}_{number}.png"
            write_image(tmp_path / "store" / folders[split] / name, rgb)
            images.append({"id": number, "file_name": name, "width": 300, "height": 300})
            for product, box in boxes:
                annotations.append(
                    {
                        "id": len(annotations) + 1,
                        "image_id": number,
                        "category_id": product + 1,
                        "bbox": box,
                    }
                )
        content = {"images": images, "annotations": annotations, "categories": categories}
        (tmp_path / "store" / f"instances_{split}.json").write_text(json.dumps(content))
    return tmp_path / "store"


@pytest.fixture
def call(monkeypatch):
    """A tool's main, in this process."""

    def run(tool, *arguments):
        return importlib.import_module(VERB[tool]).main([str(argument) for argument in arguments])

    return run


def test_every_recipe_names_rotated_packages(store, call, tmp_path):
    out = tmp_path / "out"
    assert call("name_crops", "--data", store, "--out", out, "--ablation") == 0
    report = json.loads((out / "naming.json").read_text())
    assert (report["exemplars"], report["queries"], report["groups"]) == (4, 4, 2)
    first = {name: row["top1"] for name, row in report["recipes"].items()}
    assert first["product"] == 1.0
    assert min(row["top5"] for row in report["recipes"].values()) == 1.0
    assert set(first) == set(importlib.import_module("rpc.pipelines.naming.run").RECIPES)
    assert "| product |" in (out / "naming.md").read_text()
    assert read_image(out / "failures.png").shape[2] == 3
    assert str(tmp_path) not in (out / "naming.json").read_text()


@pytest.mark.parametrize("device", [META, torch.device("cpu")])
def test_crops_are_described_on_the_device(store, device):
    opened = Store.open(store)
    crops = read_crops(opened, "train")
    naming = Naming(crops, crops, device=device)
    assert devices_used(lambda: naming.photo_scores(RECIPES["one turn"])) == {device.type}


def test_a_device_that_is_not_there_is_refused(store, call, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DataError, match="device cuda:99: torch sees no GPU"):
        call("name_crops", "--data", store, "--out", tmp_path / "o", "--device", "cuda:99")


def test_bad_arguments_are_refused(store, call, tmp_path):
    with pytest.raises(DataError, match="--few 0: expected 1 or more"):
        call("name_crops", "--data", store, "--out", tmp_path, "--few", 0)
    with pytest.raises(DataError, match="instances_test"):
        call("name_crops", "--data", store, "--out", tmp_path, "--queries", "test")


def test_another_projection_is_taken(store, call, tmp_path):
    blind = Discriminant(np.zeros(WIDTH, np.float32), np.ones((1, WIDTH), np.float32))
    path = write_discriminant(tmp_path / "p.pth", blind, {})
    call("name_crops", "--data", store, "--out", tmp_path / "out", "--projection", path)
    report = json.loads((tmp_path / "out" / "naming.json").read_text())
    assert report["recipes"]["product"]["top1"] < 1  # all alike: nothing is told apart


def test_a_projection_is_learnt_from_drawings_and_the_same_every_time(store, call, tmp_path):
    few = ("--products", 4, "--views", 2, "--dimension", 3)
    for name in ("a.pth", "b.pth"):
        assert call("make_descriptor", "--out", tmp_path / name, *few) == 0
    assert (tmp_path / "a.pth").read_bytes() == (tmp_path / "b.pth").read_bytes()


def test_a_projection_needs_two_products(call):
    with pytest.raises(DataError, match="--products 1: expected 2 or more"):
        call("make_descriptor", "--products", 1)
