"""The folder of a joined recogniser: back as it was written; anything else is one clear line."""

import json

import numpy as np
import pytest

from rpc.data.files import DataError
from rpc.recognition.ensemble.ensemble_file import (
    CHOICE,
    MODEL,
    EnsembleChoice,
    read_ensemble,
    read_ensemble_classifier,
    write_ensemble,
)
from rpc.recognition.systems.registry import SystemSettings, build_system
from rpc.recognition.training.model_file import write_model
from rpc.retrieval.gallery.fusion import Fusion
from tests.runs.device_calls import META

SKUS = ("beef", "spicy beef", "shrimp")


class Undecided:
    """A recogniser that says the same of everything."""

    def probabilities(self, rgb, boxes):
        return np.full((len(boxes), 4), 0.25)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    settings = SystemSettings("baseline", 32)
    path = tmp_path_factory.mktemp("trained") / "best.pth"
    return write_model(path, build_system(settings, 2, pretrained=False), settings, SKUS[:2], {})


@pytest.fixture
def folder(trained, tmp_path):
    chosen = EnsembleChoice(Fusion(0.35, 0.1), 1.5, 0.04, 2, SKUS, {"threshold": 0.4})
    write_ensemble(tmp_path / "joined", trained, chosen, {"chosen_on": "val"})
    return tmp_path / "joined"


def test_it_comes_back_as_it_was_written(folder):
    classifier, ensemble = read_ensemble(folder)
    assert ensemble == EnsembleChoice(Fusion(0.35, 0.1), 1.5, 0.04, 2, SKUS, {"threshold": 0.4})
    assert classifier.names == SKUS[:2]
    assert sorted(path.name for path in folder.iterdir()) == [CHOICE, MODEL]


def test_it_names_boxes_beside_the_counter_s_own(folder):
    joined, _ = read_ensemble_classifier(folder, Undecided(), SKUS)
    rgb = np.random.default_rng(0).integers(0, 255, (40, 40, 3), dtype=np.uint8)
    found = joined.probabilities(rgb, np.array([[2.0, 3, 30, 36], [0, 0, 9, 9]]))
    assert found.shape == (2, 4)
    np.testing.assert_allclose(found.sum(axis=1), 1)


def test_another_counter_s_skus_are_refused(folder):
    with pytest.raises(DataError, match="other than the model's 2"):
        read_ensemble_classifier(folder, Undecided(), SKUS[:2])


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("format", "gallery", "expected what"),
        ("version", 9, "version 9"),
        ("weight", "much", "weight"),
        ("temperature", 0, "temperature"),
        ("turns", 7, "turns"),
        ("skus", None, "damaged"),
    ],
)
def test_a_damaged_choice_is_one_clear_line(folder, field, value, told):
    content = json.loads((folder / CHOICE).read_text())
    (folder / CHOICE).write_text(json.dumps({**content, field: value}))
    with pytest.raises(DataError, match=told) as caught:
        read_ensemble(folder)
    assert "\n" not in str(caught.value)


def test_a_folder_without_a_choice_and_a_file_that_is_no_system_are_told(folder, tmp_path):
    with pytest.raises(DataError, match=r"fusion\.json"):
        read_ensemble(tmp_path)
    (folder / MODEL).write_bytes(b"nothing")
    with pytest.raises(DataError, match=MODEL):
        read_ensemble(folder)


def test_what_is_no_system_is_not_copied(tmp_path):
    (tmp_path / "other.pth").write_bytes(b"nothing")
    chosen = EnsembleChoice(Fusion(0.35, 0.1), 1.5, 0.04, 2, SKUS)
    with pytest.raises(DataError, match=r"other\.pth"):
        write_ensemble(tmp_path / "joined", tmp_path / "other.pth", chosen, {})
    assert not (tmp_path / "joined").exists()


def test_the_system_is_put_on_the_device_that_was_asked_for(folder):
    classifier, _ = read_ensemble(folder, device=META)
    assert {p.device.type for p in classifier.system.parameters()} == {"meta"}
    joined, _ = read_ensemble_classifier(folder, Undecided(), SKUS, META)
    assert {p.device.type for p in joined.classifier.system.parameters()} == {"meta"}
    with pytest.raises(DataError, match="device 'tpu'"):
        read_ensemble(folder, device="tpu")
