"""All recognition systems on data sets, the same budget, several seeds: one table.

The budget is processor time, or batches: on a GPU, where a processor's time says little.
Each cell is a run of rpc-checkout recognise in OUT/<data>/<system>/seed<n>; a cell that is done
is not run again, so the command can be stopped and repeated. With --jobs, cells run side by side.
A system that wants what a data set has not (key points) is named, with the reason, and not run.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import threading
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any, Final

import numpy as np

from rpc.cli.verb_parser import VerbParser
from rpc.data.files import DataError, read_json, write_bytes, write_json
from rpc.data.shipped import shipped
from rpc.recognition.systems.registry import system_names
from rpc.reporting.provenance import code_version, library_versions, machine

CONFIGS: Final = shipped("configs/recognition")
TRAIN: Final = (sys.executable, "-m", "rpc.cli", "recognise")
NEEDS: Final = "learns from; choose a system"  # rpc.recognition.systems.registry.require_needs
REFERENCE: Final = "baseline"
# Top-1 on CUB-200-2011, per cent, as in docs/recognition.md, which says where each comes from.
PUBLISHED: Final = {
    "bilinear": "84.1",
    "bilinear_dm": "84.1",
    "compact": "84.0",
    "isqrt": "88.1",
    "st_cnn_2": "83.9",
    "st_cnn_4": "84.1",
    "ra_cnn": "85.3",
    "ma_cnn": "86.5",
    "mask_cnn": "87.3",
    "part_rcnn": "73.9",
    "weak_parts": "79.3",
    "nac": "81.0",
}


def main(argv: list[str] | None = None) -> int:
    """Run what is missing, then write the table after every cell."""
    args = parser().parse_args(argv)
    roots, scenes = _pairs(args.data, "--data"), _pairs(args.scenes, "--scenes")
    if unknown := sorted(set(scenes) - set(roots)):
        raise DataError(f"--scenes {unknown[0]}: no --data of this name")
    if unknown := sorted(set(args.systems) - set(system_names())):
        raise DataError(f"--systems {unknown[0]}: expected some of {', '.join(system_names())}")
    if args.jobs < 1 or args.seeds < 1:
        raise DataError(f"--jobs {args.jobs} --seeds {args.seeds}: expected 1 or more of each")
    table = _Table(args, roots, scenes)
    table.run()
    for path in table.write():
        print(path)
    return 0


class _Table:
    """Cells that are run, some at a time, and the table as far as it has come."""

    def __init__(
        self, args: argparse.Namespace, roots: dict[str, Path], scenes: dict[str, Path]
    ) -> None:
        self.args, self.roots, self.scenes = args, roots, scenes
        self.refused: dict[str, dict[str, str]] = {}
        self.writing = threading.Lock()

    def run(self) -> None:
        """Every cell, seed by seed; the table is written after each.

        Raises:
            DataError: a cell failed; those that were running are finished first.
        """
        cells = [
            (name, system, seed)
            for seed in range(self.args.seeds)
            for name in self.roots
            for system in self.args.systems
        ]
        pool = ThreadPoolExecutor(self.args.jobs)
        running: list[Future[None]] = []
        try:
            running = [pool.submit(self.cell, *cell) for cell in cells]
            wait(running, return_when=FIRST_EXCEPTION)
        finally:
            pool.shutdown(cancel_futures=True)
        for done in running:
            if not done.cancelled():
                done.result()

    def cell(self, name: str, system: str, seed: int) -> None:
        """One cell, unless it was done or its system was refused."""
        if system in self.refused.get(name, {}):
            return
        root, scenes = self.roots[name], self.scenes.get(name)
        said = _cell(self.args, name, root, scenes, system, seed)
        with self.writing:
            if said is not None:
                self.refused.setdefault(name, {})[system] = said
            self.write()

    def write(self) -> list[Path]:
        """The table, as JSON and as a page."""
        return _write(self.args, list(self.roots), self.refused)


def _cell(
    args: argparse.Namespace, name: str, root: Path, scenes: Path | None, system: str, seed: int
) -> str | None:
    """Run one cell if it is not there; what it was refused with, in one line.

    Raises:
        DataError: it failed for another reason than that, or was run with another budget.
    """
    out = args.out / name / system / f"seed{seed}"
    if (out / "result.json").is_file():
        result = read_json(out / "result.json")
        if result["training"] is None:
            raise DataError(
                f"{out}: figures of a model that was trained elsewhere, not a cell of this table; "
                "remove the folder or choose another --out"
            )
        training = result["config"]["values"]["training"]
        before = {name: training.get(name) for name in _budget(args)}
        if before != _budget(args):
            raise DataError(
                f"{out}: a run of {_said(**before)}, and {_said(**_budget(args))} are asked for; "
                "choose another --out"
            )
        return None
    line = [
        sys.executable,
        "-m",
        "rpc.cli",
        "recognise",
        str(CONFIGS / f"{system}.py"),
        "--data",
        str(root),
    ]
    line += ["--out", str(out), "--seed", str(seed), "--resume", "--workers", "1"]
    if args.iterations is None:
        line += ["--cpu-minutes", str(args.cpu_minutes)]
    else:
        line += ["--iterations", str(args.iterations)]
    line += [] if scenes is None else ["--scenes", str(scenes)]
    print(f"{name} / {system} / seed {seed}", flush=True)
    threads = {} if args.jobs == 1 else {"OMP_NUM_THREADS": str(_threads(args.jobs))}
    done = subprocess.run(
        line, check=False, stderr=subprocess.PIPE, text=True, env={**os.environ, **threads}
    )
    if done.returncode == 0:
        return None
    said = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    if done.returncode == 2 and NEEDS in said:
        return said.removeprefix("error: ")
    raise DataError(f"{name} / {system} / seed {seed}: {said:.300}")


def _budget(args: argparse.Namespace) -> dict[str, float | int | None]:
    """Of all gradient phases of a system: batches, or else processor time."""
    minutes = None if args.iterations is not None else args.cpu_minutes
    return {"cpu_minutes": minutes, "iterations": args.iterations}


def _said(cpu_minutes: float | None, iterations: int | None) -> str:
    """A budget in words."""
    if iterations is not None:
        return f"{iterations:,} batches"
    if cpu_minutes is not None:
        return f"{cpu_minutes:g} minutes of processor time"
    return "a budget in epochs"  # the only other one that a run can have had


def _threads(jobs: int) -> int:
    """Of each of so many jobs, so that together they take no more than there are cores."""
    return max((os.cpu_count() or 1) // jobs, 1)


def gather(out: Path, names: list[str], systems: list[str]) -> dict[str, dict[str, Any]]:
    """`{system: {data set: {mean, std, seeds, val_mean, cpu_seconds, parameters, ...}}}`.

    Accuracies are test top-1, fractions; `std` is that of a sample, 0 for a single seed.
    """
    table: dict[str, dict[str, Any]] = {}
    for system in systems:
        for name in names:
            found = sorted((out / name / system).glob("seed*/result.json"))
            if not found:
                continue
            results = [read_json(path) for path in found]
            test = [float(r["accuracy"]["test"]["top1"]) for r in results]
            val = [float(r["accuracy"]["val"]["top1"]) for r in results]
            spent = [float(r["training"]["cpu_seconds"]) for r in results]
            table.setdefault(system, {})[name] = {
                "mean": float(np.mean(test)),
                "std": float(np.std(test, ddof=1)) if len(test) > 1 else 0.0,
                "seeds": test,
                "val_mean": float(np.mean(val)),
                "cpu_seconds": round(float(np.mean(spent)), 1),
                "parameters": int(results[0]["parameters"]),
                "devices": sorted({str(r["training"]["device"]) for r in results}),
                "batches": round(float(np.mean([r["training"]["batches"] for r in results]))),
                "side": int(results[0]["config"]["values"]["system"]["side"]),
                "photos": {split: results[0]["data"][split] for split in ("train", "val", "test")},
                "protocol": results[0]["protocol"],
                "commits": _told(results, "code", "commit"),
                "machines": _told(results, "machine", "cpu"),
                "torch": _told(results, "versions", "torch"),
                "within_families": _within(found),
            }
    return table


def _told(results: list[dict[str, Any]], part: str, name: str) -> list[str]:
    """Facts from the runs' manifests, which need not hold of whoever writes the table."""
    return sorted({str(result["manifest"][part].get(name)) for result in results})


