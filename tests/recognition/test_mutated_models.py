"""Files of recognition systems and of the joining with a counter: refused in one line, or whole."""

import json

import numpy as np
import pytest
import torch

from rpc.data import DataError
from rpc.recognition.ensemble.ensemble_file import (
    CHOICE,
    EnsembleChoice,
    read_ensemble,
    write_ensemble,
)
from rpc.recognition.systems.registry import SystemSettings, build_system
from rpc.recognition.training.model_file import read_model, write_model
from rpc.retrieval.gallery.fusion import Fusion
from rpc.runs.tensor_files import read_tensors
from tests.runs.mutations import COUNT, changed, mutated, nothing_foreign, random_place

SETTINGS = SystemSettings("isqrt", 32, {"width": 4, "iterations": 2})


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("system") / "model.pth"
    system = build_system(SETTINGS, 3, pretrained=False)
    return write_model(path, system, SETTINGS, ("a", "b", "c"), {"seed": 3})


@pytest.fixture(scope="module")
def content(path):
    return read_tensors(path)


def answer(read, path):
    try:
        read(path)
    except DataError as error:
        told = str(error)
    else:
        return None
    assert "\n" not in told
    assert len(told) < 600
    return told


def test_any_change_of_a_systems_file_is_refused_or_harmless(content, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused = 0
    with nothing_foreign(tmp_path):
        for number in range(COUNT // 4):
            rng = np.random.default_rng([23, number])
            part = dict(content)
            if number % 2:  # the settings, not the weights that are many
                name = ("options", "classes", "origin", "side", "system")[rng.integers(5)]
                part[name] = changed({name: part[name]}, [name], rng).get(name)
                if isinstance(content[name], dict | list) and rng.random() < 0.7:
                    part[name] = changed(content[name], random_place(content[name], rng), rng)
            else:
                part = mutated(part, rng)
            torch.save(part, "a.pth")
            refused += answer(lambda path: read_model(path).build(), "a.pth") is not None
    assert refused > COUNT // 10


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"system": "planted_module.run"}, "expected one of baseline"),
        ({"options": {"backbone": "hf-hub:someone/x"}}, "hf-hub:someone/x: unknown"),
        ({"options": {"backbone": "local-dir:."}}, "local-dir:.: unknown"),
        ({"options": {"backbone": "./planted_module.pth"}}, "unknown"),
        ({"options": {"width": 10**9}}, "width: expected 1 to 100000"),
        ({"options": {"width": 10**400}}, "width: expected"),
        ({"options": {"width": 50_000}}, "larger than the file's"),
        ({"options": {"widht": 4}}, "did you mean 'width'"),
        ({"side": 10**9}, "a side of 32 to 4096 px"),
        ({"side": None}, "expected 'side', int"),
        ({"classes": []}, "classes: expected the names of one class or more"),
        ({"classes": ["a", None, "c"]}, "classes: expected the names"),
        ({"origin": {"x": torch.zeros(2)}}, "origin.x: expected plain values"),
        ({"state": {"a": 3}}, "'a': expected a tensor"),
        ({"version": 2}, "version 2, expected 1"),
    ],
)
def test_what_a_system_cannot_be_is_told(content, tmp_path, monkeypatch, changes, told):
    monkeypatch.chdir(tmp_path)
    with nothing_foreign(tmp_path):
        torch.save(content | changes, "a.pth")
        assert told in answer(lambda path: read_model(path).build(), "a.pth")


def test_any_change_of_what_was_chosen_for_a_counter_is_refused_or_harmless(path, tmp_path):
    rule = {"threshold": 0.3, "nms_iou": 0.6, "agnostic_iou": 1.0, "containment": 1.0}
    chosen = EnsembleChoice(Fusion(0.4, 0.2), 0.7, 0.1, 4, ("a", "b"), {**rule, "max_items": 9})
    write_ensemble(tmp_path, path, chosen, {})
    plain = json.loads((tmp_path / CHOICE).read_text())
    assert read_ensemble(tmp_path)[1] == chosen
    refused = 0
    for number in range(COUNT // 8):
        rng = np.random.default_rng([29, number])
        part = changed(plain, random_place(plain, rng), rng)
        text = json.dumps(part, default=lambda value: "tensor")
        (tmp_path / CHOICE).write_text(text)
        refused += answer(read_ensemble, tmp_path) is not None
    assert refused > COUNT // 20
