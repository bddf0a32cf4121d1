"""The one thread that runs networks, behind a short queue: who comes when it is full is told so."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final, TypeVar

from rpc.serving.counting.counted_trays import CountedTray, CountsTrays, Rgb, count_tray
from rpc.serving.errors import ApiError

WAITING: Final = 8  # photos in the queue
PATIENCE: Final = 60.0  # seconds that a request waits for its answer
T = TypeVar("T")


class CountingThread:
    """Runs work on the counter, one piece at a time, in the order in which it came.

    Args:
        counter: what counts.
        waiting: pieces of work that may wait.
    """

    def __init__(self, counter: CountsTrays, waiting: int = WAITING) -> None:
        self._counter = counter
        self._work: queue.Queue[Callable[[], None] | None] = queue.Queue(waiting)
        self._thread = threading.Thread(target=self._run, name="counting", daemon=True)
        self._thread.start()

    @property
    def counter(self) -> CountsTrays:
        """The counter of now."""
        return self._counter

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    @property
    def waiting(self) -> int:
        """How many pieces of work wait."""
        return self._work.qsize()

    def count(self, rgb: Rgb) -> CountedTray:
        """Count a photo (H, W, 3).

        Raises:
            ApiError: the queue is full.
        """
        return self.do(lambda counter: count_tray(counter, rgb))

    def do(self, work: Callable[[CountsTrays], T], *, patient: bool = False) -> T:
        """Have something done with the counter.

        Args:
            work: gets the counter.
            patient: wait for a place in the queue, as work may that nobody waits for.

        Raises:
            ApiError: the queue is full, or the answer takes too long.
            Exception: whatever the work raises.
        """
        told: Future[T] = Future()

        def step() -> None:
            if not told.set_running_or_notify_cancel():
                return
            try:
                told.set_result(work(self._counter))
            except BaseException as error:  # noqa: BLE001 - handed to who asked
                told.set_exception(error)

        try:
            self._work.put(step, block=patient)
        except queue.Full:
            raise _busy() from None
        try:
            return told.result(None if patient else PATIENCE)
        except TimeoutError:
            if told.cancel() or not told.done():
                raise _busy() from None
            raise

    def replace(self, counter: CountsTrays) -> None:
        """Count with another counter after the trays that wait already."""

        def change(_: Any) -> None:
            self._counter = counter

        self.do(change, patient=True)

    def close(self, seconds: float = 5.0) -> None:
        """Finish what waits, and stop."""
        deadline = time.monotonic() + seconds
        try:
            self._work.put(None, timeout=seconds)
        except queue.Full:
            return
        self._thread.join(max(deadline - time.monotonic(), 0.0))

    def _run(self) -> None:
        while (step := self._work.get()) is not None:
            step()


def _busy() -> ApiError:
    return ApiError(
        503, "busy", "the counter has too many trays waiting; try again", {"Retry-After": "1"}
    )
