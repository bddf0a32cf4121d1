"""Feed the program changed inputs and note what it does wrong; a seeded run, a report in JSON.

    python -m tests.fuzz.run --inputs 1000 --seed 1 --out out/fuzz

Wrong is: an exception other than the errors for bad input (a traceback for the user), more than 10
seconds of processor time or 2 GB more memory, a file changed outside the output folder, a program
started, a connection opened, an error of several lines or with control characters. The first input
of each kind of fault is kept in `OUT/faults/`. Exit code 1 when there is a fault.
"""

import argparse
import contextlib
import io
import json
import os
import shutil
import sys
import tempfile
import time
import traceback
import unicodedata
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from rpc.cli import leave
from tests.fuzz.doors import DOORS
from tests.fuzz.seeds import make_seeds
from tests.fuzz.watch import TooLongError, Watch

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


class Runner:
    """Runs inputs, and counts answers and faults."""

    def __init__(self, out):
        self.out = out
        self.watch = Watch()
        self.answers = {}
        self.faults = {}

    def through(self, door, seeds, number, chance, scratch):
        """Send `number` inputs through a door; the same ones for the same `chance`."""
        answers = self.answers.setdefault(door.name, Counter())
        done = 0

        @seed(chance)
        @settings(
            max_examples=number,
            deadline=None,
            database=None,
            derandomize=False,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(st.data())
        def one(data):
            nonlocal done
            if done >= number:
                return
            folder = scratch / "case"
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            call = door.prepare(data.draw, seeds, folder)
            done += 1
            answer, faults = self.call(call, [folder / name for name in door.outputs])
            answers[answer] += 1
            for fault in faults:
                self._keep(door.name, fault, folder)

        one()

    def call(self, call, outputs):
        """The answer to one input (`exit 0`, `exit 2`, ...), and the faults in it."""
        folder, scratch = outputs[0].parent, outputs[0].parents[1]
        said, trace, code = io.StringIO(), "", None
        os.chdir(folder)
        with self.watch.over(*outputs, scratch / "tmp") as faults:
            with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
                try:
                    leave.run(lambda _: _code(call()))
                except SystemExit as end:
                    code = end.code
                except TooLongError:
                    raise
                except BaseException as error:  # noqa: BLE001 - whatever a user would see
                    trace = _where(error)
        os.chdir(ROOT)
        if trace:
            faults.append(trace)
        elif code not in ALLOWED_CODES:
            faults.append(f"exit code {code!r:.80}")
        lines = [one for one in said.getvalue().splitlines() if one.startswith("error: ")]
        if code == leave.BAD_INPUT:
            faults += _faults_of_lines(lines, said.getvalue())
        return ("traceback" if trace else f"exit {code}"), list(dict.fromkeys(faults))

    def _keep(self, door, fault, folder):
        kind = f"{door}: {fault}"
        known = self.faults.setdefault(kind, {"count": 0, "input": ""})
        known["count"] += 1
        if known["count"] == 1:
            kept = self.out / "faults" / f"{len(self.faults):03}"
            shutil.rmtree(kept, ignore_errors=True)
            shutil.copytree(folder, kept, symlinks=True)
            (kept / "fault.txt").write_text(kind + "\n", errors="backslashreplace")
            known["input"] = str(kept.relative_to(self.out))

    def line(self, door):
        """One line on a door, for the screen."""
        answers = ", ".join(f"{n} {name}" for name, n in sorted(self.answers[door].items()))
        kinds = sum(kind.startswith(f"{door}: ") for kind in self.faults)
        return f"{door}: {answers}; {kinds} kinds of faults"

    def report(self):
        """All figures, for JSON."""
        return {
            "inputs": sum(sum(one.values()) for one in self.answers.values()),
            "answers": {door: dict(sorted(one.items())) for door, one in self.answers.items()},
            "faults": self.faults,
        }


def _code(answer):
    return answer if isinstance(answer, int) else 0


def _faults_of_lines(lines, said):
    if "usage: " in said:  # argparse's own form
        return []
    if len(lines) != 1:
        return [f"{len(lines)} error lines for exit code 2"]
    controls = {one for one in lines[0] if unicodedata.category(one) in ("Cc", "Cf", "Cs")}
    kinds = sorted(set(map(unicodedata.category, controls)))
    faults = [f"characters of the kinds {kinds} in the error"] if controls else []
    return faults + (
        ["an error of more than 2,000 characters"] if len(lines[0]) > LONGEST_LINE else []
    )


def _where(error):
    """Kind of an exception and the innermost place in our own code."""
    ours = [
        f"{Path(frame.filename).relative_to(ROOT)}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename.startswith((str(ROOT / "rpc"), str(ROOT / "synth")))
    ]
    return f"{type(error).__name__} at {ours[-1] if ours else '?'}: {str(error)[:80]}"


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
