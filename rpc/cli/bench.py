"""Measure how fast a counter is on this machine: photo to list, detecting and naming apart."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rpc.cli.device_option import add_device_option
from rpc.cli.verb_parser import VerbParser
from rpc.data.shipped import shipped
from rpc.runs.progress import bar
from rpc.runs.screen import say, say_lines


def main(argv: list[str] | None = None) -> int:
    """Measure what the command line names; print a table."""
    args = parser().parse_args(argv)
    from rpc.pipelines.bench_counter import BenchRequest, bench_counter

    request = BenchRequest(**{**vars(args), "threads": tuple(args.threads)})
    with bar("counting") as progress:
        result = bench_counter(request, progress)
    say_lines("\n".join(_lines(result)))
    if request.out is not None:
        say(request.out)
    return 0


def _lines(result: Mapping[str, Any]) -> list[str]:
    settings, photos, device = result["settings"], result["photos"], result["device"]
    width, height = photos["first"]
    load = result["load"]
    lines = [
        f"model {result['model']['name']}, {result['model']['skus']} SKUs, on {device['name']} "
        f"({device.get('model') or result['machine']['cpu']})",
        f"{photos['number']} photos, the first {width}x{height}, {photos['items']:g} items each, "
        f"batch {settings['batch']}, {settings['repeats']} rounds after {settings['warm_up']}",
        f"load of the machine {load['before']} before, {load['after']} after",
    ]
    for run in result["runs"]:
        threads = run["threads"]
        heading = f"a photo, {threads} thread{'s' if threads > 1 else ''}"
        lines += [
            "",
            f"{heading:20}{'median ms':>11}{'p90 ms':>10}{'processor ms':>14}{'a second':>10}",
        ]
        for name, row in run["stages"].items():
            lines.append(
                f"{name:20}{row['median_ms']:11.1f}{row['p90_ms']:10.1f}"
                f"{row['processor_ms']:14.1f}{row['images_per_second']:10.2f}"
            )
    return lines


def parser() -> argparse.ArgumentParser:
    """The options of this verb."""
    made = VerbParser(description=__doc__)
    add = made.add_argument
    add(
        "photos",
        type=Path,
        nargs="?",
        default=shipped("examples/ministore/val"),
        metavar="PHOTOS",
        help="a tray photo, or a folder of them (default: the embedded store's val photos)",
    )
    add(
        "--model",
        type=Path,
        metavar="FILE",
        help="model.pth of a training, or the folder of an exported counter (default: ours)",
    )
    add("--gallery", type=Path, metavar="DIR", help="name products by a gallery's exemplars")
    add_device_option(made)
    add("--batch", type=int, default=1, metavar="N", help="photos at once, 1 to 8 (default: 1)")
    add("--repeats", type=int, default=5, metavar="N", help="rounds over all photos (default: 5)")
    add("--warm-up", type=int, default=1, metavar="N", help="rounds not measured (default: 1)")
    add(
        "--threads",
        type=int,
        nargs="+",
        default=[],
        metavar="N",
        help="threads to compute with; several are measured in turn (default: one a core)",
    )
    add("--out", type=Path, metavar="FILE", help="write the numbers as JSON too (default: no)")
    return made
