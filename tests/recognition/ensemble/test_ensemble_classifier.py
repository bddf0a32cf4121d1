"""A system that names boxes anew: what it sees, how both opinions are joined."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rpc.data.class_sets.class_folders import LabelledPhoto
from rpc.data.images import write_image
from rpc.recognition.ensemble.ensemble_classifier import (
    EnsembleClassifier,
    SystemClassifier,
    box_views,
    choose_system_temperature,
    choose_weight,
    rejoined,
    temper,
)
from rpc.recognition.systems.system import System
from rpc.recognition.training.photo_batches import seen_whole
from rpc.retrieval.gallery.fusion import Fusion


class RedOrBlue(System):
    """Tells red from blue by the middle of a photo."""

    def __init__(self):
        super().__init__(2, 32)
        self.factor = torch.nn.Parameter(torch.tensor(0.1))

    def forward(self, images):
        middle = images[:, :, 16, 16].float() * self.factor
        return torch.stack([middle[:, 0], middle[:, 2]], dim=1)

    def phases(self):
        return ()


class SaysTheSame:
    """A recogniser of three SKUs and nothing."""

    def __init__(self, row):
        self.row = np.array(row)

    def probabilities(self, rgb, boxes):
        return np.tile(self.row, (len(boxes), 1))


@pytest.fixture
def tray():
    rgb = np.full((60, 90, 3), 200, np.uint8)
    rgb[10:30, 10:40] = (255, 0, 0)
    rgb[35:55, 50:80] = (0, 0, 255)
    return rgb, np.array([[10.0, 10, 40, 30], [50, 35, 80, 55]])


def test_a_box_is_seen_as_a_photo_was_in_learning(tray, tmp_path):
    rgb = tray[0]
    rgb[12:20, 15:22] = (10, 250, 30)
    write_image(tmp_path / "tray.png", rgb)
    crop = (9.0, 9.0, 41.0, 31.0)
    learned = seen_whole(LabelledPhoto(tmp_path / "tray.png", 0, crop), 32).image
    seen = box_views(rgb, np.array([[10.0, 10.0, 40.0, 30.0]]), 32, 1 / 30)[0]
    assert np.abs(seen.numpy().transpose(1, 2, 0).astype(int) - learned).max() <= 1


def test_turns_are_quarter_turns_of_the_first(tray):
    views = box_views(*tray, 32, 0.04, turns=4).numpy().reshape(4, 2, 3, 32, 32)
    for turn in range(4):
        np.testing.assert_array_equal(views[turn], np.rot90(views[0], turn, axes=(2, 3)))


@pytest.mark.parametrize("box", [[-9, -9, 4, 5], [88, 58, 200, 90], [5, 5, 5, 5], [95, 70, 99, 80]])
def test_boxes_at_and_beyond_the_edge_give_a_view(tray, box):
    assert box_views(tray[0], np.array([box], float), 32, 0.04).shape == (1, 3, 32, 32)


def test_a_system_names_what_the_counter_does_not_tell_apart(tray):
    classifier = SystemClassifier(RedOrBlue(), ("red", "blue"), margin=0.0, turns=4)
    own = SaysTheSame([0.4, 0.4, 0.1, 0.1])
    joined = EnsembleClassifier(
        own, ("blue", "red", "green"), classifier, temperature=1.0, fusion=Fusion(0.5, 0.01)
    )
    found = joined.probabilities(*tray)
    assert found.shape == (2, 4)
    assert found[:, :3].argmax(axis=1).tolist() == [1, 0]
    np.testing.assert_allclose(found.sum(axis=1), 1)
    np.testing.assert_allclose(found[:, 3], 0.1)


def test_no_box_gives_no_row(tray):
    classifier = SystemClassifier(RedOrBlue(), ("red", "blue"), margin=0.0, turns=2)
    assert classifier.scores(tray[0], np.zeros((0, 4))).shape == (2, 0, 2)


@given(st.integers(0, 300), st.sampled_from([0.0, 0.3, 0.95]))
def test_joined_rows_sum_to_1_and_leave_nothing_as_it_was(seed, weight):
    rng = np.random.default_rng(seed)
    own, probabilities = rng.dirichlet(np.ones(5), 6), rng.dirichlet(np.ones(3), 6)
    known = np.array([2, -1, 0, 1])
    found = rejoined(own, probabilities, Fusion(weight, 0.1), known)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    np.testing.assert_allclose(found[:, -1], own[:, -1])
    if weight == 0:
        np.testing.assert_allclose(found, own, atol=1e-5)


def test_the_temperature_is_that_of_the_scores():
    rng = np.random.default_rng(0)
    truth = rng.integers(4, size=4000)
    logits = rng.normal(size=(4000, 4))
    power = np.exp(logits)
    share = power / power.sum(axis=1, keepdims=True)
    truth = np.array([rng.choice(4, p=row) for row in share])
    assert choose_system_temperature(3.0 * logits[None], truth) == pytest.approx(3.0, rel=0.2)


def test_a_useless_system_gets_no_weight_and_a_perfect_one_much():
    rng = np.random.default_rng(0)
    labels = rng.integers(3, size=300)
    own = np.full((300, 4), 0.1)
    own[np.arange(300), np.where(rng.random(300) < 0.7, labels, rng.integers(3, size=300))] = 0.7
    known = np.arange(3)
    noise = np.eye(3)[rng.integers(3, size=300)] * 0.9 + 0.1 / 3
    perfect = np.eye(3)[labels] * 0.97 + 0.01
    assert choose_weight(own, noise, known, labels).weight <= 0.05
    assert choose_weight(own, perfect, known, labels).weight >= 0.9


def test_what_does_not_fit_is_told():
    with pytest.raises(ValueError, match="2 names"):
        SystemClassifier(RedOrBlue(), ("red",), margin=0.0)
    with pytest.raises(ValueError, match="above 0"):
        temper(np.zeros((1, 1, 2)), 0.0)
    with pytest.raises(ValueError, match="one box"):
        choose_system_temperature(np.zeros((1, 0, 2)), np.zeros(0, np.int64))
