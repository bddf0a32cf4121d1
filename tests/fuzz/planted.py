"""Calls that do one wrong thing each, for the test of the watch: python -m tests.fuzz.planted."""

import os
import socket
import sys
from pathlib import Path

from tests.fuzz import watch
from tests.fuzz.runner import Runner


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
    print("error: a\x07b.jpg: cannot be read", file=sys.stderr)
    sys.exit(2)


def library(folder):
    """Let OpenCV warn of damage."""
    os.write(2, b"[ WARN:0@1.2] global grfmt_tiff.cpp:122 TIFF_Warning\n")


def code(folder):
    """End with another exit code."""
    sys.exit(3)


def main(folder):
    """Do all of it; prints a line on each."""
    runner, before = Runner(folder), (watch.CPU_SECONDS, watch.GROWTH)
    for plant in PLANTED:
        case = folder / plant.__name__
        (case / "out").mkdir(parents=True)
        watch.CPU_SECONDS = 0.2 if plant is time else before[0]
        watch.GROWTH = before[1]
        answer, faults = runner.call(lambda plant=plant, case=case: plant(case), case)
        print(plant.__name__, answer, *faults, flush=True)


PLANTED = (traceback, write, memory, time, program, network, lines, control, library, code)

if __name__ == "__main__":
    main(Path(sys.argv[1]))
