"""Make composed scenes look like the target's photos; labels stay, changed products are refused.

Run it again after an interruption, and it goes on where it stopped.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from rpc.cli.device_option import add_device_option
from rpc.cli.verb_parser import VerbParser
from rpc.data.files import read_json
from rpc.runs.screen import say


def main(argv: list[str] | None = None) -> int:
    """Render the scenes that the command line names; say what the gate refused."""
    args = parser().parse_args(argv)
    from rpc.pipelines.render_scenes import RenderRequest, render_scenes
    from synth.render.apply.render_dataset import REPORT

    path = render_scenes(RenderRequest(**vars(args)))
    say(f"{path}: {_summary(read_json(args.out / REPORT))}")
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


def parser() -> argparse.ArgumentParser:
    """The options of this verb."""
    made = VerbParser(
        description=(__doc__ or "").partition("\n")[0],
        epilog="In preview.png and worst.png the gate's finds are outlined: red moved, purple "
        "structure, green colour, blue the encoder's doubt, orange something new on the board.",
    )
    add = made.add_argument
    add("scenes", type=Path, help="folder of rpc-checkout compose")
    add("out", type=Path, help="folder of the rendered set; one that is there is completed")
    add("--renderer", type=Path, required=True, help="file that rpc-checkout train-render wrote")
    add("--seed", type=int, default=0, help="names the set (default: %(default)s)")
    add(
        "--no-gate",
        dest="gate",
        action="store_false",
        help="keep images whose products moved, vanished or changed",
    )
    add_device_option(made)
    add("--workers", type=int, metavar="N", help="processes (default: by cores and renderer)")
    add(
        "--preview",
        type=int,
        default=0,
        metavar="N",
        help="write OUT/preview.png with N scenes before and after, and OUT/worst.png with the "
        "scenes that the gate found worst (default: 0, neither)",
    )
    add("--beside", type=Path, metavar="DIR", help="photos of real trays for the preview")
    return made
