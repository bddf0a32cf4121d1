"""A training's data workers: deaf to the group's signals, and missed where they were killed."""

import os
import signal
import time

import cv2
import numpy as np
import pytest
import torch
from torch.utils.data import IterableDataset

from rpc.data.files import DataError
from rpc.runs.data_workers import TrainingLoader


class Pids(IterableDataset):
    """The worker's process, again and again."""

    def __iter__(self):
        while True:
            yield os.getpid()


def loader(**more):
    return TrainingLoader(Pids(), batch_size=None, num_workers=1, prefetch_factor=2, **more)


def test_a_worker_is_not_ended_by_ctrl_c_or_a_group_s_sigterm():
    batches = iter(loader())
    pid = next(batches)
    assert pid != os.getpid()
    for number in (signal.SIGINT, signal.SIGHUP):
        os.kill(pid, number)
    os.system(f"kill -TERM {pid}")  # from another process than the worker's parent
    time.sleep(0.1)
    assert {next(batches) for _ in range(20)} == {pid}


def test_a_killed_worker_is_told_where_a_batch_is_wanted():
    batches = iter(loader(timeout=2))  # the first batch comes within it on a busy machine, too
    before = signal.getsignal(signal.SIGCHLD)
    pid = next(batches)
    os.kill(pid, signal.SIGKILL)
    time.sleep(0.2)
    torch.ones(2) + 1  # nothing is raised in the middle of other work
    assert signal.getsignal(signal.SIGCHLD) == before
    with pytest.raises(DataError, match="memory was full; what was learned is kept") as told:
        list(batches)
    assert "\n" not in str(told.value)


class Threads(torch.utils.data.Dataset):
    """How many threads OpenCV has in the worker."""

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return cv2.getNumThreads()


def test_workers_are_forked_without_threads_of_opencv():
    before = cv2.getNumThreads()
    cv2.setNumThreads(2)
    try:
        cv2.GaussianBlur(np.zeros((3000, 3000, 3), np.uint8), (0, 0), 5)  # starts them
        made = TrainingLoader(Threads(), batch_size=1, num_workers=1, timeout=20)
        assert [int(batch) for batch in made] == [1, 1]
        assert cv2.getNumThreads() == 2
    finally:
        cv2.setNumThreads(before)


def test_without_workers_it_is_torch_s_own():
    made = TrainingLoader([1, 2, 3, 4], batch_size=2, num_workers=0)
    assert [batch.tolist() for batch in made] == [[1, 2], [3, 4]]
