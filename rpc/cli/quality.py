"""Say how like real checkout photos sets of scenes are: distances, plain figures, pictures.

Writes quality.json, quality.md, quality.svg and quality.jpg. The photos of the val split are looked
at unlabelled unless --labels is given. The same command gives the same figures.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np

from rpc.data.evenly_spaced import evenly_spaced
from rpc.data.files import DataError, write_bytes, write_json
from rpc.data.images import read_image, write_image
from rpc.data.store import Store
from rpc.pipelines.quality.page import HALVES, figures_chart, quality_text
from rpc.pipelines.quality.sheet import TILES, draw_sheet
from rpc.reporting.manifest import manifest
from rpc.reporting.pictures.lettering import Lettering
from rpc.runs.progress import bar
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


def main(argv: list[str] | None = None) -> int:
    """Compare the sets that the command line names with the store's photos."""
    args = _parser().parse_args(argv)
    folders = _named(args.scenes)
    store = Store.open(args.data)
    target = target_of_store(store, args.split, allow_test=args.allow_test)
    real = PhotoSet(target.paths)
    if args.labels:
        real = labelled(target.paths, store.split(args.split))
    sets = {REAL: real} | {name: scenes_of(folder) for name, folder in folders.items()}
    # The same chance for each: two sets made of the same scenes are seen by the same scenes.
    sets = {
        name: one.sample(args.photos, np.random.default_rng([args.seed, 0]))
        for name, one in sets.items()
    }
    _require_enough(sets, store, args)
    side = common_side(path for one in sets.values() for path in one.paths)
    measured = _measure(sets, side, args.seed, with_items=args.labels)

    report = _report(measured, args.seed)
    report["supervision"] = "V" if args.labels else target.supervision
    report["notes"] = _notes(args, measured)
    report["settings"] = {
        "data": store.root.resolve().name,
        "split": args.split,
        "labels_read": args.labels,
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
        split=args.split,
        seeds={"photos, patches and draws": args.seed},
        data=store.root,
        files=_scene_files(folders),
    )
    print(_write(args.out, report, sets, side, args.seed))
    return 0


def _measure(
    sets: Mapping[str, PhotoSet], side: int, seed: int, *, with_items: bool
) -> dict[str, Measured]:
    encoder = PhotoEncoder()
    measured = {}
    for name, one in sets.items():
        items = None
        if with_items and one.dataset is not None:
            items = item_statistics(one.dataset, one.image_ids)
        with bar(f"measuring {name}") as progress:
            measured[name] = measure(one.paths, side, encoder, seed, items, progress)
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


def _notes(args: argparse.Namespace, measured: Mapping[str, Measured]) -> list[str]:
    if not args.labels:
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
    write_image(out / "quality.jpg", draw_sheet(tiles, Lettering()), quality=92)
    write_bytes(out / "quality.svg", figures_chart(report).encode())
    write_json(out / "quality.json", report, indent=1)
    return write_bytes(out / "quality.md", quality_text(report).encode())


def _require_enough(sets: Mapping[str, PhotoSet], store: Store, args: argparse.Namespace) -> None:
    """Refuse what cannot be compared before anything is measured.

    Raises:
        DataError: a set is too small.
    """
    try:
        least = photos_a_side(len(sets[REAL].paths))
    except ValueError as error:
        raise DataError(f"{store.root}: split {args.split}: {error}") from error
    for name, folder in _named(args.scenes).items():
        count = len(sets[name].paths)
        if count < least:
            raise DataError(
                f"{folder}: {count} scenes are too few for a distance; expected {least} or more, "
                f"half of the {len(sets[REAL].paths)} real photos: compose more, or lower --photos"
            )


def _named(words: list[str]) -> dict[str, Path]:
    """The sets by name.

    Raises:
        DataError: a word is not NAME=DIR, or a name is there twice or taken.
    """
    named: dict[str, Path] = {}
    for word in words:
        name, equals, folder = word.partition("=")
        if not (name and equals and folder):
            raise DataError(f"--scenes {word}: expected NAME=DIR, such as syn=out/syn")
        if name in named or name in (REAL, HALVES):
            raise DataError(f"--scenes {word}: the name {name} is taken; choose another")
        named[name] = Path(folder)
    return named


def _scene_files(folders: Mapping[str, Path]) -> dict[str, Path]:
    paths = {name: folder / "instances.json" for name, folder in folders.items()}
    return {name: path for name, path in paths.items() if path.is_file()}


def _photos(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError(f"expected 1 or more, got {text}")
    return count


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add = parser.add_argument
    add("--data", type=Path, required=True, metavar="ROOT", help="the store with the real photos")
    add(
        "--split",
        choices=("val", "test"),
        default="val",
        help="whose photos are real (default: %(default)s)",
    )
    add(
        "--scenes",
        nargs="+",
        required=True,
        metavar="NAME=DIR",
        help="sets to compare: folders of scenes (instances.json, images/) or of photos",
    )
    add("--out", type=Path, required=True, metavar="DIR", help="folder of the report")
    add(
        "--photos",
        type=_photos,
        default=PHOTOS,
        metavar="N",
        help="photos of each set at most, drawn at random (default: %(default)s)",
    )
    add("--seed", type=int, default=0, help="photos, patches and draws (default: %(default)s)")
    add(
        "--labels",
        action="store_true",
        help="read the real photos' labels too: item count, size, visible fraction",
    )
    add("--allow-test", action="store_true", help="take test photos; the report is marked T")
    return parser
