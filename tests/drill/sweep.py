"""Strikes jobs at moments drawn by chance and counts what goes wrong.

Run it as `python -m tests.drill.sweep`.

A job's moments lie between its first line of Python and its end; signals and receivers (the
process alone or its group) take turns. After each strike the job is run to its end, and must leave
what an undisturbed one leaves.
"""

import argparse
import shutil
import signal
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rpc.data.files import DataError, read_json_value, write_json
from rpc.data.images import read_rgba
from tests.drill.jobs import jobs, make_inputs
from tests.drill.strikes import After, broken_off, contents, run, strike

FIRST = 0.06  # seconds: before it, Python itself starts, and hears signals its own way
NUMBERS = {
    "SIGINT": signal.SIGINT,
    "SIGTERM": signal.SIGTERM,
    "SIGHUP": signal.SIGHUP,
    "SIGKILL": signal.SIGKILL,
}


@dataclass(frozen=True)
class Point:
    """One strike: of which job, when, with what, and what was wrong afterwards."""

    job: str
    seconds: float
    signal: str
    group: bool
    struck: bool
    code: int
    faults: tuple[str, ...]


def sweep(job, root, points, seed, signals=("SIGINT", "SIGTERM"), again=True):
    """Strike a job at so many moments; yields a point each.

    Args:
        job: a `JobCase`.
        root: folder for what is made.
        points: how many moments.
        seed: of the moments.
        signals: names, which take turns, each at the group and at the process alone.
        again: whether the job is run to its end afterwards.
    """
    whole = run(job.line(root / "whole"), root / "notes")
    if whole.code != 0:
        raise RuntimeError(f"{job.name}: undisturbed, it ends with {whole.code}: {whole.stderr}")
    right = contents(root / "whole", *job.same) if job.same else {}
    seconds = max(whole.seconds, FIRST)
    rng = np.random.default_rng([seed, len(job.name)])
    edges = np.linspace(FIRST, seconds, points + 1)
    for number in range(points):
        at = float(rng.uniform(edges[number], edges[number + 1]))
        name, group = signals[number % len(signals)], (number // len(signals)) % 2 == 0
        out = root / "struck"
        shutil.rmtree(out, ignore_errors=True)
        struck = strike(job.line(out), root / "notes", After(at), NUMBERS[name], group=group)
        faults = list(_faults(struck, name, out))
        if again and not (struck.code == 0 and not faults):
            faults += _faults_of_second(job, out, root, right)
        yield Point(job.name, at, name, group, struck.struck, struck.code, tuple(faults))


def _faults(struck, name, out):
    yield from (f"cut off: {path.name}" for path in _cut_off(out))
    if name == "SIGKILL":
        if struck.left:
            yield f"left processes: {struck.left}"
        return
    yield from struck.faults()
    if struck.code != 0:
        yield from (f"left {path.name}" for path in broken_off(out))


def _cut_off(out):
    """Files under their final names that cannot be read to the end."""
    readers = {".json": read_json_value, ".png": read_rgba, ".jpg": read_rgba}
    for path in sorted(out.rglob("*")):
        if "vis_data" in path.parts or path.name.startswith("."):  # mmengine's log, line by line
            continue
        if path.is_file() and path.suffix in readers:
            try:
                readers[path.suffix](path)
            except DataError:
                yield path


def _faults_of_second(job, out, root, right):
    """Run the job to its end; what differs from an undisturbed one."""
    second = run(job.line(out, again=True), root / "notes")
    whole = "already" in second.stderr and (out / job.done).is_file()  # killed as it was done
    if second.code != 0 and not whole:
        return [f"run again: exit code {second.code}: {second.stderr[-400:]!r}"]
    found = [f"left for good: {path.name}" for path in broken_off(out)]
    if job.done and not (out / job.done).is_file():
        found.append(f"run again: no {job.done}")
    if right:
        now = contents(out, *job.same)
        odd = sorted(k for k in right.keys() | now.keys() if right.get(k) != now.get(k))
        found += [f"run again: {len(odd)} files differ, such as {odd[0]}"] if odd else []
    return found


def main(argv=None):
    """Sweep the jobs that the command line names; the exit code is 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--jobs", nargs="+", metavar="NAME", help="(default: all)")
    parser.add_argument("--points", type=int, default=20, help="of each job (default: 20)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (default: 0)")
    parser.add_argument("--signals", nargs="+", default=["SIGINT", "SIGTERM"], choices=NUMBERS)
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the figures as JSON")
    parser.add_argument("--once", action="store_true", help="do not run a job again afterwards")
    args = parser.parse_args(argv)
    tried, wrong, ends = Counter(), Counter(), {}
    with tempfile.TemporaryDirectory() as folder:
        inputs = make_inputs(Path(folder) / "inputs")
        known = jobs(inputs)
        for name in args.jobs or known:
            root = Path(folder) / name.replace(" ", "_")
            points = sweep(
                known[name], root, args.points, args.seed, args.signals, again=not args.once
            )
            for point in points:
                tried[name] += 1
                wrong[name] += bool(point.faults)
                kind = f"{point.signal} to its {'group' if point.group else 'process'}"
                end = ends.setdefault(name, {}).setdefault(kind, Counter())
                end[f"exit {point.code}"] += 1
                if point.faults:
                    end["wrong"] += 1
                to = "group" if point.group else "process"
                print(f"{name}: {point.signal} to {to} at {point.seconds:.2f} s: {point.code}",
                      *point.faults, sep="\n    " if point.faults else " ", flush=True)  # fmt: skip
            if args.out:
                write_json(args.out, {"points": args.points, "seed": args.seed, "jobs": ends})
    for name, number in tried.items():
        print(f"{name}: {wrong[name]} of {number} points wrong")
    return int(bool(wrong.total()))


if __name__ == "__main__":
    sys.exit(main())
