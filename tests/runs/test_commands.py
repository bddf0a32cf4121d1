"""Commands started beside this process stop when it asks or is gone."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from rpc.runs.commands import Commands

ROOT = Path(__file__).parents[2]
# As a tool does: hears signals, follows who started it, works.
COMMAND = """
import sys, time
from rpc.cli.leave import run
def main(argv):
    print("works", file=sys.stderr, flush=True)
    open(sys.argv[1], "w").close()
    time.sleep(60)
    return 0
run(main)
"""
STARTER = """
import sys
from rpc.runs.commands import Commands
Commands().run(sys.argv[1:], {})
"""
ENVIRONMENT = {"PYTHONPATH": str(ROOT)}


def script(folder):
    path = folder / "works.py"
    path.write_text(COMMAND)
    return path


def wait_for(path):
    limit = time.monotonic() + 60
    while not path.exists() and time.monotonic() < limit:
        time.sleep(0.01)


def test_what_runs_stops_when_asked_and_nothing_begins_any_more(tmp_path):
    commands, done = Commands(), []
    line = [sys.executable, script(tmp_path), str(tmp_path / "begun")]
    thread = threading.Thread(target=lambda: done.append(commands.run(line, ENVIRONMENT)))
    thread.start()
    wait_for(tmp_path / "begun")
    commands.stop()
    thread.join(30)
    assert done[0].returncode == 130
    assert done[0].stderr == "works\nstopped; run the same command again to go on\n"
    assert commands.run(line, ENVIRONMENT).returncode == 130


def test_a_command_stops_when_its_starter_was_killed(tmp_path):
    line = [sys.executable, "-c", STARTER, sys.executable, "-c", COMMAND, tmp_path / "begun"]
    with subprocess.Popen(
        line, env={**os.environ, **ENVIRONMENT}, start_new_session=True
    ) as starter:
        wait_for(tmp_path / "begun")
        (child,) = (
            int(pid)
            for pid in Path(f"/proc/{starter.pid}/task/{starter.pid}/children").read_text().split()
        )
        starter.send_signal(signal.SIGKILL)
        starter.wait()
        limit = time.monotonic() + 30
        while Path(f"/proc/{child}/exe").exists() and time.monotonic() < limit:
            time.sleep(0.02)
        assert not Path(f"/proc/{child}/exe").exists()


def test_a_command_that_ends_by_itself_is_told_with_its_words():
    line = [sys.executable, "-c", "import sys; sys.exit('wrong')"]
    done = Commands().run(line, {})
    assert (done.returncode, done.stderr) == (1, "wrong\n")
