"""Ctrl-C and SIGTERM at a moment that suits the training."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """While entered, a signal sets `requested` instead of breaking off in mid-iteration.

    A second signal, or any signal inside `at_once`, raises KeyboardInterrupt as usual. Outside
    the main thread Python allows no signal handlers, and nothing is changed.
    """

    def __init__(self) -> None:
        self.requested = False
        self._at_once = False
        self._owner = os.getpid()
        self._previous: dict[int, object] = {}

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            self._previous = {number: signal.signal(number, self._note) for number in _SIGNALS}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """A signal in this block stops it immediately: all that matters is saved already."""
        if self.requested:
            raise KeyboardInterrupt
        self._at_once = True
        try:
            yield
        finally:
            self._at_once = False

    def _note(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() != self._owner:  # a data worker, which inherited this handler by fork
            if number == signal.SIGTERM:
                os._exit(128 + number)
        elif self.requested or self._at_once:
            raise KeyboardInterrupt
        else:
            self.requested = True
