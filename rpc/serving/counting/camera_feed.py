"""A camera at the server: a thread that watches the tray, and opens a sale when it is read."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Any, Final, Protocol

from rpc.camera import Frame, ReadTray, TrayState, TrayStep, read_steps
from rpc.checkout.receipt import Receipt
from rpc.checkout.seen import Seen
from rpc.data.files import DataError
from rpc.data.images import encode_jpeg
from rpc.serving.counting.counted_trays import CountsTrays, Rgb
from rpc.serving.counting.counting_thread import CountingThread
from rpc.serving.errors import ApiError

OFF: Final = "off"
PAUSE: Final = 5.0  # seconds before a lost camera is opened again
QUALITY: Final = 80
_log = logging.getLogger(__name__)


class OpensCamera(Protocol):
    """Opens a camera: its frames from now on, see `rpc.camera.frames_of`."""

    def __call__(self) -> Iterator[Frame]:
        """The frames.

        Raises:
            DataError: there is no such camera.
        """
        ...


class CameraFeed:
    """The camera of a counter.

    Args:
        source: None where there is none.
        thread: counts what the camera reads.
        read: gets each tray that is read, and the seconds that looking at it took.
        told: gets each new state, and a line for people where something is wrong.
    """

    def __init__(
        self,
        source: OpensCamera | None,
        thread: CountingThread,
        read: Callable[[ReadTray, float], None],
        told: Callable[[str, str | None], None],
    ) -> None:
        self.source = source
        self._counter = _OnThread(thread)
        self._read, self._told = read, told
        self._lock = threading.Lock()
        self._state = OFF
        self._message = None if source is None else "the camera starts"
        self._step: TrayStep | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="camera", daemon=True)

    def start(self) -> None:
        """Begin to watch, where there is a camera."""
        if self.source is not None:
            self._thread.start()

    def close(self, seconds: float = 5.0) -> None:
        """Stop watching."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(seconds)

    def status(self) -> dict[str, Any]:
        """State, message and size of the picture, for JSON."""
        frame = self._frame()
        size = None if frame is None else [frame.shape[1], frame.shape[0]]
        with self._lock:
            return {"state": self._state, "message": self._message, "size": size}

    def warnings(self) -> list[dict[str, Any]]:
        """Things that are wrong with the camera now, for JSON."""
        with self._lock:
            found = () if self._step is None else self._step.watch.warnings
        return [{"code": one.code, "text": one.text, "sku": None, "since": None} for one in found]

    def last_frame(self) -> bytes | None:
        """The newest picture as JPEG; None before the first."""
        frame = self._frame()
        return None if frame is None else encode_jpeg(frame, QUALITY)

    def last_still(self) -> Rgb | None:
        """The newest picture (H, W, 3) of a tray on which things lie still; None without one."""
        with self._lock:
            still = self._state in (TrayState.STILL, TrayState.READ)
            return self._step.frame.rgb if still and self._step is not None else None

    def _frame(self) -> Rgb | None:
        with self._lock:
            return None if self._step is None else self._step.frame.rgb

    def _run(self) -> None:
        assert self.source is not None
        while not self._stop.is_set():
            message = "the camera gives no more pictures; it is opened again"
            try:
                with closing(read_steps(self._until_stop(self.source), self._counter)) as steps:  # type: ignore[type-var]
                    for step in steps:
                        self._see(step)
            except (DataError, OSError, ApiError) as error:
                message = str(error)
            except Exception as error:  # noqa: BLE001 - the counter goes on without its camera
                _log.exception("the camera failed")
                message = f"the camera failed: {type(error).__name__}"
            self._enter(OFF, message)
            self._stop.wait(PAUSE)

    def _until_stop(self, source: OpensCamera) -> Iterator[Frame]:
        with closing(source()) as frames:  # type: ignore[type-var]
            for frame in frames:
                if self._stop.is_set():
                    return
                yield frame

    def _see(self, step: TrayStep) -> None:
        with self._lock:
            self._step = step
        if step.tray is not None:
            self._read(step.tray, self._counter.seconds)
        self._enter(str(step.watch.state), None)

    def _enter(self, state: str, message: str | None) -> None:
        with self._lock:
            changed = (state, message) != (self._state, self._message)
            self._state, self._message = state, message
        if changed:
            self._told(state, message)


class _OnThread:
    """The counter, asked on the thread that runs its networks."""

    def __init__(self, thread: CountingThread) -> None:
        self._thread = thread
        self.seconds = 0.0  # of the last look

    def look(self, photos: Sequence[Rgb]) -> list[Seen]:
        return self._thread.do(lambda counter: self._timed(counter, photos), patient=True)

    def _timed(self, counter: CountsTrays, photos: Sequence[Rgb]) -> list[Seen]:
        began = time.perf_counter()
        seen = counter.look(photos)
        self.seconds = time.perf_counter() - began
        return seen

    def receipt_of(self, seen: Seen, photo: Any) -> Receipt:
        return self._thread.do(lambda counter: counter.receipt_of(seen, photo), patient=True)
