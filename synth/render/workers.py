"""Who renders the chunks: this process or several."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Final

from rpc.data.files import DataError
from synth.render.chunks import Job, chunk_of, render_chunk
from synth.render.scenes import SceneFolder

_GO_ON: Final = "run the same command again to go on"


def run_chunks(job: Job, scenes: SceneFolder, chunks: Sequence[int], workers: int) -> Iterator[int]:
    """Render chunks; yields the number of scenes of each as it is finished, in any order.

    Raises:
        DataError: a worker died, or a chunk failed.
    """
    if workers == 1 or len(chunks) < 2:
        yield from (render_chunk(job, chunk, chunk_of(scenes, chunk)) for chunk in chunks)
        return
    # Spawned, not forked: a fork copies locks that other threads (torch, OpenCV) hold.
    pool = ProcessPoolExecutor(
        min(workers, len(chunks)),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start_worker,
    )
    waiting = list(reversed(chunks))
    running: set[Future[int]] = set()
    try:
        while waiting or running:
            while waiting and len(running) < 2 * workers:  # nobody waits, nothing piles up
                chunk = waiting.pop()
                running.add(pool.submit(render_chunk, job, chunk, chunk_of(scenes, chunk)))
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in finished)
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


def _end_with(wait_for_parent: Callable[[], Any]) -> None:
    wait_for_parent()
    os._exit(1)
