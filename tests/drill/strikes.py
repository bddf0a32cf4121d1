"""Starts a command as a user does, sends it a signal at a chosen moment, and says what was left.

The command gets a session of its own, so that whatever it starts can be found afterwards, and a
signal to its group reaches all of it, as Ctrl-C, `timeout`, systemd and scancel do.
"""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATIENCE = 120.0  # seconds for a moment to come, and for the end after a signal
LINGER = 8.0  # seconds that processes have to follow one that was killed
BROKEN_OFF = ("*.part*", "*.tmp", "*~")


@dataclass(frozen=True)
class After:
    """So many seconds after the start."""

    seconds: float

    def come(self, running):
        return time.monotonic() - running.began >= self.seconds


@dataclass(frozen=True)
class AtLine:
    """Seconds after a line with this text was written, to stdout or stderr."""

    text: str
    seconds: float = 0.0

    def come(self, running):
        if self.text not in running.said():
            running.marks.pop(self, None)
            return False
        return time.monotonic() - running.marks.setdefault(self, time.monotonic()) >= self.seconds


@dataclass(frozen=True)
class AtFile:
    """Seconds after so many files of a pattern are there."""

    folder: Path
    pattern: str
    count: int = 1
    seconds: float = 0.0

    def come(self, running):
        if len(list(self.folder.glob(self.pattern))) < self.count:
            return False
        return time.monotonic() - running.marks.setdefault(self, time.monotonic()) >= self.seconds


@dataclass(frozen=True)
class AtWorker:
    """Seconds after so many processes beside the first one are there."""

    count: int = 1
    seconds: float = 0.0

    def come(self, running):
        if len(running.others()) < self.count:
            return False
        return time.monotonic() - running.marks.setdefault(self, time.monotonic()) >= self.seconds


@dataclass(frozen=True)
class Struck:
    """How a command ended.

    Attributes:
        code: its exit code; -9 for one that was killed.
        stdout: what it wrote.
        stderr: what it wrote there.
        struck: whether the moment came before the end.
        seconds: from the signal to the end.
        left: command lines of processes that were still there `LINGER` seconds later.
        hung: it did not end, and was killed.
    """

    code: int
    stdout: str
    stderr: str
    struck: bool
    seconds: float
    left: tuple[str, ...]
    hung: bool = False

    def faults(self, code=130, line="stopped"):
        """What is not as it should be after a signal that asks to stop; empty where all is well.

        A command that was done just before is right, too.
        """
        found = []
        if self.hung:
            found.append(f"did not end within {PATIENCE:.0f} s")
        if self.left:
            found.append(f"left processes: {self.left}")
        if self.code == 0 and "Traceback" not in self.stderr:
            return found  # it was done before the signal was heard
        if self.code != code:
            found.append(f"exit code {self.code}")
        lines = [one for one in self.stderr.splitlines() if not is_progress(one)]
        if len(lines) != 1 or not lines[0].startswith(line):
            found.append(f"{len(lines)} lines on stderr: {self.stderr[-600:]!r}")
        return found


def is_progress(line):
    """A line of the display of a training, which is no part of how it ends."""
    if line.startswith(("warning: ", "validation at ")):
        return True
    return "% " in line and "updates" in line


@dataclass
class Running:
    """A command at work."""

    process: subprocess.Popen
    out: Path
    err: Path
    began: float = field(default_factory=time.monotonic)
    marks: dict = field(default_factory=dict)

    def said(self):
        return "".join(
            p.read_text(encoding="utf-8", errors="replace") for p in (self.out, self.err)
        )

    def others(self):
        """Processes of its session beside the first, as (pid, command line)."""
        return [one for one in session_of(self.process.pid) if one[0] != self.process.pid]

    def wait_for(self, moment):
        """Wait for a moment; whether it came before the end."""
        limit = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            if moment.come(self):
                return True
            if time.monotonic() > limit:
                return False
            time.sleep(0.005)
        return False

    def end(self, struck):
        """Wait for the end; what was left."""
        began, hung = time.monotonic(), False
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            hung = True
            self.process.kill()
            self.process.wait()
        seconds = time.monotonic() - began
        limit = time.monotonic() + LINGER
        while (others := self.others()) and time.monotonic() < limit:
            time.sleep(0.05)
        for pid, _ in others:
            os.kill(pid, signal.SIGKILL)
        return Struck(
            self.process.returncode,
            _text(self.out),
            _text(self.err),
            struck,
            seconds,
            tuple(line for _, line in others),
            hung,
        )


def start(command, notes, *, environment=None):
    """Start a command; `notes` is a folder for what it says.

    It hears Ctrl-C even where this process does not: a shell starts background jobs deaf to it.
    """
    notes.mkdir(parents=True, exist_ok=True)
    out, err = notes / "stdout.txt", notes / "stderr.txt"
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, *map(str, command)],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            cwd=ROOT,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "OMP_NUM_THREADS": "1",
                **(environment or {}),
            },
            start_new_session=True,
            preexec_fn=_hear_everything,
        )
    return Running(process, out, err)


def strike(command, notes, moment, number, *, group=True, environment=None):
    """Start a command, send a signal at a moment to its group or to itself alone, and wait."""
    running = start(command, notes, environment=environment)
    struck = running.wait_for(moment)
    if struck:
        send(running.process.pid, number, group)
    return running.end(struck)


def send(pid, number, group):
    """Send a signal, to a process or to its group."""
    try:
        (os.killpg if group else os.kill)(pid, number)
    except ProcessLookupError:
        pass  # it ended just now


def run(command, notes, *, environment=None):
    """Run a command to its end, undisturbed."""
    return start(command, notes, environment=environment).end(struck=False)


def session_of(leader):
    """Processes of a session that are alive, as (pid, command line)."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            # pid (name) state ppid pgrp session ...; a name may hold spaces and brackets
            state, _, _, session = (entry / "stat").read_text().rpartition(")")[2].split()[:4]
            if int(session) == leader and state not in "ZX":
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ")
                found.append((int(entry.name), line.decode(errors="replace").strip()))
        except (OSError, ValueError):
            continue  # it ended meanwhile
    return found


def broken_off(folder):
    """Files of a folder that something began and did not finish."""
    return sorted(path for pattern in BROKEN_OFF for path in folder.rglob(pattern))


def contents(folder, *patterns):
    """The bytes of a folder's files by their path in it."""
    found = sorted(path for pattern in patterns for path in folder.rglob(pattern))
    return {str(path.relative_to(folder)): path.read_bytes() for path in found if path.is_file()}


def _text(path):
    return path.read_text(encoding="utf-8", errors="replace")


def _hear_everything():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
