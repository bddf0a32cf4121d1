"""The device of a request reaches what runs the networks: fuse, starts, the store's job."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from rpc.pipelines import starts
from rpc.pipelines.recognition import fuse
from rpc.pipelines.starts import StartRequest
from rpc.pipelines.store_job import scenes, training
from rpc.pipelines.store_job.job import Job
from tests.cli.small_shop import make_store


class ReachedError(Exception):
    """What takes the device was called."""


@pytest.fixture(autouse=True)
def gpus(monkeypatch):
    """Two GPUs, as far as torch is asked, and a processor without fast bfloat16."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    for module in (starts, training):
        monkeypatch.setattr(module, "has_fast_bfloat16", lambda device: device != "cpu")


@pytest.mark.parametrize("name", ["cpu", "cuda:1"])
def test_a_fusion_runs_both_recognisers_on_its_device(monkeypatch, tmp_path, name):
    given = []

    def load_checkout(path, device):
        given.append(device)
        return SimpleNamespace(recogniser=object())

    def classifier(system, *args, **options):
        raise ReachedError

    system = SimpleNamespace(to=given.append)
    saved = SimpleNamespace(classes=("cola",), build=lambda: system)
    store = SimpleNamespace(taxonomy=SimpleNamespace(names=("cola",)))
    monkeypatch.setattr(fuse.Store, "open", lambda path: store)
    monkeypatch.setattr(fuse, "load_checkout", load_checkout)
    monkeypatch.setattr(fuse, "load_model", lambda path: None)
    monkeypatch.setattr(fuse, "check_taxonomy", lambda model, taxonomy: None)
    monkeypatch.setattr(fuse, "read_model", lambda path: saved)
    monkeypatch.setattr(fuse, "SystemClassifier", classifier)
    request = fuse.FusionRequest(tmp_path, tmp_path, tmp_path, tmp_path, device=name)
    with pytest.raises(ReachedError):
        fuse.fuse_recogniser(request)
    assert given == [name, torch.device(name)]


@pytest.mark.parametrize("name", ["cpu", "cuda:1"])
@pytest.mark.parametrize("part", ["detector", "recogniser"])
def test_a_start_is_trained_on_its_device_in_its_precision(monkeypatch, tmp_path, name, part):
    given = _note_trainings(monkeypatch, starts)
    monkeypatch.setattr(starts, "_scenes", lambda request: tmp_path)
    with pytest.raises(ReachedError):
        starts.make_start(StartRequest(part, tmp_path, device=name))
    assert given == {"device": name, "fast": name != "cpu"}


@pytest.mark.parametrize("name", ["cpu", "cuda:1"])
@pytest.mark.parametrize("step", ["detector", "recogniser"])
def test_a_job_trains_on_its_device_in_its_precision(monkeypatch, tmp_path, name, step):
    given = _note_trainings(monkeypatch, training)
    job = Job(make_store(tmp_path / "store"), tmp_path / "out", device=name, scenes=1)
    with pytest.raises(ReachedError):
        dict(training.training_steps(job))[step]()
    assert given == {"device": name, "fast": name != "cpu"}


def test_a_job_measures_apparent_sizes_on_its_device(monkeypatch, tmp_path):
    devices = []
    monkeypatch.setattr(scenes, "_val_items", lambda job, progress: iter(()))
    monkeypatch.setattr(scenes, "read_cutouts", lambda folder: None)
    monkeypatch.setattr(scenes, "Embedder", lambda device: devices.append(device))

    def estimate(cutouts, crops, sides, embedder):
        assert (crops, embedder) == ([], None)
        assert isinstance(sides, np.ndarray)
        raise ReachedError

    monkeypatch.setattr(scenes, "estimate_sizes", estimate)
    job = Job(make_store(tmp_path / "store"), tmp_path / "out", device="cuda:1")
    with pytest.raises(ReachedError):
        dict(scenes.scene_steps(job))["trays"]()
    assert devices == ["cuda:1"]


def _note_trainings(monkeypatch, module):
    """What a module's trainings are given, instead of being run."""
    given = {}

    def config(*args, amp, device, **options):
        given.update(device=device, fast=amp)
        raise ReachedError

    def recogniser(*args, device, **options):
        given.update(device=device, fast=args[2].bfloat16)
        raise ReachedError

    monkeypatch.setattr(module, "build_config", config)
    monkeypatch.setattr(module, "train_recogniser", recogniser)
    return given
