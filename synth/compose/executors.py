"""Who does the chunks: this process, several processes, or a Ray cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, as_completed
from typing import Any, Final, Literal

from rpc.data.files import DataError
from rpc.data.parallel import process_pool
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
    with process_pool(workers, job.out) as pool:
        futures: list[Future[int]] = [pool.submit(compose_chunk, job, chunk) for chunk in chunks]
        for future in as_completed(futures):
            yield future.result()


def _run_ray(job: Job, chunks: Sequence[int]) -> Iterator[int]:
    """On a Ray cluster: all machines must see the same folders (a shared file system)."""
    ray = _import_ray()
    if not ray.is_initialized():
        ray.init(log_to_driver=False, include_dashboard=False)
    task = ray.remote(compose_chunk)
    # Twice as many chunks in flight as there are cores: nobody waits, nothing piles up.
    limit = max(2, 2 * int(ray.cluster_resources().get("CPU", 1)))
    waiting = list(reversed(chunks))
    running: list[Any] = []
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
