"""Make composed scenes look like the target's photos; labels stay, changed products are refused.

Run it again after an interruption, and it goes on where it stopped.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from rpc.data.evenly_spaced import evenly_spaced
from rpc.data.files import read_json
from rpc.data.images import list_photos, read_image, write_image
from rpc.runs.progress import bar
from synth.render.apply.chunks import Job, render_one
from synth.render.apply.render_dataset import REPORT, finished, render_dataset
from synth.render.apply.scenes import SceneFolder
from synth.render.apply.sheet import marked, rows_sheet

WORST = 12


def main(argv: list[str] | None = None) -> int:
    """Render the scenes that the command line names."""
    args = _parser().parse_args(argv)
    beside = list_photos(args.beside, "photos of real trays") if args.beside else []
    with bar("rendering scenes") as progress:
        path = render_dataset(
            args.scenes,
            args.out,
            args.renderer,
            seed=args.seed,
            workers=args.workers,
            gate=args.gate,
            progress=progress,
            warn=lambda line: print(f"warning: {line}", file=sys.stderr),
        )
    report = read_json(args.out / REPORT)
    print(f"{path}: {_summary(report)}")
    for sheet in _sheets(args, report["threads"], beside):
        print(sheet)
    return 0


def _summary(report: dict[str, Any]) -> str:
    images, items = report["images"], report["items"]
    parts = [f"{images['kept'] + images['repaired']} of {images['all']} images"]
    if report["settings"]["gate"] is None:
        return f"{parts[0]} (without a gate)"
    parts.append(f"{images['repaired']} of them repaired ({items['repaired']} items)")
    parts.append(f"{images['dropped']} dropped")
    found = ", ".join(f"{number} {reason}" for reason, number in report["faults"].items())
    return ", ".join(parts) + (f"; faults: {found}" if found else "")


def _sheets(args: argparse.Namespace, threads: int, beside: list[Path]) -> list[Path]:
    """Sheets of scenes before and after, and of the worst that the gate found."""
    if not args.preview:
        return []
    folder = SceneFolder.open(args.scenes)
    job = Job(args.out.resolve(), args.renderer.resolve(), args.seed, args.gate, threads)
    images = folder.dataset.images
    rows = []
    photos = [beside[row] for row in evenly_spaced(len(beside), args.preview)] if beside else []
    for number, row in enumerate(evenly_spaced(len(images), args.preview)):
        rows.append(_row(job, folder, images[row].id))
        if photos:
            rows[-1].append(read_image(photos[number % len(photos)]))
    written = [write_image(args.out / "preview.png", rows_sheet(rows))]
    hurt = sorted((one for one in finished(args.out, len(images)) if one.reasons),
                  key=lambda one: -len(one.reasons))  # fmt: skip
    if hurt:
        worst = [_row(job, folder, one.image_id, final=True) for one in hurt[:WORST]]
        written.append(write_image(args.out / "worst.png", rows_sheet(worst)))
    return written


def _row(job: Job, folder: SceneFolder, image_id: int, *, final: bool = False) -> list[Any]:
    """A scene, its rendering with marks, and (final) what was made of it."""
    image = folder.dataset.image(image_id)
    gated = render_one(job, folder, image_id)
    row = [folder.read(image)]
    if gated.first is None or gated.last is None:
        return [*row, gated.raw]
    masks = folder.masks(image)
    row.append(marked(gated.raw, masks, gated.first))
    return [*row, marked(gated.image, masks, gated.last)] if final else row


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").partition("\n")[0],
        epilog="In preview.png and worst.png the gate's finds are outlined: red moved, purple "
        "structure, green colour, blue the encoder's doubt, orange something new on the board.",
    )
    add = parser.add_argument
    add("scenes", type=Path, help="folder of tools/compose_scenes.py")
    add("out", type=Path, help="folder of the rendered set; one that is there is completed")
    add("--renderer", type=Path, required=True, help="file that tools/train_render.py wrote")
    add("--seed", type=int, default=0, help="names the set (default: %(default)s)")
    add(
        "--no-gate",
        dest="gate",
        action="store_false",
        help="keep images whose products moved, vanished or changed",
    )
    add("--workers", type=int, metavar="N", help="processes (default: by cores and renderer)")
    add(
        "--preview",
        type=int,
        default=0,
        metavar="N",
        help="write OUT/preview.png with N scenes before and after, and OUT/worst.png with the "
        "scenes that the gate found worst",
    )
    add("--beside", type=Path, metavar="DIR", help="photos of real trays for the preview")
    return parser
