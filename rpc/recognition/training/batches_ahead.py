"""Batches made ahead by threads while the network works: the same batches in the same order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from rpc.recognition.systems.system import Batch
from rpc.recognition.training.batch_source import HowMany
from rpc.recognition.training.photo_batches import PhotoBatches
from rpc.runs.prefetch import Prefetch


class Step(NamedTuple):
    """All that a batch depends on, beside the photos."""

    seed: int
    batch_size: int
    phase: int
    step: int


class BatchesAhead(PhotoBatches):
    """The batches of another `PhotoBatches`, prepared some steps early.

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
        self._workers = workers
        self.ahead = Prefetch(self._made, workers)

    def batch(self, settings: HowMany, phase: int, step: int) -> Batch:
        """Batch `step`; the next ones are begun."""
        first, *following = (
            Step(settings.seed, settings.batch_size, phase, step + ahead)
            for ahead in range(self._workers + 1)
        )
        return self.ahead.get(first, following)

    def _made(self, step: Step) -> Batch:
        return super().batch(step, step.phase, step.step)


@contextmanager
def made_ahead(batches: PhotoBatches, workers: int) -> Iterator[PhotoBatches]:
    """The batches, made ahead by so many threads; each when it is wanted with 0."""
    made = BatchesAhead(batches, workers)
    with made.ahead:
        yield made
