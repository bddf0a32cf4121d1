"""The RPC paper's table 3 on any store: Single, Syn, Render, Syn+Render by clutter mode.

The same detector and recogniser, the same number of updates (so that nothing depends on what else
the machine does), counting rule from val, test photos once; each with several seeds. Every cell is
a folder of its own with report and model: run again, the same command goes on with what is missing.
table3.json and table3.md are written anew after each cell.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rpc.cli.verb_parser import VerbParser
from rpc.data.shipped import shipped

if TYPE_CHECKING:
    from rpc.pipelines.store_job.job import Job

CONFIG = shipped("configs/cpu_default.py")
RENDERER = shipped("configs/render/classical.py")
START = shipped("rpc/weights/start.pth")
RECOGNISER_START = shipped("rpc/weights/recogniser_start.pth")
METHODS = ("Single", "Syn", "Render", "Syn+Render")  # worst first, by the paper
FOLDERS = {"Single": "single", "Syn": "syn", "Render": "render", "Syn+Render": "syn_render"}


def main(argv: list[str] | None = None) -> int:
    """Make every cell that is missing; print the table."""
    args = parser().parse_args(argv)
    from rpc.data.files import DataError
    from rpc.pipelines.store_job.run import prepare_scenes, run_job

    if args.seeds < 1:
        raise DataError("--seeds: expected 1 or more")
    cells = [(seed, method) for seed in range(args.seeds) for method in args.methods]
    for number, (seed, method) in enumerate(cells, start=1):
        print(f"== cell {number}/{len(cells)}: {method}, seed {seed}", flush=True)
        scenes = args.out / f"seed{seed}" / "scenes"
        if method != "Single":
            prepare_scenes(_job(args, seed, method, scenes, None))
        cell = _job(args, seed, method, args.out / f"seed{seed}" / FOLDERS[method], scenes)
        run_job(cell, report_again=False)
        table = _write(args)
    print(table.read_text(encoding="utf-8"))
    print(f"{table}; table3.json beside it")
    return 0


def _job(args: argparse.Namespace, seed: int, method: Any, out: Path, prepared: Path | None) -> Job:
    from rpc.pipelines.store_job.job import Job

    return Job(
        data=args.data,
        out=out,
        config=args.config,
        start=args.start,
        recogniser_start=args.recogniser_start,
        minutes=12.0,  # not a limit where there are iterations
        iterations=args.iterations,
        scenes=args.scenes,
        seed=seed,
        workers=args.workers,
        method=method,
        renderer=args.renderer,
        agnostic=args.agnostic,
        prepared=None if method == "Single" else prepared,
    )


def _write(args: argparse.Namespace) -> Path:
    """`table3.json` and `table3.md` of the cells that are there."""
    from rpc.data.files import read_json, write_bytes, write_json
    from rpc.reporting.comparison.seed_table import order_steps, seed_rows, seed_table_text

    reports: dict[str, list[dict[str, Any]]] = {}
    for method in args.methods:
        paths = [
            args.out / f"seed{seed}" / FOLDERS[method] / "report.json" for seed in range(args.seeds)
        ]
        reports[method] = [read_json(path) for path in paths if path.is_file()]
    reports = {method: its for method, its in reports.items() if its}
    rows = seed_rows(reports)
    first = next(iter(reports.values()))[0]
    table = {
        "protocol": first["protocol"],
        "supervision": {method: its[0]["supervision"] for method, its in reports.items()},
        "settings": {
            "iterations": args.iterations,
            "scenes": args.scenes,
            "renderer": args.renderer.name,
            "config": args.config.name,
            "agnostic": args.agnostic,
            "seeds": {method: len(its) for method, its in reports.items()},
        },
        "rows": rows,
        "order": order_steps(rows, METHODS),
        "seconds": _seconds(args, reports),
        "manifest": first["manifest"],
    }
    write_json(args.out / "table3.json", table, indent=1)
    return write_bytes(args.out / "table3.md", _text(table, seed_table_text(rows)).encode("utf-8"))


def _seconds(
    args: argparse.Namespace, reports: Mapping[str, Sequence[Mapping[str, Any]]]
) -> dict[str, Any]:
    """Seconds by step: of each method's cells, and of the scenes that they share."""
    folders = [args.out / f"seed{seed}" / "scenes" for seed in range(args.seeds)]
    shared = [(f / "journal.json", f / "rendering" / "journal.json") for f in folders]
    steps = [
        {name: value for path in paths if path.is_file() for name, value in _steps(path).items()}
        for paths in shared
    ]
    return {
        "scenes": [one for one in steps if one],
        "cells": {method: [report["timings"] for report in its] for method, its in reports.items()},
    }


