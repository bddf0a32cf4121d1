"""Ctrl-C, SIGTERM and a closed terminal: heard at any moment, obeyed where that breaks nothing.

A tool listens from its first line on (`listen`). The first signal ends the work by a
KeyboardInterrupt, but only in code of this project: foreign code may hold a bare `except:` that
makes something else of it, or be half-way through an import, so the exception waits until that
code has returned. Of an import the process is left at once: it may take many seconds, and nothing
is half-written by then. A training asks for more (`Interruption`): it saves its state first. A
second signal, a second later or more, stops at once.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, Final, NoReturn

STOP_SIGNALS: Final = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
# `timeout` and others signal the process and then its group: the same wish, heard twice.
SAME_WISH: Final = 1.0  # seconds
FOLLOWS: Final = "RPC_FOLLOWS_STDIN"  # environment variable

_HOME: Final = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120
_OURS: Final = tuple(os.path.join(_HOME, root, "") for root in ("rpc", "synth"))  # noqa: PTH118
# Called by Python in the middle of its own work: of starting a process, and of a signal.
_CALLED_BACK: Final = (os.path.join(_HOME, "rpc", "data", "worker_processes.py"), __file__)  # noqa: PTH118
_STANDARD: Final = os.path.dirname(os.path.abspath(threading.__file__))  # noqa: PTH100, PTH120
# Where Python waits for others; but not half-way through starting or ending them.
_WAITING: Final = tuple(
    os.path.join(_STANDARD, *name.split("/"))  # noqa: PTH118
    for name in (
        "threading.py",
        "queue.py",
        "selectors.py",
        "subprocess.py",
        "concurrent/futures/_base.py",
        "concurrent/futures/process.py",
    )
)
_IMPORT: Final = "<frozen importlib._bootstrap>"
_CHANGING: Final = ("submit", "shutdown", "__init__", "start")


class _Wish:
    """The wish to stop, as the process has heard it.

    Attributes:
        at: when it was first heard.
        heeded_by: blocks that look at the wish themselves; without any, it is an exception.
        at_once: the way out of an import (False), and at a second signal (True); None raises
            KeyboardInterrupt.
        script: file of a tool's own code that lies elsewhere than the project's packages.
    """

    def __init__(self) -> None:
        self.at: float | None = None
        self.heeded_by = 0
        self.at_once: Callable[[bool], NoReturn] | None = None
        self.script = ""

    def hear(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal."""
        now = time.monotonic()
        if self.at is None:
            self.at = now
            if not self.heeded_by:
                _raise_in_our_code(frame)
        elif now - self.at > SAME_WISH:
            if self.at_once is not None:
                self.at_once(True)
            raise KeyboardInterrupt


_WISH: Final = _Wish()


def listen(at_once: Callable[[bool], NoReturn]) -> None:
    """Hear signals for the rest of the process: a tool's first step.

    A signal that the process was started deaf to (`nohup`, a shell's background job) stays so.

    Args:
        at_once: leaves the process, in the middle of an import or (True) at a second signal.
    """
    _WISH.at, _WISH.heeded_by, _WISH.at_once, _WISH.script = None, 0, at_once, ""
    _handle(_WISH.hear)
    # Registered first, it is called last: from then on Python would die of a signal.
    atexit.register(_handle, signal.SIG_IGN)


def count_as_ours(main: Callable[..., Any]) -> None:
    """A signal may end the work in the file of this function, too."""
    _WISH.script = getattr(getattr(main, "__code__", None), "co_filename", "")


def follow_starter() -> None:
    """Where `rpc.runs.commands` started this process: its end is heard as SIGTERM is."""
    if os.environ.pop(FOLLOWS, None):
        threading.Thread(target=_follow, daemon=True).start()


def _follow() -> None:
    while os.read(0, 1):  # its standard input, where nothing is ever written
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def only_note_signals() -> None:
    """The work has ended, and how is being said: a first signal changes nothing any more."""
    _WISH.heeded_by += 1


def leave_at_signals(code: int) -> None:
    """The work is over, and nothing is left to save: a signal from now on ends the process."""
    _WISH.at, _WISH.at_once = None, None
    _handle(lambda number, frame: os._exit(code))


def stop_requested() -> bool:
    """Whether a signal was heard."""
    return _WISH.at is not None


def _handle(handler: Any) -> dict[int, Any]:
    """Set the handler; returns those before. Outside the main thread, Python allows none."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    heard = [number for number in STOP_SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
    return {number: signal.signal(number, handler) for number in heard}


class Interruption:
    """While entered, a signal sets `requested`; what is at work saves its state, and stops.

    A block that ends all the same, with the wish not heeded, ends by KeyboardInterrupt. Outside
    the main thread Python allows no signal handlers, and nothing is changed.
    """

    def __init__(self) -> None:
        self._previous: dict[int, Any] = {}

    @property
    def requested(self) -> bool:
        """Whether a signal was heard."""
        return stop_requested()

    def __enter__(self) -> Interruption:
        self._previous = {}
        # Not where a tool, or a block around this one, listens already.
        if signal.getsignal(signal.SIGINT) != _WISH.hear:
            self._previous = _handle(_WISH.hear)
        _WISH.heeded_by += 1
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _WISH.heeded_by -= 1
        unheeded = kind is None and self.requested
        if self._previous:
            _WISH.at = None
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        if unheeded:
            raise KeyboardInterrupt

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """A signal in this block stops it: all that matters is saved already."""
        if self.requested:
            raise KeyboardInterrupt
        before, _WISH.heeded_by = _WISH.heeded_by, 0
        try:
            yield
        finally:
            _WISH.heeded_by = before


def _raise_in_our_code(frame: FrameType | None) -> None:
    """Raise KeyboardInterrupt here, or as soon as foreign code has returned to ours.

    Raises:
        KeyboardInterrupt: our code is at work, or waits.
    """
    foreign: list[FrameType] = []
    while frame is not None and not _is_ours(frame):
        foreign.append(frame)
        frame = frame.f_back
    if frame is None or all(_waits(one) for one in foreign):
        raise KeyboardInterrupt
    if _WISH.at_once is not None and any(one.f_code.co_filename == _IMPORT for one in foreign):
        _WISH.at_once(False)

    def back(ours: FrameType, event: str, argument: Any) -> NoReturn:
        sys.settrace(None)
        ours.f_trace = None
        raise KeyboardInterrupt

    def called(entered: FrameType, event: str, argument: Any) -> None:
        # A module of ours may be imported by foreign code: its functions are soon enough.
        if _is_ours(entered) and entered.f_code.co_name != "<module>":
            back(entered, event, argument)

    frame.f_trace = back
    sys.settrace(called)


def _is_ours(frame: FrameType) -> bool:
    name = frame.f_code.co_filename
    if name == _WISH.script:
        return True
    return name.startswith(_OURS) and name not in _CALLED_BACK


def _waits(frame: FrameType) -> bool:
    code = frame.f_code
    return code.co_filename in _WAITING and code.co_name not in _CHANGING
