from contextlib import nullcontext
from pathlib import Path

import pytest
import torch

from rpc.data.files import DataError
from rpc.runs import processes
from rpc.runs.processes import has_fast_bfloat16, joined


@pytest.fixture
def gpus(monkeypatch):
    """Two GPUs, as far as torch is asked."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)


@pytest.mark.usefixtures("gpus")
@pytest.mark.parametrize(("name", "kind"), [("auto", "cuda"), ("cpu", "cpu"), ("cuda:1", "cuda:1")])
def test_one_process_computes_where_it_is_asked_to(monkeypatch, name, kind):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with joined(name) as alone:
        assert (alone.rank, alone.size, alone.device) == (0, 1, torch.device(kind))


def test_a_gpu_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DataError, match="no GPU"), joined("cuda"):
        pass


@pytest.mark.usefixtures("gpus")
@pytest.mark.parametrize(
    ("name", "device", "backend"),
    [("auto", "cuda:1", "nccl"), ("cuda", "cuda:1", "nccl"), ("cpu", "cpu", "gloo")],
)
def test_one_of_several_processes_takes_the_gpu_of_its_rank(monkeypatch, name, device, backend):
    began = []
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setattr(torch.cuda, "set_device", lambda device: None)
    monkeypatch.setattr(processes.distributed, "init_process_group", began.append)
    monkeypatch.setattr(processes.distributed, "destroy_process_group", lambda: None)
    monkeypatch.setattr(processes.distributed, "get_rank", lambda: 1)
    with joined(name) as one:
        assert (one.rank, one.size, one.device) == (1, 2, torch.device(device))
    assert began == [backend]


@pytest.mark.usefixtures("gpus")
def test_several_processes_do_not_share_one_gpu(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(DataError, match="takes the GPU of its rank"), joined("cuda:1"):
        pass


@pytest.mark.usefixtures("gpus")
@pytest.mark.parametrize("flags", ["fpu avx2", "fpu avx2 avx512_bf16"])
@pytest.mark.parametrize("gpu", [True, False])
def test_fast_bfloat16_is_a_matter_of_the_device_that_is_asked_for(monkeypatch, flags, gpu):
    looked_at = []
    monkeypatch.setattr(torch.cuda, "device", lambda one: looked_at.append(one) or nullcontext())
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: gpu)
    monkeypatch.setattr(Path, "read_text", lambda path, encoding: flags)
    assert has_fast_bfloat16("cpu") == has_fast_bfloat16(torch.device("cpu")) == ("bf16" in flags)
    assert looked_at == []
    assert has_fast_bfloat16("cuda:1") is gpu
    assert looked_at == [torch.device("cuda:1")]
