"""`--device` reaches the networks: a GPU that nobody has is refused by each verb."""

import importlib
import shutil

import pytest
import torch

from rpc.cli import gallery, retrieve, train_render
from rpc.cli.main import VERBS, module_of
from tests.cli.small_shop import ROOT

ABSENT = "cuda:99"
OFFERED = {
    *("bench", "colocalise", "count", "cutouts", "detect", "doctor", "fuse", "held-out"),
    *("make-descriptor", "make-start", "name-crops", "quality", "quickstart", "recognise"),
    *("recognition-table", "render", "retrieve", "serve", "table3", "train", "train-render"),
}


def test_the_verbs_that_run_networks_offer_a_device():
    parsers = {verb: importlib.import_module(f"rpc.cli.{module_of(verb)}") for verb in VERBS}
    texts = {verb: module.parser().format_help() for verb, module in parsers.items()}
    assert {verb for verb, text in texts.items() if "--device NAME" in text} == OFFERED


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.mark.parametrize("tool", ["train", "train_recognition", "quickstart"])
def test_a_training_refuses_a_device_that_is_not_there(refused, tool):
    line = refused(tool, "--device", ABSENT)
    assert f"device {ABSENT}: torch sees no GPU on this machine; take auto or cpu" in line


def test_learning_to_render_refuses_a_device_that_is_not_there(shop):
    words = [str(ROOT / "configs/render/cut_cpu.py"), "--scenes", str(shop), "--data"]
    (shop / "trays").rename(shop / "images")
    words += [str(shop / "store"), "--out", str(shop / "o"), "--device", ABSENT]
    with pytest.raises(ValueError, match=f"device {ABSENT}"):
        train_render.main(words)


@pytest.mark.parametrize("do", [("add", "tea", "PHOTO"), ("search", "PHOTO")])
def test_a_gallery_refuses_a_device_that_is_not_there(shop, do):
    photo = str(shop / "photos/tea/1.png")
    words = [str(shop / "gallery"), *(photo if word == "PHOTO" else word for word in do[1:])]
    assert gallery.main(["add", str(shop / "gallery"), "rice", photo, "--whole"]) == 0
    with pytest.raises(ValueError, match=f"device {ABSENT}: torch sees no GPU"):
        gallery.main([do[0], *words, "--device", ABSENT])


def test_retrieval_refuses_a_device_that_is_not_there(shop):
    for split in ("train", "test"):
        shutil.copytree(shop / "photos", shop / "classes" / split)
    words = ["--data", str(shop / "classes"), "--out", str(shop / "o"), "--device", ABSENT]
    with pytest.raises(ValueError, match=f"device {ABSENT}: torch sees no GPU"):
        retrieve.main(words)


@pytest.mark.parametrize(
    ("verb", "words"),
    [
        ("colocalise", ["--photos", "PHOTOS", "--out", "OUT"]),
        ("fuse", ["m.pth", "--recogniser", "r.pth", "--data", "PHOTOS", "--out", "OUT"]),
        ("make_descriptor", ["--products", "2", "--views", "2", "--out", "OUT"]),
        ("make_start", ["detector", "--products", "2", "--scenes", "1", "--out", "OUT"]),
        ("recognition_table", ["--data", "a=PHOTOS", "--out", "OUT"]),
    ],
)
def test_a_device_that_is_not_there_is_refused_before_anything_is_written(shop, verb, words):
    places = {"PHOTOS": str(shop / "photos/tea"), "OUT": str(shop / "o")}
    shutil.copy(shop / "photos/tea/1.png", shop / "photos/tea/2.png")  # a set has two or more
    tool = importlib.import_module(f"rpc.cli.{verb}")
    with pytest.raises(ValueError, match=f"device {ABSENT}: torch sees no GPU"):
        tool.main([*(places.get(word, word) for word in words), "--device", ABSENT])
    assert not (shop / "o").exists()
