"""The main job: product photos in, shopping lists of held-out trays and an honest report out.

Runs on any RPC-shaped folder (exemplars/, val/, test/, instances_{train,val,test}.json): cut-outs,
composed scenes, training, counting rule on val, report on test, annotated trays. Interrupted, the
same command goes on where it stopped.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

# Read by OpenMP when torch is imported: spinning threads slow every neighbour on a shared machine.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from door import run
from journal import StepJournal

ROOT = Path(__file__).resolve().parent.parent
STORE = ROOT / "examples" / "ministore"
CONFIG = ROOT / "configs" / "cpu_default.py"
START = ROOT / "rpc" / "weights" / "start.pth"
DETECTOR_SHARE = 0.45  # of the training time; the rest goes to the recogniser


def main(argv: list[str] | None = None) -> int:
    """Run all steps, say what they did, print the table."""
    args = _parser().parse_args(argv)
    began = time.monotonic()
    from job import Job

    job = Job(
        data=args.data,
        out=args.out,
        config=args.config,
        start=None if args.start == Path("none") else args.start,
        minutes=args.minutes,
        scenes=args.scenes,
        seed=args.seed,
        workers=args.workers,
        single=args.single,
        agnostic=args.agnostic,
        measure=args.measure,
    )
    journal = StepJournal(args.out, job.settings())
    steps = [
        ("cut-outs", job.cut_out),
        ("sizes", job.estimate_sizes),
        ("backgrounds", job.find_backgrounds),
        ("scenes", job.compose),
        ("detector", lambda: job.train_detector(DETECTOR_SHARE)),
        ("recogniser", lambda: job.train_recogniser(1 - DETECTOR_SHARE)),
        ("counting rule", job.choose_rule),
        (args.measure, job.detect_test),
    ]
    for number, (name, step) in enumerate(steps, start=1):
        print(f"[{number}/{len(steps) + 1}] {name}", flush=True)
        journal.run(name, step)
    print(f"[{len(steps) + 1}/{len(steps) + 1}] report", flush=True)
    job.report(journal.seconds)
    print(f"{time.monotonic() - began:.0f} s in this run; report: {args.out / 'report.md'}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add(
        "--data", type=Path, default=STORE, metavar="ROOT", help="store (default: the embedded one)"
    )
    add(
        "--out",
        type=Path,
        default=Path("out/quickstart"),
        metavar="DIR",
        help="(default: %(default)s)",
    )
    add("--minutes", type=float, default=12.0, help="time for training (default: %(default)s)")
    add("--scenes", type=int, default=2000, help="composed scenes (default: %(default)s)")
    add("--seed", type=int, default=0, help="of scenes and training (default: %(default)s)")
    add("--config", type=Path, default=CONFIG, help="of the detector (default: the CPU default)")
    add("--start", type=Path, default=START, help="model to start from, or 'none' (default: ours)")
    add("--workers", type=int, default=os.cpu_count() or 1, help="processes (default: all cores)")
    add("--single", action="store_true", help="baseline: train on the raw exemplars, no scenes")
    add("--agnostic", action="store_true", help="count products without naming them")
    add(
        "--measure",
        choices=("val", "test"),
        default="test",
        help="split to report on; with val, the rule comes from composed scenes (default: test)",
    )
    return parser


if __name__ == "__main__":
    run(main)
