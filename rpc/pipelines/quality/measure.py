"""Sets of scenes held against real checkout photos: OUT/quality.json, its page and pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from rpc.data.evenly_spaced import evenly_spaced
from rpc.data.file_group import file_group
from rpc.data.files import DataError, write_bytes, write_json
from rpc.data.images import read_image, write_image
from rpc.data.store import Store
from rpc.pictures.lettering import Lettering
from rpc.pipelines.quality.page import HALVES, figures_chart, quality_text
from rpc.pipelines.quality.sheet import TILES, draw_sheet
from rpc.reporting.manifest import manifest
from rpc.runs.folder_lock import writes_into
from rpc.runs.progress import bar
from rpc.runs.settings import require_at_least
from synth.quality.compare import DRAWS, Comparison, compare_halves, compare_set, photos_a_side
from synth.quality.crops import PATCH, PATCHES, common_side, fit, patches
from synth.quality.features import ENCODER, PhotoEncoder
from synth.quality.items import ITEM_STATISTICS, item_statistics
from synth.quality.measure import Measured, measure
from synth.quality.photo_set import PhotoSet, labelled, scenes_of
from synth.quality.spread import quantiles
from synth.quality.statistics import STATISTICS
from synth.render.apply.target import target_of_store

PHOTOS: Final = 200
REAL: Final = "real"


@dataclass(frozen=True)
class QualityRequest:
    """A comparison of sets of scenes with a store's photos.

    Attributes:
        data: the store.
        scenes: folders of scenes or photos by name.
        out: folder of the report.
        split: whose photos are real.
        photos: of each set at most, drawn at random.
        seed: of photos, patches and draws.
        labels: read the real photos' labels too.
        allow_test: take test photos; the report is marked T.
        device: that the network runs on, see `rpc.runs.devices`.

    Raises:
        DataError: a set's name is taken, or `photos` below 1.
    """

    data: Path
    scenes: Mapping[str, Path]
    out: Path
    split: Literal["val", "test"] = "val"
    photos: int = PHOTOS
    seed: int = 0
    labels: bool = False
    allow_test: bool = False
    device: str = "cpu"

    def __post_init__(self) -> None:
        require_at_least("--photos", self.photos, 1)
        for name in self.scenes:
            if name in (REAL, HALVES):
                raise DataError(f"--scenes {name}: the name {name} is taken; choose another")


@writes_into(lambda request, *_, **__: request.out)
def measure_quality(request: QualityRequest) -> Path:
    """Measure every set, compare, draw; the path of quality.md.

    Raises:
        DataError: store or scenes do not fit, or a set is too small.
    """
    store = Store.open(request.data)
    target = target_of_store(store, request.split, allow_test=request.allow_test)
    real = PhotoSet(target.paths)
    if request.labels:
        real = labelled(target.paths, store.split(request.split))
    sets = {REAL: real} | {name: scenes_of(folder) for name, folder in request.scenes.items()}
    # The same chance for each: two sets made of the same scenes are seen by the same scenes.
    sets = {
        name: one.sample(request.photos, np.random.default_rng([request.seed, 0]))
        for name, one in sets.items()
    }
    _require_enough(sets, store, request)
    side = common_side(path for one in sets.values() for path in one.paths)
    measured = _measure(sets, side, request, with_items=request.labels)

    report = _report(measured, request.seed)
    report["supervision"] = "V" if request.labels else target.supervision
    report["notes"] = _notes(request, measured)
    report["settings"] = {
        "data": store.root.resolve().name,
        "split": request.split,
        "labels_read": request.labels,
        "encoder": ENCODER,
        "side": side,
        "patch": PATCH,
        "patches": PATCHES,
        "draws": DRAWS,
        "photos_a_side": photos_a_side(len(measured[REAL])),
    }
    report["manifest"] = manifest(
        threshold=None,
        chosen_on="nothing is counted",
        split=request.split,
        seeds={"photos, patches and draws": request.seed},
        data=store.root,
        files=_scene_files(request.scenes),
    )
    return _write(request.out, report, sets, side, request.seed)


def _measure(
    sets: Mapping[str, PhotoSet], side: int, request: QualityRequest, *, with_items: bool
) -> dict[str, Measured]:
    encoder = PhotoEncoder(device=request.device)
    measured = {}
    for name, one in sets.items():
        items = None
        if with_items and one.dataset is not None:
            items = item_statistics(one.dataset, one.image_ids)
        with bar(f"measuring {name}") as progress:
            measured[name] = measure(one.paths, side, encoder, request.seed, items, progress)
    return measured


def _report(measured: Mapping[str, Measured], seed: int) -> dict[str, Any]:
    """The figures of quality.json."""
    real = measured[REAL]
    comparisons: dict[str, Comparison] = {}
    comparisons[HALVES] = compare_halves(real, np.random.default_rng([seed, 1]))
    for name, one in measured.items():
        if name != REAL:
            comparisons[name] = compare_set(one, real, np.random.default_rng([seed, 1]))
    every = {**STATISTICS, **ITEM_STATISTICS}
    names = [name for name in every if name in real.figures]
    return {
        "titles": {
            name: f"{every[name].title}{f' ({every[name].unit})' if every[name].unit else ''}"
            for name in names
        },
        "sets": {
            key: {
                "photos": len(one),
                "figures": {
                    name: quantiles(one.values(name)) for name in names if name in one.figures
                },
            }
            for key, one in measured.items()
        },
        "comparisons": {name: asdict(one) for name, one in comparisons.items()},
    }


def _notes(request: QualityRequest, measured: Mapping[str, Measured]) -> list[str]:
    if not request.labels:
        return ["Labels of the photos were not read: item count, size and visible part left out."]
    notes = [
        "Labels of the photos were read (--labels): what is chosen by the items' figures has seen "
        "labelled checkout photos."
    ]
    for name in ITEM_STATISTICS:
        without = [key for key, one in measured.items() if name not in one.figures]
        if without:
            notes.append(f"{ITEM_STATISTICS[name].title}: not known for {', '.join(without)}.")
    return notes


def _write(
    out: Path, report: Mapping[str, Any], sets: Mapping[str, PhotoSet], side: int, seed: int
) -> Path:
    tiles = {}
    for name, one in sets.items():
        rows = evenly_spaced(len(one.paths), TILES)
        photos = {row: fit(read_image(one.paths[row]), side) for row in rows}
        tiles[name] = [
            (photo, max(patches(photo, np.random.default_rng([seed, row])), key=np.std))
            for row, photo in photos.items()
        ]
    with file_group(out):
        write_image(out / "quality.jpg", draw_sheet(tiles, Lettering()), quality=92)
        write_bytes(out / "quality.svg", figures_chart(report).encode())
        write_json(out / "quality.json", report, indent=1)
        return write_bytes(out / "quality.md", quality_text(report).encode())


def _require_enough(sets: Mapping[str, PhotoSet], store: Store, request: QualityRequest) -> None:
    """Refuse what cannot be compared before anything is measured.

    Raises:
        DataError: a set is too small.
    """
    try:
        least = photos_a_side(len(sets[REAL].paths))
    except ValueError as error:
        raise DataError(f"{store.root}: split {request.split}: {error}") from error
    for name, folder in request.scenes.items():
        count = len(sets[name].paths)
        if count < least:
            raise DataError(
                f"{folder}: {count} scenes are too few for a distance; expected {least} or more, "
                f"half of the {len(sets[REAL].paths)} real photos: compose more, or lower --photos"
            )


def _scene_files(folders: Mapping[str, Path]) -> dict[str, Path]:
    paths = {name: folder / "instances.json" for name, folder in folders.items()}
    return {name: path for name, path in paths.items() if path.is_file()}
