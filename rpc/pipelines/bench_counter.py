"""How fast a counter is on this machine: photo to shopping list, finding and naming apart."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2

from rpc.checkout.counter import AT_ONCE, Checkout
from rpc.checkout.exported.description import DESCRIPTION
from rpc.checkout.exported.loading import is_exported, load_exported, read_description
from rpc.checkout.loading import MODEL, load
from rpc.checkout.parts import SecondLooks
from rpc.data.files import DataError, write_json
from rpc.data.images import read_image
from rpc.data.parallel import available_cores
from rpc.data.photo_files import find_photos
from rpc.data.shipped import shipped
from rpc.pipelines.stage_clock import Spent, StageClock, statistics_of, timed_counter
from rpc.reporting.provenance import code_version, library_versions, machine, sha256
from rpc.runs.folder_lock import prepare_files
from rpc.runs.progress import Report

WHOLE: Final = "photo to list"
SURE: Final = "nothing doubtful"
STAGES: Final[tuple[str, ...]] = ("detecting", "naming", WHOLE, SURE)


@dataclass(frozen=True)
class BenchRequest:
    """A measurement of a counter.

    Attributes:
        photos: a photo, or a folder of photos.
        model: a model file, or the folder of an exported counter; None takes the shipped file.
        gallery: a gallery that names the items.
        device: see `rpc.runs.devices`.
        batch: photos that go through the networks together, 1 to 8.
        repeats: rounds over all photos that are measured.
        warm_up: rounds before them that are not.
        threads: of the networks and OpenCV, each number measured; none takes one a core.
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
    threads: tuple[int, ...] = ()
    out: Path | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.batch <= AT_ONCE:
            raise DataError(f"--batch {self.batch}: expected 1 to {AT_ONCE} photos")
        if self.repeats < 1 or self.warm_up < 0:
            raise DataError(
                f"--repeats {self.repeats} --warm-up {self.warm_up}: expected at least 1 and 0"
            )
        if any(number < 1 for number in self.threads):
            raise DataError(f"--threads {' '.join(map(str, self.threads))}: expected 1 or more")


def bench_counter(request: BenchRequest, progress: Report) -> dict[str, Any]:
    """Count the photos again and again; returns what `--out` holds.

    The time of a batch is shared out among its photos. "photo to list" is all of it: reading the
    file, all networks and the counting rule. "nothing doubtful" is the same of the photos on which
    no item is doubtful, where photos are counted one by one. Rounds with different numbers of
    threads take turns, so that other work on the machine slows all of them alike.

    Raises:
        DataError: photos, model, gallery or device do not fit, or the file cannot be written.
    """
    if request.out is not None:
        prepare_files(request.out)
    photos = _photos(request.photos)
    model = shipped(MODEL) if request.model is None else request.model
    threads = request.threads or (available_cores(),)
    counters = _counters(model, request, threads)
    counter = counters[threads[0]]
    load_before = _load()
    runs, items = measure(
        counters,
        photos,
        batch=request.batch,
        repeats=request.repeats,
        warm_up=request.warm_up,
        progress=progress,
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
        "model": _model_facts(counter, model),
        "device": device_facts(counter.device),
        "photos": {"number": len(photos), "first": [shape[1], shape[0]], "items": items},
        "runs": [
            {"threads": number, "stages": {name: statistics_of(row) for name, row in spent.items()}}
            for number, spent in runs.items()
        ],
        "load": {"before": load_before, "after": _load()},
        "code": code_version(),
        "versions": library_versions(),
        "machine": machine(),
    }
    if request.out is not None:
        write_json(request.out, result, indent=1)
    return result


def _counters(model: Path, request: BenchRequest, threads: Sequence[int]) -> dict[int, Checkout]:
    """A counter for each number of threads; in torch the same one: its threads can be set later."""
    looks = SecondLooks(words=True, pictures=True)  # as `load` has them
    if is_exported(model):
        return {
            number: load_exported(
                model, request.gallery, device=request.device, looks=looks, threads=number
            )
            for number in threads
        }
    counter = load(model, request.gallery, device=request.device)
    return dict.fromkeys(threads, counter)


def measure(
    counters: Mapping[int, Checkout],
    photos: Sequence[Path],
    *,
    batch: int,
    repeats: int,
    warm_up: int,
    progress: Report = lambda done, total, facts="": None,
) -> tuple[dict[int, dict[str, list[Spent]]], float]:
    """Times of each stage, by the number of threads, and the mean items on a photo.

    Args:
        counters: by the number of threads that each is measured with.
        photos: to count.
        batch: photos at once.
        repeats: rounds that are measured.
        warm_up: rounds before them that are not.
        progress: called with the rounds done and their number.
    """
    clocks = {number: StageClock() for number in counters}
    groups = [list(photos[start : start + batch]) for start in range(0, len(photos), batch)]
    items, rounds = 0, warm_up + repeats
    for row in range(rounds):
        for number, clock in clocks.items():
            if row == warm_up:
                clock.spent.clear()
            with _threads(number):
                items += _one_round(timed_counter(counters[number], clock), groups, clock)
        progress(row + 1, rounds)
    runs = {
        number: {name: clock.spent[name] for name in STAGES if name in clock.spent}
        for number, clock in clocks.items()
    }
    return runs, round(items / rounds / len(photos) / len(clocks), 2)


def _one_round(timed: Checkout, groups: Sequence[list[Path]], clock: StageClock) -> int:
    """Count all photos once; the number of items."""
    items = 0
    for group in groups:
        clock.photos = len(group)
        with clock.stage(WHOLE):
            receipts = timed(group)
        items += sum(len(receipt.items) for receipt in receipts)
        if len(receipts) == 1 and not receipts[0].doubtful:
            clock.add(SURE, clock.spent[WHOLE][-1])
    return items


@contextmanager
def _threads(number: int) -> Iterator[None]:
    """So many threads for OpenCV, and for torch where it runs, in the block."""
    torch = sys.modules.get("torch")
    before = cv2.getNumThreads(), torch and torch.get_num_threads()
    cv2.setNumThreads(number)
    if torch is not None:
        torch.set_num_threads(number)
    try:
        yield
    finally:
        cv2.setNumThreads(before[0])
        if torch is not None:
            torch.set_num_threads(before[1])


def _load() -> float | None:
    """Processes that want a core, as a mean of the last minute; None where no system tells."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def device_facts(name: str) -> dict[str, Any]:
    """The device's name, and a GPU's model where torch tells it."""
    torch = sys.modules.get("torch")
    if name.startswith("cuda") and torch is not None:
        return {"name": name, "model": torch.cuda.get_device_name(torch.device(name))}
    return {"name": name}


def _photos(path: Path) -> tuple[Path, ...]:
    if path.is_dir():
        return find_photos(path, "photos of trays").photos
    read_image(path)  # before the model: a wrong photo is told at once
    return (path,)


def _model_facts(counter: Checkout, model: Path) -> dict[str, Any]:
    facts = {"name": model.name, "skus": len(counter.taxonomy)}
    if not is_exported(model):
        return facts | {"sha256": sha256(model)}
    found = read_description(model)
    return facts | {
        "sha256": sha256(model / DESCRIPTION),  # which holds those of all other files
        "runtime": found.runtime,
        "precision": found.precision,
    }
