"""What a system changes in a counter: chosen on val, measured on test."""

import importlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from rpc.data.dataset import Annotation, Dataset, ImageInfo
from rpc.data.files import DataError
from rpc.data.taxonomy import Category, Taxonomy
from rpc.structures import Detections

NAMES = ("beef", "spicy beef", "cola")
FAMILIES = ("noodles", "noodles", "drinks")


@pytest.fixture
def report(monkeypatch):
    return importlib.import_module("rpc.pipelines.recognition.fusion")


def trays_of_look_alikes(report, seed, system=0.95):
    """Ten trays of four items; the counter does not tell beef from spicy beef, the system may."""
    rng = np.random.default_rng(seed)
    taxonomy = Taxonomy(
        [
            Category(n + 1, name, family=kind)
            for n, (name, kind) in enumerate(zip(NAMES, FAMILIES, strict=True))
        ]
    )
    boxes = np.array([[20.0 * n, 0, 20 * n + 15, 15] for n in range(4)])
    images, items, seen = [], [], []
    for tray in range(10):
        truth = rng.integers(3, size=4)
        own = np.full((4, 4), 0.02)
        own[truth == 2, 2] = 0.94
        own[truth != 2, :2] = 0.48
        own[truth != 2, 0] += 0.01  # in doubt it says beef
        scores = np.full((1, 4, 2), 0.0)
        knows = truth < 2
        said = np.where(rng.random(4) < system, truth, 1 - truth)
        scores[0, np.flatnonzero(knows), said[knows]] = 4.0
        images.append(ImageInfo(tray, f"{tray}.jpg", 100, 50, "easy"))
        for place, label in enumerate(truth.tolist()):
            number = len(items)
            items.append(Annotation(number, tray, label + 1, tuple(boxes[place]), 225.0))
        found = Detections(boxes, np.full(4, 0.9), np.zeros(4, np.int64))
        seen.append(report.SeenBoxes(found, own / own.sum(1, keepdims=True), scores, truth))
    return report.Looked(Dataset(images, items, taxonomy, Path("trays.json")), seen)


def told(report, system):
    trays = {
        "val": trays_of_look_alikes(report, 0, system),
        "test": trays_of_look_alikes(report, 1, system),
    }
    classifier = SimpleNamespace(names=NAMES[:2], margin=0.04, turns=1)
    choice = report.choose(trays["val"], NAMES, classifier)
    store = SimpleNamespace(taxonomy=trays["test"].dataset.taxonomy)
    return choice, report.measure(trays, choice, store)


def test_a_system_that_tells_look_alikes_apart_lowers_what_is_wrong_within_families(report):
    choice, result = told(report, 1.0)
    rows = result["methods"]
    assert choice.ensemble.fusion.weight > 0
    assert rows["the counter's own"]["within_families"] > 5
    assert rows["both"]["within_families"] == 0
    assert rows["both"]["cAcc"] == 1.0 > rows["the counter's own"]["cAcc"]
    assert rows["both"]["between_families"] == 0


def test_a_system_that_guesses_gets_no_say(report):
    choice, result = told(report, 0.5)
    assert choice.ensemble.fusion.weight <= 0.1
    rows = result["methods"]
    assert rows["both"]["right"] == pytest.approx(rows["the counter's own"]["right"], abs=2)


def test_the_page_has_a_row_for_each_way_to_name(report, tmp_path):
    _, result = told(report, 1.0)
    report.write_page(tmp_path, {**result, "system": "baseline", "data": {"name": "shop"}})
    text = (tmp_path / "ensemble.md").read_text()
    assert text.count("\n| ") == 4
    assert "| both | 100.0 % | 0.00 |" in text


def test_a_val_without_an_item_that_the_system_knows_is_told(report):
    val = trays_of_look_alikes(report, 0)
    classifier = SimpleNamespace(names=("soap", "milk"), margin=0.04, turns=1)
    with pytest.raises(DataError, match="nothing to choose on"):
        report.choose(val, NAMES, classifier)
