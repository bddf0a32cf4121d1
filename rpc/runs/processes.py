"""The processes that train together: one, or as many as torchrun started."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from rpc.data.files import DataError
from rpc.runs.devices import resolve_device


@dataclass(frozen=True)
class Processes:
    """This process among those that train together.

    Attributes:
        rank: 0 writes files and talks.
        size: how many there are.
        device: that this one computes on.
    """

    rank: int = 0
    size: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    def wrap(self, network: nn.Module) -> nn.Module:
        """The network, such that its gradients are the means over all processes."""
        return network if self.size == 1 else DistributedDataParallel(network)

    def largest(self, *values: float) -> tuple[float, ...]:
        """The largest value over all processes, one by one: what they must agree about."""
        if self.size == 1:
            return values
        shared = torch.tensor(values, dtype=torch.float64, device=self.device)
        distributed.all_reduce(shared, distributed.ReduceOp.MAX)
        return tuple(shared.tolist())

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace every gradient by its mean over all processes; a missing one counts as zero."""
        if self.size == 1:
            return
        for parameter in parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            distributed.all_reduce(parameter.grad)
            parameter.grad /= self.size

    def gather(self, value: Any) -> list[Any]:
        """Everyone's value, by rank, in process 0; empty in the others."""
        if self.size == 1:
            return [value]
        everyones: list[Any] | None = [None] * self.size if self.rank == 0 else None
        distributed.gather_object(value, everyones)
        return everyones or []


@contextmanager
def joined(device: str = "auto") -> Iterator[Processes]:
    """Join the processes that torchrun started, over NCCL on GPUs and gloo without; or be alone.

    Args:
        device: see `rpc.runs.devices`; of several processes, each takes the GPU of its rank.

    Raises:
        DataError: another device, or one GPU for several processes.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield Processes(device=resolve_device(device))
        return
    own = _device_of_rank(device, int(os.environ.get("LOCAL_RANK", "0")))
    cuda = own.type == "cuda"
    if cuda:
        torch.cuda.set_device(own)
    distributed.init_process_group("nccl" if cuda else "gloo")
    try:
        yield Processes(distributed.get_rank(), size, own)
    finally:
        distributed.destroy_process_group()


def _device_of_rank(name: str, rank: int) -> torch.device:
    """The device of one of several processes on a machine."""
    if ":" in name:
        raise DataError(
            f"device {name}: each of several processes takes the GPU of its rank; "
            "expected auto, cpu or cuda"
        )
    device = resolve_device(name)
    return resolve_device(f"cuda:{rank}") if device.type == "cuda" else device


def has_fast_bfloat16(device: str | torch.device) -> bool:
    """Whether a device multiplies bfloat16 in hardware; elsewhere mixed precision is slower.

    Args:
        device: see `rpc.runs.devices`.

    Raises:
        DataError: an unknown device.
    """
    asked = resolve_device(device)
    if asked.type == "cuda":
        with torch.cuda.device(asked):
            return bool(torch.cuda.is_bf16_supported())
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return False
    words = set(flags.split())
    return bool(words & {"avx512_bf16", "amx_bf16", "bf16"})
