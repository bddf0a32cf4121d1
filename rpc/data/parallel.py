"""Many files at once: threads, as image codecs leave Python while they work, or processes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, TypeVar

from rpc.data.files import DataError
from rpc.data.worker_processes import (
    at_work,
    break_off_workers,
    end_with_parent,
    hear_break_off,
    spawned_workers,
)

Item = TypeVar("Item")
Result = TypeVar("Result")

Progress = Callable[[int, int], None]  # done, total


def map_in_threads(
    function: Callable[[Item], Result], items: Sequence[Item], progress: Progress | None = None
) -> Iterator[Result]:
    """`function` of each item, in their order; `progress(done, total)` is called after each.

    When the caller stops early, or an item raises, what has not begun is not begun any more.
    """
    pool = ThreadPoolExecutor(max_workers=os.cpu_count() or 1)
    try:
        for done, result in enumerate(pool.map(function, items), start=1):
            if progress is not None:
                progress(done, len(items))
            yield result
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def available_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Pool(ProcessPoolExecutor):
    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        return super().submit(at_work, fn, *args, **kwargs)


@contextmanager
def process_pool(
    workers: int, where: object, start: Callable[[], object] | None = None
) -> Iterator[ProcessPoolExecutor]:
    """Processes that leave signals to their parent and end with it; what has not begun is dropped.

    Where the block ends by KeyboardInterrupt, what they are at is broken off.

    Args:
        workers: how many.
        where: what they work on, for the message.
        start: is called in each before its first task.

    Raises:
        DataError: one of them was killed.
    """
    pool = _Pool(
        workers, mp_context=spawned_workers(), initializer=_start_worker, initargs=(start,)
    )
    try:
        yield pool
    except (KeyboardInterrupt, GeneratorExit):
        break_off_workers()
        raise
    except BrokenProcessPool as error:
        raise DataError(
            f"{where}: a worker process was killed (out of memory?): run the same command again "
            "to go on, with fewer workers if it happens again"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _start_worker(start: Callable[[], object] | None) -> None:
    end_with_parent()
    hear_break_off()
    if start is not None:
        start()
