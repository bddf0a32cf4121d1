"""Five hundred changed inputs through every door; and the watch notes what it should.

The drill sends ten thousand (`make drill`). Both print each fault's first input.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.fuzz.doors import DOORS

ROOT = Path(__file__).parents[2]
INPUTS = 500
WITHOUT_DATA = {"config", "--cfg-options", "command line"}  # refused at the latest for that


def run(module, *arguments):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "ignore", "-m", module, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


def test_changed_inputs_are_refused_in_one_line_or_used_at_every_door(tmp_path):
    done = run("tests.fuzz.run", "--inputs", INPUTS, "--seed", 1, "--out", tmp_path)
    assert (tmp_path / "fuzz.json").exists(), done.stderr[-2000:]
    report = json.loads((tmp_path / "fuzz.json").read_text())
    assert report["faults"] == {}
    assert done.returncode == 0
    assert set(report["answers"]) == {door.name for door in DOORS}
    assert report["inputs"] > 0.95 * INPUTS
    for door, answers in report["answers"].items():
        assert answers.get("exit 0") or door in WITHOUT_DATA, (door, answers)
        assert answers.get("exit 2") or answers.get("exit 1"), (door, answers)


PLANTED = {
    "traceback": "KeyError at",
    "write": "open outside the output folder",
    "memory": "GB more memory",
    "time": "took too long",
    "program": "os.system",
    "network": "socket.connect",
    "lines": "0 error lines",
    "control": "characters of the kinds ['Cc']",
    "library": "a library's line on stderr",
    "code": "exit code 3",
}


def test_each_kind_of_fault_is_noted(tmp_path):
    done = run("tests.fuzz.planted", tmp_path)
    told = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    assert set(told) == set(PLANTED), done.stderr[-2000:]
    for kind, words in PLANTED.items():
        assert words in told[kind], told
