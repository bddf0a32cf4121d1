"""The figures of held-out products on trays small enough to count by hand."""

import importlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from rpc.detection import runtime
from rpc.pipelines.gallery.held_out_figures import count_accuracy, naming_accuracy

NEW = np.array([False, False, True])


@pytest.fixture
def report(monkeypatch):
    runtime.setup()
    return importlib.import_module("rpc.pipelines.gallery.held_out_report")


def test_trays_are_right_by_old_and_new_skus():
    truth = np.array([[1, 0, 0], [2, 1, 0], [1, 0, 1], [0, 1, 2]])
    predicted = np.array([[1, 0, 0], [2, 0, 0], [1, 0, 2], [0, 1, 2]])
    assert count_accuracy(predicted, truth, NEW) == {
        "all": 0.5,  # the first and the last
        "old_trays": 0.5,
        "new_trays": 0.5,
        "old_skus": 0.75,
        "new_skus": 0.5,
    }


def test_an_old_sku_read_as_a_new_one_spoils_the_old_counts():
    found = count_accuracy(np.array([[0, 0, 1]]), np.array([[1, 0, 0]]), NEW)
    assert found["old_skus"] == 0
    assert found["new_trays"] is None


def test_naming_is_judged_on_items_and_strays_on_their_rejection():
    rows = [
        np.array([[0.7, 0.1, 0.1, 0.1], [0.1, 0.2, 0.3, 0.4]]),  # right; new, named though unsure
        np.array([[0.6, 0.2, 0.1, 0.1], [0.1, 0.1, 0.1, 0.7], [0.9, 0.1, 0.0, 0.0]]),
    ]
    labels = [np.array([0, 2]), np.array([1, 4, 4])]
    found = naming_accuracy(rows, labels, NEW)
    assert (found["old"], found["new"], found["all"]) == (0.5, 1.0, pytest.approx(2 / 3))
    assert (found["old_boxes"], found["new_boxes"], found["strays_rejected"]) == (2, 1, 0.5)


@pytest.mark.parametrize(
    ("words", "pictures", "measured"),
    [
        (False, False, {}),
        (True, False, {"words": ["read"]}),
        (False, True, {"pictures": ["compare"]}),
        (
            True,
            True,
            {
                "pictures": ["compare"],
                "words": ["read"],
                "pictures and words": ["compare", "read"],
            },
        ),
    ],
)
def test_second_looks_are_measured_alone_and_in_the_order_of_counting(
    report, monkeypatch, words, pictures, measured
):
    gallery = SimpleNamespace(folder=Path("gallery"), state=None)
    monkeypatch.setattr(report, "words_of_gallery", lambda state, names: ["kept"])
    reads = lambda names, kept: (["read"] if kept else [], "")  # noqa: E731
    monkeypatch.setattr(report, "second_looks", reads)
    monkeypatch.setattr(report, "gallery_picture_looks", lambda *_: ["compare"])
    found = report.second_looks_by_kind(gallery, ("tea",), words=words, pictures=pictures)
    assert found == measured
