"""The RPC paper's table 3 on any store: OUT/table3.json and OUT/table3.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rpc.data.file_group import file_group
from rpc.data.files import DataError, read_json, write_bytes, write_json
from rpc.pipelines.store_job.defaults import (
    BATCHES,
    CONFIG,
    METHODS,
    RECIPE,
    RECIPES,
    RECOGNISER_START,
    RENDERER,
    START,
    WORKERS,
    Method,
)
from rpc.pipelines.store_job.job import Job
from rpc.pipelines.store_job.run import prepare_scenes, run_job
from rpc.reporting.comparison.seed_table import order_steps, seed_rows, seed_table_text
from rpc.reporting.supervision import SUPERVISION_TEXT
from rpc.runs.folder_lock import writes_into
from rpc.runs.journal import seconds_of
from rpc.runs.screen import say

FOLDERS: Final = {"Single": "single", "Syn": "syn", "Render": "render", "Syn+Render": "syn_render"}


@dataclass(frozen=True)
class Table3Request:
    """A table of methods and seeds; every cell is a `Job` with the same settings but for these.

    Attributes:
        data: the store.
        out: folder of the cells and the table.
        seeds: 0 to `seeds` - 1.
        methods: rows.
        iterations: of the detector, and twice as many of the recogniser.
        scenes: how many are composed for a seed; None for those of the quick recipe.
        renderer: config of the renderer, or a renderer's file.
        config: of the detector.
        start: the detector's.
        recogniser_start: the recogniser's.
        agnostic: count products without naming them.
        workers: processes.
        device: that networks are trained and run on, see `rpc.runs.devices`.

    Raises:
        DataError: no seed.
    """

    data: Path
    out: Path
    seeds: int = 2
    methods: tuple[Method, ...] = METHODS
    iterations: int = 220
    scenes: int | None = None
    renderer: Path = RENDERER
    config: Path = CONFIG
    start: Path = START
    recogniser_start: Path = RECOGNISER_START
    agnostic: bool = False
    workers: int = WORKERS
    device: str = "auto"

    def __post_init__(self) -> None:
        if self.seeds < 1:
            raise DataError("--seeds: expected 1 or more")

    def job(self, seed: int, method: Method, out: Path, prepared: Path | None = None) -> Job:
        """One cell, or (without `prepared`) the scenes of a seed's cells."""
        return Job(
            data=self.data,
            out=out,
            config=self.config,
            start=self.start,
            recogniser_start=self.recogniser_start,
            detector_updates=self.iterations,
            recogniser_updates=BATCHES * self.iterations,
            scenes=self.scenes or RECIPES[RECIPE].scenes,  # the same ones for every method
            seed=seed,
            workers=self.workers,
            device=self.device,
            method=method,
            renderer=self.renderer,
            agnostic=self.agnostic,
            prepared=prepared,
            words=False,  # methods of training are compared
            pictures=False,
        )


@writes_into(lambda request, *_, **__: request.out)
def make_table3(request: Table3Request) -> Path:
    """Make every cell that is missing, the table anew after each; the path of table3.md.

    Raises:
        DataError: a cell cannot be made, or its folder holds a run with other settings.
    """
    cells = [(seed, method) for seed in range(request.seeds) for method in request.methods]
    table = request.out / "table3.md"
    for number, (seed, method) in enumerate(cells, start=1):
        say(f"== cell {number}/{len(cells)}: {method}, seed {seed}")
        folder = request.out / f"seed{seed}"
        scenes = None if method == "Single" else folder / "scenes"
        if scenes is not None:
            prepare_scenes(request.job(seed, method, scenes))
        run_job(request.job(seed, method, folder / FOLDERS[method], scenes), report_again=False)
        table = _write(request)
    return table


def _write(request: Table3Request) -> Path:
    """`table3.json` and `table3.md` of the cells that are there."""
    reports: dict[str, list[dict[str, Any]]] = {}
    for method in request.methods:
        paths = [
            request.out / f"seed{seed}" / FOLDERS[method] / "report.json"
            for seed in range(request.seeds)
        ]
        reports[method] = [read_json(path) for path in paths if path.is_file()]
    reports = {method: its for method, its in reports.items() if its}
    rows = seed_rows(reports)
    first = next(iter(reports.values()))[0]
    table = {
        "protocol": first["protocol"],
        "supervision": {method: its[0]["supervision"] for method, its in reports.items()},
        "settings": {
            "iterations": request.iterations,
            "scenes": request.scenes or RECIPES[RECIPE].scenes,
            "renderer": request.renderer.name,
            "config": request.config.name,
            "agnostic": request.agnostic,
            "seeds": {method: len(its) for method, its in reports.items()},
        },
        "rows": rows,
        "order": order_steps(rows, METHODS),
        "seconds": _seconds(request, reports),
        "manifest": first["manifest"],
    }
    with file_group(request.out):
        write_json(request.out / "table3.json", table, indent=1)
        return write_bytes(
            request.out / "table3.md", _text(table, seed_table_text(rows)).encode("utf-8")
        )


def _seconds(
    request: Table3Request, reports: Mapping[str, Sequence[Mapping[str, Any]]]
) -> dict[str, Any]:
    """Seconds by step: of each method's cells, and of the scenes that they share."""
    folders = [request.out / f"seed{seed}" / "scenes" for seed in range(request.seeds)]
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
    return seconds_of(read_json(path)["steps"])


def _text(table: Mapping[str, Any], rows: str) -> str:
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
