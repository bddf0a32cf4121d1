import pytest
import torch

from rpc.data.files import DataError
from rpc.runs.devices import resolve_device


def _with_gpus(monkeypatch, count):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)


@pytest.mark.parametrize(
    ("name", "gpus", "device"),
    [
        ("auto", 0, "cpu"),
        ("auto", 1, "cuda"),
        ("cpu", 1, "cpu"),
        ("cuda", 1, "cuda"),
        ("cuda:1", 2, "cuda:1"),
        (torch.device("meta"), 0, "meta"),
    ],
)
def test_a_name_gives_its_device(monkeypatch, name, gpus, device):
    _with_gpus(monkeypatch, gpus)
    assert resolve_device(name) == torch.device(device)


@pytest.mark.parametrize(
    "name", ["gpu", "", "cuda:999", "CPU", "cuda:", "cuda:-1", "meta", "auto "]
)
def test_an_unknown_name_is_refused_with_the_known_ones(name):
    with pytest.raises(DataError, match=r"device '.*': expected auto, cpu, cuda or .* cuda:1$"):
        resolve_device(name)


@pytest.mark.parametrize(
    ("name", "gpus", "seen"),
    [("cuda", 0, "no GPU"), ("cuda:0", 0, "no GPU"), ("cuda:2", 2, "cuda:0 to cuda:1")],
)
def test_a_missing_gpu_is_refused_with_what_is_there(monkeypatch, name, gpus, seen):
    _with_gpus(monkeypatch, gpus)
    with pytest.raises(DataError, match=f"device {name}: torch sees {seen} on this machine"):
        resolve_device(name)