def _steps(path: Path) -> dict[str, float]:
    from rpc.data.files import read_json
    from rpc.runs.journal import seconds_of

    return seconds_of(read_json(path)["steps"])


def _text(table: Mapping[str, Any], rows: str) -> str:
    from rpc.reporting.supervision import SUPERVISION_TEXT

    settings, manifest = table["settings"], table["manifest"]
    seeds = ", ".join(f"{method} {count}" for method, count in settings["seeds"].items())
    letters = sorted(set(table["supervision"].values()))
    minutes = {
        method: round(sum(sum(cell.values()) for cell in cells) / len(cells) / 60)
        for method, cells in table["seconds"]["cells"].items()
    }
    scenes = [round(sum(steps.values()) / 60) for steps in table["seconds"]["scenes"]]
    return "\n".join(
        [
            "# Table 3: what the detector was trained on",
            "",
            rows,
            "",
            "Mean ± standard deviation over seeds (of scenes and training).",
            "",
            *(f"- {line}" for line in _order_lines(table["order"])),
            f"- Protocol {table['protocol']}: every test photo counts, read once; the counting "
            f"rule is chosen on {manifest['threshold']['chosen_on']}.",
            *(f"- Supervision {letter}: {SUPERVISION_TEXT[letter]}." for letter in letters),
            "- The same detector, recogniser and starts for every method, "
            f"{settings['iterations']} updates of the detector and twice as many of the "
            f"recogniser, {settings['scenes']} scenes (Syn+Render: each of them twice), renderer "
            f"{settings['renderer']}. Seeds: {seeds}."
            + (" Products are counted, not named." if settings["agnostic"] else ""),
            "- Minutes a cell, without scenes: "
            + ", ".join(f"{method} {value}" for method, value in minutes.items())
            + (f"; scenes and rendering, shared by a seed's cells: {max(scenes)}" if scenes else "")
            + ".",
            f"- Data: {manifest.get('data', {}).get('name', '')}; commit "
            f"{manifest['code'].get('commit', '')[:12]}; {manifest['machine'].get('cpu', '')}.",
            "",
        ]
    )


def _order_lines(steps: Sequence[Mapping[str, Any]]) -> list[str]:
    """Whether each method beats the one before it, in averaged cAcc."""
    lines = []
    for step in steps:
        spread = "" if step["std"] is None else f" ± {100 * step['std']:.1f}"
        verdict = "rises" if step["rises"] else "does not rise"
        lines.append(
            f"{step['from']} to {step['to']}: averaged cAcc {verdict} "
            f"({100 * step['difference']:+.1f}{spread} points)."
        )
    return lines


def parser() -> argparse.ArgumentParser:
    """The options of this verb."""
    made = VerbParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = made.add_argument
    add("--data", type=Path, required=True, metavar="ROOT", help="a store in RPC's shape")
    add("--out", type=Path, required=True, metavar="DIR", help="for the cells and the table")
    add("--seeds", type=int, default=2, metavar="N", help="seeds 0 to N - 1 (default: %(default)s)")
    add(
        "--methods",
        nargs="+",
        choices=METHODS,
        default=list(METHODS),
        metavar="METHOD",
        help=f"rows, of {', '.join(METHODS)} (default: all)",
    )
    add(
        "--iterations",
        type=int,
        default=220,
        metavar="N",
        help="updates of the detector, and twice as many of the recogniser: about 12 minutes a "
        "cell on two cores (default: %(default)s)",
    )
    add("--scenes", type=int, default=2000, help="composed scenes (default: %(default)s)")
    add(
        "--renderer",
        type=Path,
        default=RENDERER,
        metavar="FILE",
        help="config of the renderer, or one that was trained (default: the classical one)",
    )
    add("--config", type=Path, default=CONFIG, help="of the detector (default: the CPU default)")
    add("--start", type=Path, default=START, help="detector's start (default: ours)")
    add(
        "--recogniser-start",
        type=Path,
        default=RECOGNISER_START,
        help="recogniser's start (default: ours)",
    )
    add("--agnostic", action="store_true", help="count products without naming them")
    add("--workers", type=int, default=os.cpu_count() or 1, help="processes (default: all cores)")
    return made
