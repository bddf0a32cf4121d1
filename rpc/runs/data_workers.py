"""torch's DataLoader for trainings that can be stopped at any moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from unittest import mock

import cv2
from torch.utils.data import DataLoader
from torch.utils.data._utils import signal_handling

from rpc.data.files import DataError
from rpc.data.worker_processes import end_with_parent, signals_left_to_parent

T = TypeVar("T", covariant=True)


class TrainingLoader(DataLoader[T]):
    """A DataLoader whose workers leave signals to the training, and end with it.

    A worker that was killed shows as a DataError where a batch is asked for: torch alone would
    raise it in the middle of an optimiser's step, from a handler of SIGCHLD.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        options["worker_init_fn"] = _Start(options.get("worker_init_fn"))
        super().__init__(*args, **options)

    def __iter__(self) -> Any:
        """Start the workers; the batches.

        Raises:
            DataError: a worker was killed.
        """
        without_handler = mock.patch.object(
            signal_handling, "_SIGCHLD_handler_set", new=True, create=True
        )
        with signals_left_to_parent(), without_handler, _no_cv2_threads():
            batches = super().__iter__()
        return _checked(batches) if self.num_workers else batches


class _Start:
    """The first thing that a worker does; picklable, for workers that are spawned."""

    def __init__(self, then: Callable[[int], None] | None) -> None:
        self.then = then

    def __call__(self, number: int) -> None:
        end_with_parent()
        if self.then is not None:
            self.then(number)


@contextmanager
def _no_cv2_threads() -> Iterator[None]:
    """End OpenCV's threads while workers are forked.

    A worker has none of them, but would wait for them for ever where it sets another number.
    """
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)  # 0 would leave those that wait
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def _checked(batches: Iterator[T]) -> Iterator[T]:
    """The batches.

    Raises:
        DataError: a worker was killed.
    """
    try:
        yield from batches
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        raise DataError(
            "training: a process that prepares images was killed, most likely by the system "
            "because the memory was full; what was learned is kept: close other programs, or take "
            "fewer workers or smaller batches, and run again to go on"
        ) from error