def _within(found: list[Path]) -> float | None:
    """Mean share of test photos that are named as another class of their family."""
    shares = []
    for path in found:
        families = read_json(path.with_name("confusions.json"))["test"].get("families")
        if not families:
            return None
        photos = sum(row["photos"] for row in families)
        shares.append(sum(row["within"] for row in families) / max(photos, 1))
    return float(np.mean(shares))


def page(result: dict[str, Any]) -> str:
    """The table in Markdown."""
    table, names = result["systems"], result["data"]
    lines = [
        "# Recognition systems under one budget",
        "",
        "Test top-1 in per cent, mean and standard deviation over seeds; "
        f"{_said(result['cpu_minutes'], result['iterations'])} for all gradient phases of a system "
        "(fits come on top: column s, seconds of a processor in all), EfficientNet-lite0, the "
        "checkpoint chosen on validation. 'lead' is that over the baseline, in points. Published: "
        "CUB-200-2011 with the papers' networks at 448 px, for the record; nothing here compares.",
        "",
    ]
    heads = [f"{name} | seeds | lead | s | within families" for name in names]
    lines.append(f"| system | published | {' | '.join(heads)} | million parameters |")
    lines.append("|---|---|" + "---|" * (5 * len(names) + 1))
    for system in result["asked"]:
        cells = [_cells(result, system, name) for name in names]
        sizes = [table[system][n]["parameters"] for n in names if n in table.get(system, {})]
        size = f"{max(sizes) / 1e6:.2f}" if sizes else ""
        published = PUBLISHED.get(system, "-")
        lines.append(f"| {system} | {published} | {' | '.join(cells)} | {size} |")
    for name, refused in result["not_run"].items():
        lines += [
            "",
            *(f"- {name}: {system} was not run: {why}" for system, why in refused.items()),
        ]
    return "\n".join(lines) + "\n"


