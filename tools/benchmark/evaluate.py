"""Evaluators in one run on the same files: rpctool, the mAP libraries, and this repository.

Each runs in a process of its own, some times over, after one run to warm up. Reading the files is
timed apart, in wall time and in processor time of all threads. `rpctool` wants a Python of its own
(see tests/metrics/make_rpctool_golden.py), the libraries may have one; what is not there is left
out. `eval_aco` is the whole command: reading, every table, mAP and the report.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from checkout_files import Shape, write_files
from rich.console import Console
from rich.table import Table

from rpc.data.files import write_json
from rpc.reporting.provenance import code_version, machine

ROOT = Path(__file__).parents[2]
JOB = Path(__file__).with_name("evaluate_job.py")
LIBRARIES = ("pycocotools", "faster-coco-eval", "hotcoco")


def main(argv: list[str] | None = None) -> int:
    """Make the files, run everything on them, print the table and write the numbers."""
    args = _parser().parse_args(argv)
    result: dict[str, Any] = {"settings": _settings(args), "sizes": []}
    with tempfile.TemporaryDirectory() as folder:
        for images in args.images:
            shape = Shape(images, args.items, args.detections, args.skus, args.seed)
            files = _written(Path(folder) / str(images), shape)
            size = measure(files, args)
            result["sizes"].append({"images": images, **size})
            _show(images, size)
            if args.out is not None:  # after each size: a long run that is cut short is not lost
                write_json(args.out, result, indent=1)
    if args.out is not None:
        print(args.out)
    return 0


def _written(folder: Path, shape: Shape) -> tuple[Path, Path]:
    """The files, made by another process: a child's peak of memory begins with its parent's."""
    with ProcessPoolExecutor(1) as pool:
        return pool.submit(write_files, folder, shape).result()


def measure(files: tuple[Path, Path], args: argparse.Namespace) -> dict[str, Any]:
    """Every evaluator on one pair of files."""
    runs = {}
    for name, (python, repeats) in _evaluators(args).items():
        command = [python, "-W", "ignore", str(JOB), name, *map(str, files)]
        runs[name] = _repeated(command, repeats, args.warm_up)
    with tempfile.TemporaryDirectory() as folder:
        gt, results = map(str, files)
        command = [sys.executable, str(ROOT / "tools" / "eval_aco.py"), "--gt", gt]
        command += ["--results", results, "--out", folder, "--threshold", "0.5"]
        runs["eval_aco"] = _repeated(command, args.repeats, args.warm_up)
    return {
        "megabytes": {path.name: round(path.stat().st_size / 1e6, 1) for path in files},
        "runs": runs,
        "agree": _agreement(runs),
        "ratios": {clock: _ratios(runs, clock) for clock in ("wall", "processor")},
    }


def _evaluators(args: argparse.Namespace) -> dict[str, tuple[str, int]]:
    """Python and repeats of each job that can be run here; says which cannot."""
    found = {"ours": (sys.executable, args.repeats)}
    if args.only_ours:
        return found
    for name in LIBRARIES:
        module = name.replace("-", "_")
        tried = subprocess.run(
            [args.libraries_python, "-c", f"import {module}"], capture_output=True, check=False
        )
        if tried.returncode == 0:
            found[name] = (args.libraries_python, args.repeats)
        else:
            print(f"{name}: not installed for {args.libraries_python}: left out")
    if args.rpctool_python is None:
        print("rpctool: left out; give --rpctool-python")
    else:
        found["rpctool"] = (args.rpctool_python, args.rpctool_repeats)
        if args.rpctool_map:
            found["rpctool with mAP"] = (args.rpctool_python, args.rpctool_repeats)
    return found


def _repeated(command: list[str], repeats: int, warm_up: int) -> dict[str, Any]:
    """Medians of the runs of a command, with each of them."""
    runs = [_run(command) for _ in range(warm_up + repeats)][warm_up:]
    stages = runs[0].get("stages", {})
    return {
        **{key: statistics.median(run[key] for run in runs) for key in ("wall", "processor")},
        "peak_mb": max(run["peak_mb"] for run in runs),
        "stages": {
            name: {
                clock: statistics.median(run["stages"][name][clock] for run in runs)
                for clock in ("wall", "processor")
            }
            for name in stages
        },
        "figures": runs[0].get("figures"),
        "versions": runs[0].get("versions"),
        "runs": [{key: run[key] for key in ("wall", "processor", "peak_mb")} for run in runs],
    }


def _run(command: list[str]) -> dict[str, Any]:
    """Seconds and memory of one process from start to end, and what it printed last."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT) if command[0] == sys.executable else ""}
    with tempfile.TemporaryFile("w+") as printed:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=printed, env=environment)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise SystemExit(f"failed: {' '.join(command)}")
        printed.seek(0)
        last = printed.read().splitlines()[-1:]
    said = json.loads(last[0]) if last and last[0].startswith("{") else {}
    # Linux counts the peak in kB, macOS in bytes.
    unit = 1e6 if sys.platform == "darwin" else 1e3
    processor = used.ru_utime + used.ru_stime
    return {"wall": wall, "processor": processor, "peak_mb": used.ru_maxrss / unit, **said}


