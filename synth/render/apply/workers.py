"""Who renders the chunks: this process or several."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait

from rpc.data.parallel import process_pool
from synth.render.apply.chunks import Job, chunk_of, render_chunk
from synth.render.apply.scenes import SceneFolder


def run_chunks(job: Job, scenes: SceneFolder, chunks: Sequence[int], workers: int) -> Iterator[int]:
    """Render chunks; yields the number of scenes of each as it is finished, in any order.

    Raises:
        DataError: a worker died, or a chunk failed.
    """
    if workers == 1 or len(chunks) < 2:
        yield from (render_chunk(job, chunk, chunk_of(scenes, chunk)) for chunk in chunks)
        return
    waiting = list(reversed(chunks))
    running: set[Future[int]] = set()
    with process_pool(min(workers, len(chunks)), job.out) as pool:
        while waiting or running:
            while waiting and len(running) < 2 * workers:  # nobody waits, nothing piles up
                chunk = waiting.pop()
                running.add(pool.submit(render_chunk, job, chunk, chunk_of(scenes, chunk)))
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in finished)
