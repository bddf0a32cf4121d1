"""Frames of a camera to the states of its tray: what is compared with what.

Three pictures are kept: of the empty tray, of the moment since when nothing has moved, and of the
last reading. `rpc.camera.difference` compares a frame with them, `rpc.camera.states` decides. No
clock and no thread: the same frames give the same states.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rpc.camera.condition import CameraCondition, CameraWarning, rim_share, sharpness_of
from rpc.camera.difference import (
    Cells,
    Rgb,
    SmallPicture,
    changed_cells,
    noise_between,
    picture_of,
    reaching_in,
    small_picture,
)
from rpc.camera.frames import Frame
from rpc.camera.settings import WatchSettings
from rpc.camera.states import (
    Observation,
    TraySituation,
    TrayState,
    found_empty,
    is_gap,
    next_situation,
)

NOISE_WEIGHT = 0.1  # of a frame in the running mean of the noise


@dataclass(frozen=True)
class WatchStep:
    """News of one frame.

    Attributes:
        state: of the tray.
        reads: the tray is to be read now: true on one frame of each reading.
        hands: something moves, or reaches over the picture's edge.
        visit: number of the tray, from 1.
        again: with `reads`: this tray was read before, and somebody changed it.
        still_s: seconds since something moved.
        warnings: about the camera.
    """

    state: TrayState
    reads: bool
    hands: bool
    visit: int
    again: bool
    still_s: float
    warnings: tuple[CameraWarning, ...] = ()


class TrayWatcher:
    """Watches one tray.

    How the empty tray looks is given, or learnt: without it, the first still picture is read, and
    who reads it says by `nothing_there` that it shows nothing. Later it follows slow changes. Until
    it is known, and once something has moved, a hand that rests cannot be told from an item: then
    only what has not moved for `edge_wait_s` is read.

    Example:
        >>> watcher = TrayWatcher(empty=np.full((120, 160, 3), 200, np.uint8))
        >>> frame = Frame(0.0, np.full((120, 160, 3), 200, np.uint8))
        >>> str(watcher.step(frame).state)
        'moving'
        >>> str(watcher.step(Frame(0.9, frame.rgb)).state)
        'empty'

    Args:
        settings: how it decides.
        empty: a picture (H, W, 3) of the empty tray by the same camera.
    """

    def __init__(self, settings: WatchSettings | None = None, empty: Rgb | None = None) -> None:
        self.settings = settings or WatchSettings()
        self._situation = TraySituation()
        self._condition = CameraCondition()
        self._noise = 0.0
        self._has_moved = False
        self._last: SmallPicture | None = None
        self._anchor: SmallPicture | None = None
        self._read: SmallPicture | None = None
        self._empty = None if empty is None else small_picture(empty, self.settings.region)

    @property
    def knows_empty(self) -> bool:
        """Whether it is known how the empty tray looks."""
        return self._empty is not None

    def step(self, frame: Frame) -> WatchStep:
        """Look at one more frame.

        Raises:
            ValueError: the frame is no RGB picture.
        """
        small = small_picture(frame.rgb, self.settings.region)
        self._forget_other_sizes(small)
        self._measure_noise(small)
        seen, rim = self._observe(small, frame.time_s)
        before = self._situation
        self._situation = now = next_situation(before, seen, self.settings)
        if now.still_since_s == frame.time_s:
            self._anchor = small
        if now.reads:
            self._read = small
            self._condition = self._condition.with_tray(sharpness_of(frame.rgb))
        if now.state is TrayState.EMPTY:
            self._follow(small, before, now)
        self._condition = self._condition.after(frame.time_s, small.light, rim)
        self._last = small
        return self._told()

    def nothing_there(self) -> WatchStep:
        """Take what was to be read on this frame for the empty tray: nothing lies there.

        Returns:
            What the frame made known, in place of what `step` said.

        Raises:
            ValueError: nothing was to be read.
        """
        if self._read is None or not self._situation.reads:
            raise ValueError("watcher: no reading was asked for on the last frame")
        self._empty, self._read = self._read, None
        self._situation = found_empty(self._situation)
        return self._told()

    def _told(self) -> WatchStep:
        now = self._situation
        return WatchStep(
            state=now.state,
            reads=now.reads,
            hands=now.hands,
            visit=now.visit,
            again=now.reads and now.again,
            still_s=now.still_for_s,
            warnings=self._condition.warnings(now.time_s or 0.0),
        )

    def _forget_other_sizes(self, small: SmallPicture) -> None:
        """A camera may come back with another size: pictures of before cannot be compared."""
        if self._last is not None and self._last.shape != small.shape:
            self._last = self._anchor = None
            self._has_moved = False
        if self._read is not None and self._read.shape != small.shape:
            self._read = None
        if self._empty is not None and self._empty.shape != small.shape:
            self._empty = None

    def _measure_noise(self, small: SmallPicture) -> None:
        if self._last is not None:
            new = noise_between(self._last, small)
            weight = NOISE_WEIGHT if self._noise else 1.0
            self._noise += weight * (new - self._noise)

    def _observe(self, small: SmallPicture, time_s: float) -> tuple[Observation, float | None]:
        """Compare a frame with the three pictures; and the share of the rim that has changed."""
        moved = self._anchor is None or self._differs(self._anchor, small)
        if moved or self._empty is None:
            self._has_moved |= moved and self._anchor is not None
            as_read = not moved and self._read is not None and not self._differs(self._read, small)
            return Observation(time_s, moved, True, self._has_moved, as_read), None
        changed = self._changes(self._empty, small)
        new, as_read = changed, False
        if self._read is not None:
            since_read = self._changes(self._read, small)
            as_read = since_read.sum() < self.settings.least_cells
            new = changed & since_read
        seen = Observation(
            time_s=time_s,
            moved=False,
            there=bool(changed.sum() >= self.settings.least_cells),
            reaches_in=bool(reaching_in(new, self.settings.least_cells).any()),
            as_read=bool(as_read),
        )
        return seen, rim_share(changed)

    def _changes(self, before: SmallPicture, after: SmallPicture) -> Cells:
        return changed_cells(before, after, self._noise, self.settings.least_contrast)

    def _differs(self, before: SmallPicture, after: SmallPicture) -> bool:
        return bool(self._changes(before, after).sum() >= self.settings.least_cells)

    def _follow(self, small: SmallPicture, before: TraySituation, now: TraySituation) -> None:
        """Let the picture of the empty tray follow slow changes."""
        if self._empty is None or is_gap(before, now.time_s or 0.0, self.settings):
            return
        passed = (now.time_s or 0.0) - (before.time_s or 0.0)
        weight = 1 - math.exp(-passed / self.settings.settle_s)
        detail = self._empty.detail + np.float32(weight) * (small.detail - self._empty.detail)
        self._empty = picture_of(detail, small.slope, small.light)
        self._read = None
