"""Processes that work for this one: deaf to the signals meant for it, and gone when it is."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any, Final

# Ctrl-C and `timeout`, systemd or scancel signal the whole group of processes. Who decides is the
# parent: it lets its workers finish what they are at, saves, and ends them. SIGTERM is also how
# Python's pools end their workers, so it is held back only where its sender can be told.
_HELD: Final = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGHUP", *(["SIGTERM"] if hasattr(signal, "sigwaitinfo") else []))
    if hasattr(signal, name)
)


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


def _watch(wait: Callable[[], object]) -> None:
    """End the process when `wait` returns."""

    def end() -> None:
        wait()
        os._exit(1)

    threading.Thread(target=end, daemon=True).start()


def _wait_for_sigterm_of_parent() -> None:
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != os.getppid():
        pass


class _Worker(SpawnProcess):
    def start(self) -> None:
        with signals_left_to_parent():
            # Its start unblocks SIGINT and SIGTERM, so it is started before they are blocked.
            resource_tracker.ensure_running()  # type: ignore[attr-defined]
            with signals_left_to_parent():
                super().start()


class SpawnedWorkers(SpawnContext):
    """Python's way to spawn processes, for workers that leave signals to their parent.

    Spawned, not forked: a fork copies locks that other threads (torch, OpenCV) hold.
    """

    Process: Any = _Worker  # type: ignore[assignment]
