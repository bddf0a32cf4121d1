"""A clock for the stages of a counter: seconds on the wall and of the processor."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from rpc.checkout.counter import Checkout, FindsItems
from rpc.recognition.box_classifier import BoxClassifier, batch_probabilities
from rpc.structures import Detections

Rgb = NDArray[np.uint8]
Result = TypeVar("Result")


class Spent(NamedTuple):
    """Seconds a photo.

    Attributes:
        wall: that went by.
        processor: of all this process's threads: what other work on the machine changes little.
    """

    wall: float
    processor: float


@dataclass
class StageClock:
    """Times of each stage.

    Attributes:
        photos: in the batch that is being counted.
        spent: by the stage's name, an entry a batch.
    """

    photos: int = 1
    spent: dict[str, list[Spent]] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time the block; its results are on the CPU when it ends, so a GPU has finished too."""
        began, busy = time.perf_counter(), time.process_time()
        yield
        wall, processor = time.perf_counter() - began, time.process_time() - busy
        self.add(name, Spent(wall / self.photos, processor / self.photos))

    def add(self, name: str, spent: Spent) -> None:
        """Add what a batch took."""
        self.spent.setdefault(name, []).append(spent)

    def timed(self, name: str, work: Callable[[], Result]) -> Result:
        """The result of some work, which is timed."""
        with self.stage(name):
            return work()


def timed_counter(counter: Checkout, clock: StageClock) -> Checkout:
    """The counter, its stages "detecting" and "naming" on the clock.

    Naming is left out where the detector itself names items.
    """
    own = counter.recogniser
    return replace(
        counter,
        detector=_TimedDetector(counter.detector, clock),
        recogniser=None if own is None else _TimedClassifier(own, clock),
    )


def statistics_of(spent: Sequence[Spent]) -> dict[str, float]:
    """Milliseconds a photo, median and 90th percentile; the processor's; photos a second."""
    wall, processor = np.asarray(spent, dtype=np.float64).T
    median = float(np.median(wall))
    return {
        "median_ms": round(1000 * median, 3),
        "p90_ms": round(1000 * float(np.percentile(wall, 90)), 3),
        "processor_ms": round(1000 * float(np.median(processor)), 3),
        "images_per_second": round(1 / median, 3) if median > 0 else 0.0,
    }


@dataclass(frozen=True)
class _TimedDetector:
    """A detector with a clock."""

    detector: FindsItems
    clock: StageClock

    def predict(self, rgb: Rgb) -> Detections:
        return self.predict_batch([rgb])[0]

    def predict_batch(self, photos: Sequence[Rgb]) -> list[Detections]:
        return self.clock.timed("detecting", lambda: self.detector.predict_batch(photos))


@dataclass(frozen=True)
class _TimedClassifier:
    """A classifier of boxes with a clock."""

    classifier: BoxClassifier
    clock: StageClock

    def probabilities(self, rgb: Rgb, boxes: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.batch_probabilities([rgb], [boxes])[0]

    def batch_probabilities(
        self, photos: Sequence[Rgb], boxes: Sequence[NDArray[np.float64]]
    ) -> list[NDArray[np.float64]]:
        return self.clock.timed(
            "naming", lambda: batch_probabilities(self.classifier, photos, boxes)
        )
