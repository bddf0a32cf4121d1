"""Runs calls on changed inputs, watches them, and counts answers and faults."""

import contextlib
import io
import os
import shutil
import sys
import tempfile
import traceback
import unicodedata
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from rpc.cli import leave
from tests.fuzz.watch import TooLongError, Watch

ROOT = Path(__file__).parents[2]
ALLOWED_CODES = {0, 1, 2}
LONGEST_LINE = 2_000


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
            folder = scratch / "case"
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            call = door.prepare(data.draw, seeds, folder)
            answer, faults = self.call(call, folder, door.outputs)
            answers[answer] += 1
            for fault in faults:
                self._keep(door.name, fault, folder)

        one()

    def call(self, call, folder, outputs=("out",)):
        """The answer to one input (`exit 0`, `exit 2`, ...), and the faults in it."""
        trace, code = "", None
        os.chdir(folder)
        with self.watch.over(*(folder / name for name in outputs), folder.parent / "tmp") as faults:
            with _told() as said, contextlib.redirect_stdout(io.StringIO()):
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
        text = "".join(said)
        faults += _foreign_lines(text)
        if code == leave.BAD_INPUT:
            lines = [one for one in text.splitlines() if one.startswith("error: ")]
            faults += _faults_of_lines(lines, text)
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


@contextlib.contextmanager
def _told():
    """Take all that is written to stderr, by C libraries too; a list that gets the text."""
    said, streams = [], (sys.stderr, os.dup(2))
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        sys.stderr = io.TextIOWrapper(io.FileIO(2, "w", closefd=False), write_through=True)
        try:
            yield said
        finally:
            sys.stderr = streams[0]
            os.dup2(streams[1], 2)
            os.close(streams[1])
            file.seek(0)
            said.append(file.read().decode("utf-8", "surrogateescape"))


def _foreign_lines(text):
    """Lines of libraries that no user of ours can do anything with."""
    lines = [one for one in text.splitlines() if one.startswith(("[ WARN", "[ERROR", "Traceback"))]
    return [f"a library's line on stderr: {lines[0][:12]}"] if lines else []


def _code(answer):
    return answer if isinstance(answer, int) else 0


def _faults_of_lines(lines, said):
    if "usage: " in said:  # argparse's own form
        return []
    if len(lines) != 1:
        return [f"{len(lines)} error lines for exit code 2"]
    controls = {one for one in lines[0] if _is_control(one)}
    kinds = sorted(set(map(unicodedata.category, controls)))
    faults = [f"characters of the kinds {kinds} in the error"] if controls else []
    return faults + (
        ["an error of more than 2,000 characters"] if len(lines[0]) > LONGEST_LINE else []
    )


def _is_control(character):
    """Whether a terminal would obey a character, or letters around it would change places."""
    turned = ("LRE", "RLE", "LRO", "RLO", "LRI", "RLI", "FSI")
    return (
        unicodedata.category(character) in ("Cc", "Cs")
        or unicodedata.bidirectional(character) in turned
    )


def _where(error):
    """Kind of an exception and the innermost place in our own code."""
    ours = [
        f"{Path(frame.filename).relative_to(ROOT)}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename.startswith((str(ROOT / "rpc"), str(ROOT / "synth")))
    ]
    return f"{type(error).__name__} at {ours[-1] if ours else '?'}: {str(error)[:80]}"
