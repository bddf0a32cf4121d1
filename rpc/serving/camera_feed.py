"""A camera at the server: a thread that watches the tray, and opens a sale when it is read."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from rpc.data.files import DataError
from rpc.data.images import encode_jpeg
from rpc.serving.photo_input import Rgb

OFF: Final = "off"
READ: Final = "read"
PAUSE: Final = 5.0  # seconds before a lost camera is opened again
QUALITY: Final = 80


class CameraFrame(Protocol):
    """A picture of a camera, as `rpc.camera` gives it."""

    @property
    def rgb(self) -> Rgb:
        """(H, W, 3)."""
        ...


class WatchesTray(Protocol):
    """Says in which state the tray is; time comes with the frame."""

    def step(self, frame: Any) -> str:
        """The state with this frame: empty, moving, still, read or left."""
        ...


@dataclass(frozen=True, eq=False)
class CameraSource:
    """A camera, and what watches its tray.

    Attributes:
        frames: opens the camera anew with each call.
        watcher: a new one with each call.
    """

    frames: Callable[[], Iterable[CameraFrame]]
    watcher: Callable[[], WatchesTray]


class CameraFeed:
    """The camera of a counter.

    Args:
        source: None where there is none.
        read: gets the frame of a tray that is read.
        told: gets each new state.
    """

    def __init__(
        self,
        source: CameraSource | None,
        read: Callable[[Rgb], None],
        told: Callable[[str], None],
    ) -> None:
        self.source = source
        self._read, self._told = read, told
        self._lock = threading.Lock()
        self._state, self._message = OFF, None if source is None else "the camera starts"
        self._frame: Rgb | None = None
        self._still: Rgb | None = None
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
        with self._lock:
            frame = self._frame
            size = None if frame is None else [frame.shape[1], frame.shape[0]]
            return {"state": self._state, "message": self._message, "size": size}

    def last_frame(self) -> bytes | None:
        """The newest picture as JPEG; None before the first."""
        with self._lock:
            frame = self._frame
        return None if frame is None else encode_jpeg(frame, QUALITY)

    def last_still(self) -> Rgb | None:
        """The newest picture of a still tray (H, W, 3); None while there is none."""
        with self._lock:
            return self._still

    def _run(self) -> None:
        assert self.source is not None
        while not self._stop.is_set():
            message = "the camera gives no more pictures; it is opened again"
            try:
                watcher = self.source.watcher()
                for frame in self.source.frames():
                    if self._stop.is_set():
                        return
                    self._see(frame.rgb, str(watcher.step(frame)))
            except (DataError, OSError) as error:
                message = str(error)
            except Exception as error:  # noqa: BLE001 - the counter goes on without its camera
                message = f"the camera failed: {type(error).__name__}"
            self._enter(OFF, message)
            self._stop.wait(PAUSE)

    def _see(self, rgb: Rgb, state: str) -> None:
        with self._lock:
            self._frame = rgb
            before = self._state
            if state in ("still", READ):
                self._still = rgb
            elif state in ("empty", "moving", "left"):
                self._still = None
        if state != before:
            self._enter(state, None)
            if state == READ:
                self._read(rgb)

    def _enter(self, state: str, message: str | None) -> None:
        with self._lock:
            changed = state != self._state
            self._state, self._message = state, message
        if changed:
            self._told(state)
