"""Batches made ahead by threads while the network works: the same batches in the same order."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from rpc.recognition.systems.system import Batch
from rpc.recognition.training.photo_batches import HowMany, PhotoBatches


class BatchesAhead(PhotoBatches):
    """The batches of another `PhotoBatches`, prepared some steps early.

    A batch is a function of the seed, the phase and the step: how many threads there are changes
    when it is made, not what is in it. Decoding and warping leave Python's lock.

    Args:
        batches: what is made.
        workers: threads, which are also so many batches ahead.
    """

    def __init__(self, batches: PhotoBatches, workers: int) -> None:
        super().__init__(
            batches.examples,
            batches.side,
            batches.augmentation,
            rank=batches.rank,
            processes=batches.processes,
        )
        self._pool = ThreadPoolExecutor(workers)
        self._workers = workers
        self._waiting: dict[tuple[int, int, int, int], Future[Batch]] = {}

    def batch(self, settings: HowMany, phase: int, step: int) -> Batch:
        """Batch `step`; the next ones are begun."""
        wanted = [
            (settings.seed, settings.batch_size, phase, step + ahead)
            for ahead in range(self._workers + 1)
        ]
        for stale in self._waiting.keys() - set(wanted):
            self._waiting.pop(stale).cancel()
        for key in wanted:
            if key not in self._waiting:
                self._waiting[key] = self._pool.submit(super().batch, settings, phase, key[-1])
        return self._waiting.pop(wanted[0]).result()

    def close(self) -> None:
        """Drop what has not begun, and end the threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def made_ahead(batches: PhotoBatches, workers: int) -> Iterator[PhotoBatches]:
    """The batches, made ahead by so many threads; none with 0."""
    if workers == 0:
        yield batches
        return
    ahead = BatchesAhead(batches, workers)
    try:
        yield ahead
    finally:
        ahead.close()
