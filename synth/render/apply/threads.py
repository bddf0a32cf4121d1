"""Cores shared out: so many processes, and so many threads in each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import cv2
import torch

from rpc.data.parallel import available_cores
from synth.render.apply.renderer import Kind

_CORES_OF_NETWORK: Final = 4  # a network's threads gain little beyond that


def share_cores(kind: Kind, workers: int | None, *, gpu: bool = False) -> tuple[int, int]:
    """Processes, and torch threads in each, so that together they use the cores once.

    Args:
        kind: of the renderer; a network gets up to four cores a process.
        workers: processes asked for; None for the usual number.
        gpu: whether networks run on a GPU, where one process is enough for a learned renderer.
    """
    cores = available_cores()
    if workers is None and kind == "classical":
        workers = cores
    elif workers is None:
        workers = 1 if gpu else -(-cores // _CORES_OF_NETWORK)
    return workers, max(1, cores // workers)


@contextmanager
def some_threads(torch_threads: int) -> Iterator[None]:
    """One thread for OpenCV, some for torch, in the block: workers share the cores."""
    before = cv2.getNumThreads(), torch.get_num_threads()
    cv2.setNumThreads(1)
    torch.set_num_threads(torch_threads)
    try:
        yield
    finally:
        cv2.setNumThreads(before[0])
        torch.set_num_threads(before[1])
