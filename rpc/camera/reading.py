"""Still trays of a camera's frames, counted: frames in, lists out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from rpc.camera.frames import Frame
from rpc.camera.joining import join_looks
from rpc.camera.watcher import TrayWatcher, WatchStep
from rpc.checkout.receipt import Receipt
from rpc.checkout.seen import Seen
from rpc.data.evenly_spaced import evenly_spaced
from rpc.data.images import Photo

Rgb = NDArray[np.uint8]

JOINED: Final = 3  # frames of a still tray that are joined
KEPT: Final = 12  # still frames in memory at most, the newest ones


class CountsTrays(Protocol):
    """Reader of a tray: a `rpc.Checkout`, or anything like it."""

    def look(self, photos: Sequence[Rgb]) -> list[Seen]:
        """Find and name: what is on each photo, before the counting rule."""
        ...

    def receipt_of(self, seen: Seen, photo: Photo) -> Receipt:
        """The list of what was seen."""
        ...


@dataclass(frozen=True, eq=False)
class ReadTray:
    """One reading of a tray.

    Attributes:
        start_s: time of the first still frame.
        read_s: time of the frame on which it was read.
        seen: what the joined frames show, before the counting rule.
        receipt: the list; its boxes lie in `rgb`.
        rgb: the newest of the joined frames (H, W, 3).
        visit: number of the tray: of two readings with one number, the second one replaces the
            first, as somebody changed the tray before it was taken away.
        again: whether it was read before.
        frames: how many were joined.
    """

    start_s: float
    read_s: float
    seen: Seen
    receipt: Receipt
    rgb: Rgb
    visit: int
    again: bool
    frames: int


@dataclass(frozen=True, eq=False)
class TrayStep:
    """A frame, what the watcher made of it, and the tray that was read on it, if any."""

    frame: Frame
    watch: WatchStep
    tray: ReadTray | None = None


def read_steps(
    frames: Iterable[Frame],
    counter: CountsTrays,
    watcher: TrayWatcher | None = None,
    *,
    joined: int = JOINED,
) -> Iterator[TrayStep]:
    """Every frame with the state of the tray after it; trays are counted as they come to rest.

    A step with state `read` comes when its list is there. A still picture on which the counter sees
    nothing is taken for the empty tray, and is no reading.

    Args:
        frames: of one camera, see `rpc.camera.frames.frames_of`.
        counter: what counts.
        watcher: that knows when a tray is still; a new one where None is given.
        joined: so many of the still frames are counted and joined.

    Raises:
        DataError: the frames break off, or the counter has no counting rule.
        ValueError: `joined` is below 1.
    """
    if joined < 1:
        raise ValueError(f"joined: expected 1 frame or more, got {joined}")
    watcher = watcher or TrayWatcher()
    still: list[Frame] = []
    for frame in frames:
        step = watcher.step(frame)
        still = [frame] if step.still_s == 0 else [*still, frame][-KEPT:]
        tray = _read(still, step, counter, joined) if step.reads else None
        if step.reads and tray is None:
            step = watcher.nothing_there()
        yield TrayStep(frame, step, tray)


def read_trays(
    frames: Iterable[Frame],
    counter: CountsTrays,
    watcher: TrayWatcher | None = None,
    *,
    joined: int = JOINED,
) -> Iterator[ReadTray]:
    """The readings alone, see `read_steps`."""
    for step in read_steps(frames, counter, watcher, joined=joined):
        if step.tray is not None:
            yield step.tray


def _read(
    still: Sequence[Frame], step: WatchStep, counter: CountsTrays, joined: int
) -> ReadTray | None:
    """Count the still frames; None where nothing lies there."""
    chosen = [still[place] for place in frames_to_join(len(still), joined)]
    seen = join_looks(counter.look([frame.rgb for frame in chosen]))
    newest = chosen[-1]
    receipt = counter.receipt_of(seen, newest.rgb)
    if not receipt.items:
        return None
    return ReadTray(
        start_s=still[-1].time_s - step.still_s,
        read_s=still[-1].time_s,
        seen=seen,
        receipt=receipt,
        rgb=newest.rgb,
        visit=step.visit,
        again=step.again,
        frames=len(chosen),
    )


def frames_to_join(count: int, joined: int) -> list[int]:
    """Which of `count` still frames are counted.

    Not the first one and the newest, where there are others: a fingertip that just goes or comes is
    too small to be seen in one frame, and has moved on in the next.
    """
    if count < 3:
        return [count - 1]
    inner = count - 2
    return [1 + place for place in evenly_spaced(inner, joined)] if joined > 1 else [inner]
