"""The way out of every tool: bad input is one line on stderr and an exit code, no traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import NoReturn

BAD_INPUT = 2
INTERRUPTED = 130  # 128 + SIGINT, as a shell reports it
HEADLESS = "run: pip install --force-reinstall --no-deps opencv-python-headless"


def run(main: Callable[[list[str] | None], int]) -> NoReturn:
    """Call `main(None)` and leave the process with its exit code.

    Bad input (`DataError` and any other ValueError, OSError) becomes one line on stderr and exit
    code 2; Ctrl-C becomes 130. Anything else is a fault of ours and keeps its traceback, and so
    do all errors where the environment variable `RPC_TRACEBACK` is set.
    """
    try:
        code = main(None)
        sys.stdout.flush()  # a closed pipe shows here, not in the interpreter's last breath
    except KeyboardInterrupt:
        _say("interrupted; run the same command again to go on")
        code = INTERRUPTED
    except BrokenPipeError:
        # The reader (`| head`) has gone: nothing is wrong, and nobody listens any more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except (ValueError, OSError) as error:
        if os.environ.get("RPC_TRACEBACK"):
            raise
        _say(f"error: {one_line(error)}")
        code = BAD_INPUT
    except ImportError as error:
        if "libGL" not in str(error):
            raise
        # A server without a screen: opencv-python's library of windows is not there.
        _say(f"error: OpenCV: {one_line(error)}; {HEADLESS}")
        code = BAD_INPUT
    sys.exit(code)


def say_stopped() -> int:
    """Say how a stopped training goes on; returns the exit code of an interruption."""
    _say("stopped; the same command with --resume goes on from here")
    return INTERRUPTED


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
    from rpc.cli.main import main

    run(main)