def _agreement(runs: dict[str, Any]) -> dict[str, bool]:
    """Whether the others' figures are ours: mAP to 1e-9, rpctool's to what it prints."""
    ours, agree = runs["ours"]["figures"], {}
    for name, run in runs.items():
        if name in LIBRARIES:
            agree[name] = all(
                abs(theirs - mine) <= 1e-9
                for level, row in run["figures"]["mAP"].items()
                for theirs, mine in zip(row, ours["mAP"][level], strict=True)
            )
        elif name.startswith("rpctool"):
            agree[name] = run["figures"]["counts"] == ours["counts"]
    return agree


def _ratios(runs: dict[str, Any], clock: str) -> dict[str, float]:
    """How many times as long the others take as we do."""
    ours = {name: stage[clock] for name, stage in runs["ours"]["stages"].items()}
    counts = "counts, as rpctool"
    ratios = {}
    for name, run in runs.items():
        stages = {key: stage[clock] for key, stage in run["stages"].items()}
        if name == "rpctool":
            ratios["rpctool, counts"] = stages[counts] / ours[counts]
            # It reads within its counting: so with our reading.
            both = ours["reading"] + ours[counts]
            ratios["rpctool, counts with reading"] = stages[counts] / both
        elif name in LIBRARIES:
            ratios[f"{name}, mAP"] = stages["mAP"] / ours["mAP"]
            both = ours["reading"] + ours["mAP"]
            ratios[f"{name}, mAP with reading"] = (stages["reading"] + stages["mAP"]) / both
    return ratios


def _show(images: int, size: dict[str, Any]) -> None:
    table = Table(title=f"{images} images, seconds (processor seconds)", title_justify="left")
    stages = ("reading", "counts, as rpctool", "mAP", "counts and mAP")
    for column in ("", *stages, "whole process", "peak MB", "agrees"):
        table.add_column(column, justify="left" if not column else "right")
    for name, run in size["runs"].items():
        timed = [_seconds(run["stages"].get(stage)) for stage in stages]
        agrees = {True: "yes", False: "NO", None: ""}[size["agree"].get(name)]
        table.add_row(name, *timed, _seconds(run), f"{run['peak_mb']:.0f}", agrees)
    console = Console(width=None if sys.stdout.isatty() else 150)
    console.print(table)
    for name, ratio in size["ratios"]["wall"].items():
        processor = size["ratios"]["processor"][name]
        line = f"{name}: {ratio:.2f} times our time ({processor:.2f} of processor time)"
        console.print(line, highlight=False)


def _seconds(timed: dict[str, float] | None) -> str:
    return "" if timed is None else f"{timed['wall']:.2f} ({timed['processor']:.2f})"


def _settings(args: argparse.Namespace) -> dict[str, Any]:
    names = ("items", "detections", "skus", "seed", "repeats", "rpctool_repeats", "warm_up")
    return {
        **{name: getattr(args, name) for name in names},
        "clock": "median wall time; processor time of all threads beside it; a process each",
        "processor": machine()["cpu"],
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "commit": code_version().get("commit", ""),
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add = parser.add_argument
    sizes = [6000, 24000]
    add("--images", type=int, nargs="+", default=sizes, help="trays (default: 6000 24000)")
    add("--items", type=int, default=12, help="items a tray (default: 12)")
    add("--detections", type=int, default=30, help="boxes a tray (default: 30)")
    add("--skus", type=int, default=200, help="SKUs (default: 200)")
    add("--seed", type=int, default=0, help="of the files (default: 0)")
    add("--repeats", type=int, default=5, help="median of so many runs (default: 5)")
    add("--warm-up", type=int, default=1, help="runs before that (default: 1)")
    add("--only-ours", action="store_true", help="no other evaluator: for very large files")
    add("--rpctool-python", metavar="PATH", help="a Python with rpctool")
    add("--rpctool-repeats", type=int, default=1, help="it takes minutes (default: 1)")
    add("--rpctool-map", action="store_true", help="its mAP too, which takes many more")
    add(
        "--libraries-python",
        metavar="PATH",
        default=sys.executable,
        help="a Python with pycocotools, faster-coco-eval, hotcoco (default: this one)",
    )
    add("--out", type=Path, metavar="FILE", help="write the JSON there")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
