"""Processes that work for this one: deaf to the signals meant for it, and gone when it is."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from multiprocessing.context import SpawnContext, SpawnProcess
from types import FrameType
from typing import Any, Final, TypeVar

Result = TypeVar("Result")

# Ctrl-C and `timeout`, systemd or scancel signal the whole group of processes. Who decides is the
# parent: it lets its workers finish what they are at, saves, and ends them. SIGTERM is also how
# Python's pools end their workers, so it is held back only where its sender can be told.
_HELD: Final = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGHUP", *(["SIGTERM"] if hasattr(signal, "sigwaitinfo") else []))
    if hasattr(signal, name)
)

_BREAK_OFF: Final = getattr(signal, "SIGUSR1", None)  # from the parent to its workers
_GRACE: Final = 3.0  # seconds
_NOT_TOLD: Final = "ignore:resource_tracker"


@contextmanager
def signals_left_to_parent() -> Iterator[None]:
    """Processes started in this block never see the signals that ask a whole group to stop.

    They are blocked here, which a process inherits from its first moment on; for this process
    they come when the block ends.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _HELD)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_with_parent() -> None:
    """Called in a worker: end when the parent has ended, however, or asks for it by SIGTERM."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    _watch(parent.join)
    if signal.SIGTERM in _HELD:
        _watch(_wait_for_sigterm_of_parent)


def break_off_workers() -> None:
    """End what spawned workers are at by KeyboardInterrupt, and refuse them further tasks."""
    if _BREAK_OFF is None:
        return  # they finish what they are at
    for worker in multiprocessing.active_children():
        if isinstance(worker, _Worker) and worker.pid is not None:
            with suppress(ProcessLookupError):  # it has ended
                os.kill(worker.pid, _BREAK_OFF)


def hear_break_off() -> None:
    """Called in a worker: heed `break_off_workers`."""
    if _BREAK_OFF is not None:
        signal.signal(_BREAK_OFF, _TASK.break_off)


def at_work(task: Callable[..., Result], *arguments: Any, **named: Any) -> Result:
    """Do a task of a worker.

    Raises:
        KeyboardInterrupt: it was broken off.
    """
    _TASK.begun = _TASK.running = True
    try:
        if _TASK.broken_off:
            raise KeyboardInterrupt
        return task(*arguments, **named)
    finally:
        _TASK.running = False


class _Task:
    """A worker's task."""

    begun = running = broken_off = False

    def break_off(self, number: int, frame: FrameType | None) -> None:
        self.broken_off = True
        if self.running:
            raise KeyboardInterrupt
        if not self.begun:
            os._exit(1)  # importing what the first task needs
        # Else it waits for its next task, which is refused.

    def give_up(self) -> None:
        """Leave a task the time to remove what is half-written."""
        main = threading.main_thread().ident
        if not self.running or main is None or _BREAK_OFF is None:
            return
        signal.pthread_kill(main, _BREAK_OFF)
        limit = time.monotonic() + _GRACE
        while self.running and time.monotonic() < limit:
            time.sleep(0.01)


_TASK: Final = _Task()


def _watch(wait: Callable[[], object]) -> None:
    """End the process when `wait` returns."""

    def end() -> None:
        wait()
        _TASK.give_up()
        os._exit(1)

    threading.Thread(target=end, daemon=True).start()


def _wait_for_sigterm_of_parent() -> None:
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != os.getppid():
        pass


def spawned_workers() -> SpawnContext:
    """Python's way to spawn processes, for workers that leave signals to their parent.

    Spawned, not forked: a fork copies locks that other threads (torch, OpenCV) hold.
    """
    if os.name == "posix":
        # The process that removes semaphores left over: its start unblocks SIGINT and SIGTERM, so
        # it must not be started together with a worker; and that it has work is not told.
        sys.warnoptions.append(_NOT_TOLD)
        try:
            with signals_left_to_parent():
                resource_tracker.ensure_running()
        finally:
            sys.warnoptions.remove(_NOT_TOLD)
    return _Spawning()


class _Worker(SpawnProcess):
    def start(self) -> None:
        with signals_left_to_parent():
            super().start()


class _Spawning(SpawnContext):
    Process = _Worker
