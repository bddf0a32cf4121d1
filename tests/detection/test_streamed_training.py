"""Training on scenes that are made while it runs: none twice, and exact after a stop."""

import itertools
import os
import signal

import numpy as np
import pytest
import torch

from rpc.data import DataError
from rpc.data.scene_stream import TrainingScene
from rpc.detection import loops, streamed_dataset
from rpc.detection.model_file import load_model
from rpc.detection.streamed_dataset import SceneOrder
from rpc.detection.train import TrainingRunner, build_config, train
from tests.detection.drawn_store import SKUS

CONFIG = "configs/rtmdet_tiny_rpc.py"
SIDE = 64


class Squares:
    """One bright square on a noisy tray, by the scene's number; see `SceneSource`."""

    taxonomy, fingerprint, count = SKUS, "squares", None

    def scene(self, index):
        rng = np.random.default_rng([7, index])
        x, y = rng.integers(2, SIDE - 26, 2)
        rgb = rng.integers(80, 120, (SIDE, SIDE, 3), dtype=np.uint8)
        label = int(rng.integers(len(SKUS)))
        rgb[y : y + 24, x : x + 24] = (250, 60 * label, 30)
        box = np.array([[x, y, x + 24, y + 24]], dtype=np.float64)
        return TrainingScene(box, np.array([label]), SIDE, SIDE, lambda: rgb)


@pytest.fixture
def config_of(tiny_store, tiny_options):
    def build(iterations=4, source=None, **options):
        changes = {"val_cfg": None} | {k.replace("__", "."): v for k, v in options.items()}
        return build_config(
            CONFIG, tiny_store, source or Squares(), tiny_options | changes, iterations=iterations
        )

    return build


@pytest.fixture
def seen(monkeypatch):
    """Numbers of the scenes of every batch, and their pixels."""
    batches, work = [], loops.TimedTrainLoop._run_iter

    def noted(self, batch):
        numbers = [sample.img_id for sample in batch["data_samples"]]
        batches.append((numbers, torch.stack(list(batch["inputs"]))))
        work(self, batch)

    monkeypatch.setattr(loops.TimedTrainLoop, "_run_iter", noted)
    return batches


def same_weights(one, other):
    first, second = load_model(one).state_dict, load_model(other).state_dict
    return all(torch.equal(value, second[name]) for name, value in first.items())


def test_stopped_and_with_other_workers_a_training_sees_the_same_new_scenes_and_ends_alike(
    config_of, tmp_path, seen, monkeypatch
):
    options = {"train_dataloader__batch_size": 3}
    whole = train(config_of(4, **options), tmp_path / "whole", scenes=Squares())
    assert [number for numbers, _ in seen for number in numbers] == list(range(12))
    work, counter = loops.TimedTrainLoop._run_iter, itertools.count(1)

    def interrupted(self, batch):
        work(self, batch)
        if next(counter) == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(loops.TimedTrainLoop, "_run_iter", interrupted)
    helped = config_of(4, **options)
    helped.train_dataloader.num_workers = 2
    with pytest.raises(KeyboardInterrupt):
        train(helped, tmp_path / "parts", scenes=Squares())
    parts = train(helped, tmp_path / "parts", resume=True, scenes=Squares())
    assert len(seen) == 8
    for (numbers, pixels), (again, others) in zip(seen[:4], seen[4:], strict=True):
        assert numbers == again
        assert torch.equal(pixels, others)
    assert same_weights(whole, parts)

    other = Squares()
    other.fingerprint = "others"
    with pytest.raises(DataError, match="a training on other scenes"):
        train(config_of(5, other), tmp_path / "parts", resume=True, scenes=other)


def test_the_source_must_be_given_and_show_the_stores_skus(config_of, tiny_store, tmp_path):
    with pytest.raises(DataError, match="its config streams scenes"):
        train(config_of(1), tmp_path)
    other = Squares()
    other.taxonomy = type(SKUS)(SKUS.categories[:1])
    with pytest.raises(DataError, match="composed scenes of another store"):
        config_of(1, other)
    assert config_of(1, other, agnostic=True).train_dataloader.dataset.agnostic
    assert TrainingRunner.scenes is None


def test_processes_that_train_together_share_out_the_scenes(monkeypatch):
    drawn = []
    for rank in range(3):
        monkeypatch.setattr(streamed_dataset, "get_dist_info", lambda rank=rank: (rank, 3))
        order = SceneOrder(range(10**9))
        order.begin(4)
        drawn += itertools.islice(order, 5)
    assert sorted(drawn) == list(range(12, 27))
