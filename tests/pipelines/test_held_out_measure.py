"""Held-out products measured from photos to rows: each photo is observed once, nothing changes."""

import importlib

import pytest

from rpc.data.store import Store
from rpc.detection import runtime
from rpc.recognition.local_look import LocalLook
from rpc.recognition.word_look import WordLook
from rpc.retrieval.descriptors.product_crops import crop_products
from rpc.structures.readings import PackText, Reading
from tests.pipelines.drawn_held_out import (
    NEW,
    MeanColours,
    counter,
    make_gallery,
    make_store,
)

METHODS = ("gallery", "gallery and recogniser", "recogniser alone")
KINDS = ("pictures", "words", "pictures and words")


class Plain:
    """Items that remember nothing: every look crops and observes anew."""

    def __init__(self, photo, boxes):
        self.photo, self.boxes = photo, boxes

    def observed(self, look, rows):
        return [look.observe(crop) for crop in crop_products(self.photo(), self.boxes[rows])]


def reads(crop):
    """A word by the colour of the middle: sometimes another pack's."""
    colour = crop[crop.shape[0] // 2, crop.shape[1] // 2].astype(int)
    return PackText((Reading(("red", "green", "blue")[int(colour.argmax())], 0.6),))


def counted(observe, asked):
    def observed(self, crop):
        asked.append(crop.shape)
        return observe(self, crop)

    return observed


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("held_out")
    make_store(root / "store")
    make_gallery(root / "gallery")
    return root


@pytest.fixture
def measured(folder, monkeypatch):
    runtime.setup()
    report = importlib.import_module("rpc.pipelines.gallery.held_out_report")
    monkeypatch.setattr(report, "load_checkout", lambda *_, **__: counter())
    monkeypatch.setattr("rpc.checkout.words.missing_reader", lambda: "")
    monkeypatch.setattr("rpc.checkout.words.shared_reader", lambda: reads)
    (folder / "model.pth").write_bytes(b"a model")
    asked = []
    for look in (LocalLook, WordLook):
        monkeypatch.setattr(look, "observe", counted(look.observe, asked))
    store = Store.open(folder / "store")

    def run(items=None, **settings):
        asked.clear()
        if items is not None:
            monkeypatch.setattr("rpc.pipelines.gallery.counting.ObservedItems", items)
        result = report.measure(
            store, [NEW], folder / "model.pth", folder / "gallery", MeanColours(), **settings
        )
        return result, len(asked)

    return run


def test_observed_once_or_anew_for_every_row_the_figures_are_the_same(measured):
    once, few = measured(words=True, pictures=True)
    anew, many = measured(Plain, words=True, pictures=True)
    assert once["methods"] == anew["methods"]
    boxes = 21 + 11  # of val and test
    assert few <= 2 * boxes < many
    ways = [f"{method}, {kind}" for method in METHODS for kind in KINDS]
    assert set(once["methods"]) == {"gallery, descriptors as they are", *METHODS, *ways}
    rows = once["methods"]
    assert rows["recogniser alone"]["naming"]["new"] == 0  # nothing can name it
    assert rows["gallery"]["naming"]["new"] > 0
    assert rows["gallery, pictures"] != rows["gallery"]
    assert (once["test_trays"], once["supervision"]) == (
        {"all": 4, "with_new_skus": 3, "old_only": 1},
        "E",
    )
