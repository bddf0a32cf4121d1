"""Calls that do one wrong thing each, for the test of the watch: python -m tests.fuzz.planted."""

import os
import socket
import sys
from pathlib import Path

from tests.fuzz import watch
from tests.fuzz.run import Runner


def traceback(folder):
    """Raise what is no error of bad input."""
    raise KeyError("gone")


def write(folder):
    """Write beside the output folder."""
    (folder / "beside.txt").write_text("x")


def memory(folder):
    """Take 30 MB where 20 are allowed."""
    watch.GROWTH = 20 << 20
    assert len(bytearray(b"x") * (30 << 20))


def time(folder):
    """Work for longer than is allowed."""
    while True:
        pass


def program(folder):
    """Start a program."""
    os.system("true")


def network(folder):
    """Open a connection."""
    with socket.socket() as one:
        one.settimeout(0.1)
        one.connect_ex(("127.0.0.1", 9))


def lines(folder):
    """End like bad input, without a word."""
    sys.exit(2)


def control(folder):
    """Refuse with a name that rings the bell."""
    raise ValueError("a\x07b.jpg: cannot be read")


def code(folder):
    """End with another exit code."""
    sys.exit(3)


if __name__ == "__main__":
    watch.CPU_SECONDS = 0.2
    case = Path(sys.argv[2]) / "case"
    (case / "out").mkdir(parents=True)
    answer, faults = Runner(case).call(lambda: globals()[sys.argv[1]](case), [case / "out"])
    print(answer, *faults)
