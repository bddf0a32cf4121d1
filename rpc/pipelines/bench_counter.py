"""How fast a counter is on this machine: photo to shopping list, finding and naming apart."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from rpc.checkout.counter import AT_ONCE, Checkout, FindsItems
from rpc.checkout.loading import MODEL, load
from rpc.data.files import DataError, write_json
from rpc.data.images import read_image
from rpc.data.photo_files import find_photos
from rpc.data.shipped import shipped
from rpc.recognition.box_classifier import BoxClassifier, batch_probabilities
from rpc.reporting.provenance import code_version, library_versions, machine, sha256
from rpc.runs.folder_lock import prepare_files
from rpc.runs.progress import Report
from rpc.structures import Detections

STAGES: Final[tuple[str, ...]] = ("detecting", "naming", "photo to list")
WHOLE: Final = STAGES[-1]
Rgb = NDArray[np.uint8]
Result = TypeVar("Result")


@dataclass(frozen=True)
class BenchRequest:
    """A measurement of a counter.

    Attributes:
        photos: a photo, or a folder of photos.
        model: a model file; None takes the shipped one.
        gallery: a gallery that names the items.
        device: see `rpc.runs.devices`.
        batch: photos that go through the networks together, 1 to 8.
        repeats: rounds over all photos that are measured.
        warm_up: rounds before them that are not.
        out: JSON file to write.

    Raises:
        DataError: a number is out of range.
    """

    photos: Path
    model: Path | None = None
    gallery: Path | None = None
    device: str = "auto"
    batch: int = 1
    repeats: int = 5
    warm_up: int = 1
    out: Path | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.batch <= AT_ONCE:
            raise DataError(f"--batch {self.batch}: expected 1 to {AT_ONCE} photos")
        if self.repeats < 1 or self.warm_up < 0:
            raise DataError(
                f"--repeats {self.repeats} --warm-up {self.warm_up}: expected at least 1 and 0"
            )


def bench_counter(request: BenchRequest, progress: Report) -> dict[str, Any]:
    """Count the photos again and again; returns what `--out` holds, with seconds by stage.

    The time of a batch is shared out among its photos. "photo to list" is all of it: reading the
    file, both networks and the counting rule.

    Raises:
        DataError: photos, model, gallery or device do not fit, or the file cannot be written.
    """
    if request.out is not None:
        prepare_files(request.out)
    photos = _photos(request.photos)
    counter = load(request.model, request.gallery, device=request.device)
    seconds, items = measure(
        counter, photos, request.batch, request.repeats, request.warm_up, progress
    )
    shape = read_image(photos[0]).shape
    result = {
        "settings": {
            "photos": request.photos.name,
            "gallery": None if request.gallery is None else request.gallery.name,
            "batch": request.batch,
            "repeats": request.repeats,
            "warm_up": request.warm_up,
        },
        "model": _model_facts(counter, request.model),
        "device": device_facts(counter.device),
        "photos": {"number": len(photos), "first": [shape[1], shape[0]], "items": items},
        "stages": {name: statistics_of(row) for name, row in seconds.items()},
        "code": code_version(),
        "versions": library_versions(),
        "machine": machine(),
    }
    if request.out is not None:
        write_json(request.out, result, indent=1)
    return result


def measure(
    counter: Checkout,
    photos: Sequence[Path],
    batch: int,
    repeats: int,
    warm_up: int,
    progress: Report = lambda done, total, facts="": None,
) -> tuple[dict[str, list[float]], float]:
    """Seconds a photo of each stage, one number a batch, and the mean items on a photo.

    Naming is left out where the detector itself names items.
    """
    clock = StageClock()
    own = counter.recogniser
    timed = replace(
        counter,
        detector=_TimedDetector(counter.detector, clock),
        recogniser=None if own is None else _TimedClassifier(own, clock),
    )
    groups = [list(photos[start : start + batch]) for start in range(0, len(photos), batch)]
    items, rounds = 0, warm_up + repeats
    for number in range(rounds):
        if number == warm_up:
            clock.seconds.clear()
        for group in groups:
            clock.photos = len(group)
            with clock.stage(WHOLE):
                receipts = timed(group)
            items += sum(sum(receipt.counts.values()) for receipt in receipts)
        progress(number + 1, rounds)
    seconds = {name: clock.seconds[name] for name in STAGES if name in clock.seconds}
    return seconds, round(items / rounds / len(photos), 2)


def statistics_of(seconds: Sequence[float]) -> dict[str, float]:
    """Median and 95th percentile in milliseconds a photo, and photos a second at the median."""
    row = np.asarray(seconds)
    median = float(np.median(row))
    return {
        "median_ms": round(1000 * median, 3),
        "p95_ms": round(1000 * float(np.percentile(row, 95)), 3),
        "images_per_second": round(1 / median, 3) if median > 0 else 0.0,
    }


@dataclass
class StageClock:
    """Seconds a photo by stage.

    Attributes:
        photos: in the batch that is being counted.
        seconds: of each batch, by the stage's name.
    """

    photos: int = 1
    seconds: dict[str, list[float]] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time the block; its results are on the CPU when it ends, so a GPU has finished too."""
        began = time.perf_counter()
        yield
        spent = (time.perf_counter() - began) / self.photos
        self.seconds.setdefault(name, []).append(spent)

    def timed(self, name: str, work: Callable[[], Result]) -> Result:
        """The result of some work, which is timed."""
        with self.stage(name):
            return work()


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


def device_facts(name: str) -> dict[str, Any]:
    """The device's name and model, and the threads that torch computes with on the CPU."""
    device = torch.device(name)
    if device.type == "cuda":
        return {"name": name, "model": torch.cuda.get_device_name(device)}
    return {"name": name, "threads": torch.get_num_threads()}


def _photos(path: Path) -> tuple[Path, ...]:
    if path.is_dir():
        return find_photos(path, "photos of trays").photos
    read_image(path)  # before the model: a wrong photo is told at once
    return (path,)


def _model_facts(counter: Checkout, path: Path | None) -> dict[str, Any]:
    file = shipped(MODEL) if path is None else path
    return {"name": file.name, "skus": len(counter.taxonomy), "sha256": sha256(file)}
