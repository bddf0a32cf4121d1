"""The way in and out of every tool: bad input is one line and an exit code, and so is a stop."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib import import_module
from typing import NoReturn

# Nothing that takes time before signals are heard.
from rpc.runs.interruption import (
    count_as_ours,
    follow_starter,
    leave_at_signals,
    listen,
    only_note_signals,
    stop_requested,
)

BAD_INPUT = 2
STOPPED = 130  # 128 + SIGINT, as a shell reports it; for every signal that asks to stop
GO_ON = "run the same command again to go on"
HEADLESS = "run: pip install --force-reinstall --no-deps opencv-python-headless"

Main = Callable[[list[str] | None], int]


def run(main: str | Main) -> NoReturn:
    """Call `main(None)` and leave the process with its exit code.

    Bad input (`DataError` and any other ValueError, OSError) becomes one line on stderr and exit
    code 2; Ctrl-C, SIGTERM or a closed terminal one line and 130, whatever comes of it further
    down. Anything else is a fault of ours and keeps its traceback, and so do all errors where the
    environment variable `RPC_TRACEBACK` is set.

    Args:
        main: of a verb, or the name of the verb's module, which is imported with signals heard.
    """
    code = 1
    try:
        listen(_stop_at_once)
        follow_starter()
        from rpc.cli.notes import show_notes

        show_notes()
        call: Main = import_module(main).main if isinstance(main, str) else main
        count_as_ours(call)
        code = call(None)
        from rpc.data.photo_notes import note_totals

        note_totals()
        sys.stdout.flush()  # a closed pipe shows here, not in the interpreter's last breath
    except SystemExit:
        raise
    except BaseException as error:
        stopped = stop_requested() or isinstance(error, KeyboardInterrupt)
        only_note_signals()
        told = _say_stopped() if stopped else _say_failed(error)
        if told is None:
            raise
        code = told
    finally:
        leave_at_signals(code)
    sys.exit(code)


def _say_failed(error: BaseException) -> int | None:
    """One line on bad input; returns the exit code, or None for a fault of ours."""
    if isinstance(error, BrokenPipeError):
        # The reader (`| head`) has gone: nothing is wrong, and nobody listens any more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    if isinstance(error, ValueError | OSError) and not os.environ.get("RPC_TRACEBACK"):
        from rpc.cli.notes import harmless

        _say(f"error: {harmless(one_line(error))}")
        return BAD_INPUT
    if isinstance(error, ImportError) and "libGL" in str(error):
        # A server without a screen: opencv-python's library of windows is not there.
        _say(f"error: OpenCV: {one_line(error)}; {HEADLESS}")
        return BAD_INPUT
    if isinstance(error, ModuleNotFoundError) and not os.environ.get("RPC_TRACEBACK"):
        from rpc.data.packages import how_to_install, is_of_an_extra

        if is_of_an_extra(error.name):  # an installation that counts, asked to train
            _say(f"error: {how_to_install((error.name or '').partition('.')[0], error)}")
            return BAD_INPUT
    return None


def say_stopped(how: str = "the same command with --resume goes on from here") -> int:
    """Say how a stopped training goes on, or what else is so; returns the exit code of a stop."""
    return _say_stopped(how)


def _say_stopped(how: str = GO_ON) -> int:
    try:
        _say(f"stopped; {how}")
    except OSError:
        pass  # the terminal was closed
    return STOPPED


def _stop_at_once(again: bool) -> NoReturn:
    """Leave from within a handler of signals, where `print` may be at work further down."""
    words = "stopped at once; what was saved is kept" if again else f"stopped; {GO_ON}"
    try:
        os.write(2, f"{words}\n".encode())
        sys.stdout.flush()
    finally:
        os._exit(STOPPED)


def one_line(error: BaseException) -> str:
    """The error's text on one line: a system error as `file: what is wrong`."""
    if isinstance(error, OSError) and error.strerror:
        text = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    else:
        text = str(error) or type(error).__name__
    return " ".join(text.split())


def _say(line: str) -> None:
    print(line, file=sys.stderr)


def command() -> NoReturn:
    """The console script `rpc-checkout`."""
    run("rpc.cli.main")
