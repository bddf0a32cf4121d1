"""Newest frame of a camera or stream: a thread reads all of them, nobody works off a backlog."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from rpc.data.files import DataError

Rgb = NDArray[np.uint8]

FIRST_WAIT_S: Final = 0.5  # before a stream is opened again; doubled each time
LONGEST_WAIT_S: Final = 10.0
GIVE_UP_S: Final = 120.0  # without a frame
OPEN_MS: Final = 10_000  # that a stream may take to answer


@dataclass(frozen=True)
class LiveSource:
    """A webcam by its number, or a stream by its address.

    Attributes:
        name: the number or address.
        give_up_s: seconds without a frame after which it is an error.
    """

    name: str
    give_up_s: float = GIVE_UP_S

    @property
    def shown(self) -> str:
        """Its name for people: a password in the address is left out."""
        if self.name.isdigit():
            return f"camera {self.name}"
        return re.sub(r"//[^/@]*@", "//...@", self.name)

    def open(self) -> Any:
        """Open it: an OpenCV capture, which may not be opened."""
        log = cv2.utils.logging
        level = log.setLogLevel(log.LOG_LEVEL_SILENT)  # one line of ours says it
        try:
            if self.name.isdigit():
                return cv2.VideoCapture(int(self.name))
            limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_MS,
                cv2.CAP_PROP_READ_TIMEOUT_MSEC, OPEN_MS]  # fmt: skip
            return cv2.VideoCapture(self.name, cv2.CAP_FFMPEG, limits)
        finally:
            log.setLogLevel(level)


def newest_frames(
    source: LiveSource,
    open_source: Callable[[], Any] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[tuple[float, Rgb]]:
    """The newest frame, each at most once, with its time by the clock.

    Args:
        source: what to read.
        open_source: opens it; of tests.
        clock: seconds that never run back.

    Raises:
        DataError: it cannot be opened, or gave no frame for `source.give_up_s`.
    """
    reader = _Reader(source, open_source or source.open, clock)
    try:
        while True:
            yield reader.next()
    finally:
        reader.stop()


class _Reader:
    """The thread that reads, and the one frame it keeps."""

    def __init__(
        self, source: LiveSource, open_source: Callable[[], Any], clock: Callable[[], float]
    ) -> None:
        self._source, self._open, self._clock = source, open_source, clock
        self._news = threading.Condition()
        self._frame: tuple[float, Any] | None = None
        self._error: DataError | None = None
        self._stopped = threading.Event()
        capture = open_source()
        if not capture.isOpened():
            capture.release()
            raise DataError(f"{source.shown}: {_why_closed(source)}")
        self._thread = threading.Thread(target=self._run, args=(capture,), daemon=True)
        self._thread.start()

    def next(self) -> tuple[float, Rgb]:
        """Wait for a frame newer than the last one.

        Raises:
            DataError: there will be none.
        """
        with self._news:
            self._news.wait_for(lambda: self._frame is not None or self._error is not None)
            if self._frame is None:
                assert self._error is not None  # one of the two is there
                raise self._error
            time_s, bgr = self._frame
            self._frame = None
        return time_s, np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)

    def stop(self) -> None:
        """Let the camera go."""
        self._stopped.set()
        self._thread.join(timeout=2)

    def _run(self, capture: Any) -> None:
        began, wait = self._clock(), FIRST_WAIT_S
        heard = began
        try:
            while not self._stopped.is_set():
                read, bgr = capture.read()
                now = self._clock()
                if read and bgr is not None:
                    heard, wait = now, FIRST_WAIT_S
                    self._publish((now - began, bgr), None)
                    continue
                if now - heard >= self._source.give_up_s:
                    gone = f"no picture for {now - heard:.0f} s; is it still on?"
                    self._publish(None, DataError(f"{self._source.shown}: {gone}"))
                    return
                capture.release()
                self._stopped.wait(wait)
                wait = min(2 * wait, LONGEST_WAIT_S)
                capture = self._open()
        finally:
            capture.release()

    def _publish(self, frame: tuple[float, Any] | None, error: DataError | None) -> None:
        with self._news:
            self._frame, self._error = (frame or self._frame), error
            self._news.notify_all()


def _why_closed(source: LiveSource) -> str:
    if source.name.isdigit():
        return "no such camera, or another program uses it; the first one has number 0"
    return "no answer; check the address, the password and that this machine can reach it"
