"""Feed the program changed inputs and note what it does wrong; a seeded run, a report in JSON.

    python -m tests.fuzz.run --inputs 1000 --seed 1 --out out/fuzz

Wrong is: an exception other than the errors for bad input (a traceback for the user), more than 10
seconds of processor time or 2 GB more memory, a file changed outside the output folder, a program
started, a connection opened, an error of several lines or with control characters. The first input
of each kind of fault is kept in `OUT/faults/`. Exit code 1 when there is a fault.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzz.doors import DOORS
from tests.fuzz.runner import Runner
from tests.fuzz.seeds import make_seeds

ROOT = Path(__file__).parents[2]
ALLOWED_CODES = {0, 1, 2}
LONGEST_LINE = 2_000


def main(argv=None):
    """Run as the command line says; returns the exit code."""
    args = _parser().parse_args(argv)
    out = args.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    runner = Runner(out)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch).resolve()
        (scratch / "tmp").mkdir()
        # Where libraries may put what is temporary, and their settings.
        os.environ |= dict.fromkeys(("TMPDIR", "HOME", "MPLCONFIGDIR"), str(scratch / "tmp"))
        tempfile.tempdir = None
        seeds = make_seeds(scratch / "seeds")
        for door, number in _shares(args.inputs, args.door):
            runner.through(door, seeds, number, args.seed, scratch)
            print(runner.line(door.name), file=sys.stderr, flush=True)
    report = runner.report() | {"seed": args.seed, "seconds": round(time.monotonic() - begun, 1)}
    (out / "fuzz.json").write_text(json.dumps(report, indent=1))
    return 1 if report["faults"] else 0


def _shares(inputs, wanted):
    """Each door with its part of the inputs."""
    doors = [door for door in DOORS if not wanted or door.name in wanted]
    whole = sum(door.share for door in doors)
    return [(door, max(1, round(inputs * door.share / whole))) for door in doors]


def _parser():
    made = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    made.add_argument("--inputs", type=int, default=1000)
    made.add_argument("--seed", type=int, default=1)
    made.add_argument("--out", type=Path, default=Path("out/fuzz"))
    made.add_argument("--door", action="append", choices=[door.name for door in DOORS])
    return made


if __name__ == "__main__":
    sys.exit(main())
