"""How fast a counter is on this machine: photo to shopping list, finding and naming apart."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import torch

from rpc.checkout.counter import AT_ONCE, Checkout
from rpc.checkout.loading import MODEL, load
from rpc.data.files import DataError, write_json
from rpc.data.images import read_image
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
        model: a model file; None takes the shipped one.
        gallery: a gallery that names the items.
        device: see `rpc.runs.devices`.
        batch: photos that go through the networks together, 1 to 8.
        repeats: rounds over all photos that are measured.
        warm_up: rounds before them that are not.
        threads: of torch and OpenCV, each number measured; none takes what torch would.
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
    if model.is_dir():  # its threads are not torch's
        raise DataError(
            f"{model}: this measures counters in torch, stage by stage; "
            "tools/benchmark/exported.py sets an exported one beside its model file"
        )
    counter = load(model, request.gallery, device=request.device)
    load_before = _load()
    runs, items = measure(
        counter,
        photos,
        batch=request.batch,
        repeats=request.repeats,
        warm_up=request.warm_up,
        threads=request.threads or (torch.get_num_threads(),),
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


def measure(
    counter: Checkout,
    photos: Sequence[Path],
    *,
    batch: int,
    repeats: int,
    warm_up: int,
    threads: Sequence[int] = (1,),
    progress: Report = lambda done, total, facts="": None,
) -> tuple[dict[int, dict[str, list[Spent]]], float]:
    """Times of each stage, by the number of threads, and the mean items on a photo."""
    clocks = {number: StageClock() for number in threads}
    groups = [list(photos[start : start + batch]) for start in range(0, len(photos), batch)]
    items, rounds = 0, warm_up + repeats
    for row in range(rounds):
        for number, clock in clocks.items():
            if row == warm_up:
                clock.spent.clear()
            with _threads(number):
                items += _one_round(timed_counter(counter, clock), groups, clock)
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
    """So many threads for torch and OpenCV in the block."""
    before = cv2.getNumThreads(), torch.get_num_threads()
    cv2.setNumThreads(number)
    torch.set_num_threads(number)
    try:
        yield
    finally:
        cv2.setNumThreads(before[0])
        torch.set_num_threads(before[1])


def _load() -> float | None:
    """Processes that want a core, as a mean of the last minute; None where no system tells."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def device_facts(name: str) -> dict[str, Any]:
    """The device's name, and a GPU's model."""
    device = torch.device(name)
    if device.type == "cuda":
        return {"name": name, "model": torch.cuda.get_device_name(device)}
    return {"name": name}


def _photos(path: Path) -> tuple[Path, ...]:
    if path.is_dir():
        return find_photos(path, "photos of trays").photos
    read_image(path)  # before the model: a wrong photo is told at once
    return (path,)


def _model_facts(counter: Checkout, file: Path) -> dict[str, Any]:
    return {"name": file.name, "skus": len(counter.taxonomy), "sha256": sha256(file)}
