"""Who does the chunks: this process, several processes, or a Ray cluster."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Final, Literal

from rpc.data.files import DataError
from synth.compose.chunks import Job, compose_chunk

Executor = Literal["serial", "process", "ray"]
EXECUTORS: Final[tuple[Executor, ...]] = ("serial", "process", "ray")

_GO_ON = "run the same command again to go on"


def run_chunks(job: Job, chunks: Sequence[int], executor: Executor, workers: int) -> Iterator[int]:
    """Compose chunks; yields the number of scenes of each as it is finished, in any order.

    Raises:
        DataError: an unknown executor, Ray is missing, a worker died, or a chunk failed.
    """
    if executor not in EXECUTORS:
        raise DataError(f"executor {executor!r}: expected one of {', '.join(EXECUTORS)}")
    if executor == "ray":
        yield from _run_ray(job, chunks)
    elif executor == "serial" or workers == 1 or len(chunks) < 2:
        yield from (compose_chunk(job, chunk) for chunk in chunks)
    else:
        yield from _run_processes(job, chunks, min(workers, len(chunks)))


def _run_processes(job: Job, chunks: Sequence[int], workers: int) -> Iterator[int]:
    # Spawned, not forked: a fork copies locks that other threads (progress bars, OpenCV) hold.
    pool = ProcessPoolExecutor(
        workers, mp_context=multiprocessing.get_context("spawn"), initializer=_start_worker
    )
    try:
        futures: list[Future[int]] = [pool.submit(compose_chunk, job, chunk) for chunk in chunks]
        for future in as_completed(futures):
            yield future.result()
    except BrokenProcessPool as error:
        raise DataError(
            f"{job.out}: a worker process was killed (out of memory?): {_GO_ON}, "
            "with fewer workers if it happens again"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _start_worker() -> None:
    """Leave Ctrl-C to the parent, and end with it even when it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.join,), daemon=True).start()


def _end_with(wait: Callable[[], None]) -> None:
    wait()
    os._exit(1)


def _run_ray(job: Job, chunks: Sequence[int]) -> Iterator[int]:
    """On a Ray cluster: all machines must see the same folders (a shared file system)."""
    ray = _import_ray()
    if not ray.is_initialized():
        ray.init(log_to_driver=False, include_dashboard=False)
    task = ray.remote(compose_chunk)
    # Twice as many chunks in flight as there are cores: nobody waits, nothing piles up.
    limit = max(2, 2 * int(ray.cluster_resources().get("CPU", 1)))
    waiting, running = list(reversed(chunks)), []
    try:
        while waiting or running:
            while waiting and len(running) < limit:
                running.append(task.remote(job, waiting.pop()))
            done, running = ray.wait(running)
            yield from ray.get(done)
    except ray.exceptions.RayTaskError as error:
        cause = error.cause
        if isinstance(cause, DataError):
            raise DataError(str(cause)) from error
        raise
    except ray.exceptions.RayError as error:
        raise DataError(
            f"{job.out}: Ray lost a worker ({type(error).__name__}): {_GO_ON}"
        ) from error
    finally:
        for reference in running:
            ray.cancel(reference)


def _import_ray() -> Any:
    try:
        import ray
    except ImportError as error:
        raise DataError(
            "executor 'ray': Ray is not installed; pip install 'rpc-checkout[ray]', "
            "or use executor 'process'"
        ) from error
    return ray