def _cells(result: dict[str, Any], system: str, name: str) -> str:
    row = result["systems"].get(system, {}).get(name)
    if row is None:
        return " | ".join(["not run", "", "", "", ""])
    base = result["systems"].get(REFERENCE, {}).get(name)
    lead = (
        "" if base is None or system == REFERENCE else f"{100 * (row['mean'] - base['mean']):+.1f}"
    )
    within = "" if row["within_families"] is None else f"{100 * row['within_families']:.1f} %"
    spread = f" ± {100 * row['std']:.1f}" if len(row["seeds"]) > 1 else ""
    return (
        f"{100 * row['mean']:.1f}{spread} | {len(row['seeds'])} | {lead} | "
        f"{row['cpu_seconds']:.0f} | {within}"
    )


def _write(
    args: argparse.Namespace, names: list[str], refused: dict[str, dict[str, str]]
) -> list[Path]:
    result = {
        "systems": gather(args.out, names, args.systems),
        "asked": args.systems,
        "data": names,
        "not_run": refused,
        **_budget(args),
        "code": code_version(),
        "versions": library_versions(),
        "machine": machine(),
    }
    return [
        write_json(args.out / "recognition.json", result, indent=1),
        write_bytes(args.out / "recognition.md", page(result).encode()),
    ]


def _pairs(texts: list[str], option: str) -> dict[str, Path]:
    found = dict(_pair(text, option) for text in texts)
    if len(found) < len(texts):
        raise DataError(f"{option}: a name is there twice; call each data set otherwise")
    return found


def _pair(text: str, option: str) -> tuple[str, Path]:
    name, found, path = text.partition("=")
    if not found or not name.replace("_", "").isalnum():
        raise DataError(f"{option} {text:.80}: expected NAME=FOLDER, such as grocery=photos")
    return name, Path(path)


def parser() -> argparse.ArgumentParser:
    """The options of this verb."""
    made = VerbParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = made.add_argument
    add("--data", nargs="+", required=True, metavar="NAME=ROOT", help="data sets")
    add("--scenes", nargs="+", default=[], metavar="NAME=DIR", help="composed scenes of a store")
    add("--out", type=Path, required=True, metavar="DIR", help="for all runs and the table")
    add("--systems", nargs="+", default=list(system_names()), metavar="NAME", help="(default: all)")
    add("--seeds", type=int, default=3, metavar="N", help="(default: %(default)s)")
    add("--jobs", type=int, default=1, metavar="N", help="cells side by side (default: 1)")
    budget = made.add_mutually_exclusive_group()
    budget.add_argument(
        "--cpu-minutes", type=float, default=3.0, metavar="N", help="of each (default: 3)"
    )
    budget.add_argument("--iterations", type=int, metavar="N", help="batches of each, instead")
    return made
