"""The states of a tray, as a pure function: what a frame shows, and the state before it.

    EMPTY -> MOVING -> STILL -> READ -> LEFT -> EMPTY

`moving`: something moves, or a hand is in the picture. `still`: things lie there, not yet long
enough. `read`: the list can be made, or was. `left`: what was read was taken away. Movement leads
from any state to `moving`; a tray that is the same afterwards is `read` again without another
reading. Time comes with the frames: no clock is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from rpc.camera.settings import WatchSettings


class TrayState(str, Enum):  # Python 3.10 knows no StrEnum
    """How it is with the tray; its value is the lower-case name."""

    EMPTY = "empty"
    MOVING = "moving"
    STILL = "still"
    READ = "read"
    LEFT = "left"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class Observation:
    """One frame, compared with others.

    Attributes:
        time_s: of the frame; only differences matter.
        moved: something is elsewhere than when it became still.
        there: something lies there, or it is not known how the empty tray looks.
        reaches_in: something that was not there before reaches over the picture's edge.
        as_read: it looks as when it was last read.
    """

    time_s: float
    moved: bool
    there: bool
    reaches_in: bool = False
    as_read: bool = False


@dataclass(frozen=True)
class TraySituation:
    """The state after a frame, and what the next one needs to know.

    Attributes:
        state: of the tray.
        reads: the tray is to be read now: true on one frame of a reading.
        hands: something moves, or reaches over the edge and is no item yet.
        time_s: of the last frame; None before the first.
        still_since_s: when it became still.
        left_s: when what was read was taken away.
        was_read: what lies there was read, perhaps before somebody changed it.
        again: what is to be read now was read before, and somebody changed it.
        visit: number of the tray, from 1; the next one's begins when this one was taken away.
    """

    state: TrayState = TrayState.MOVING
    reads: bool = False
    hands: bool = False
    time_s: float | None = None
    still_since_s: float = 0.0
    left_s: float | None = None
    was_read: bool = False
    again: bool = False
    visit: int = 1

    @property
    def still_for_s(self) -> float:
        """Seconds since something moved."""
        return 0.0 if self.time_s is None else self.time_s - self.still_since_s


def is_gap(before: TraySituation, time_s: float, settings: WatchSettings) -> bool:
    """Whether time has run backwards, or too long without a frame: what was still is not known."""
    last = before.time_s
    return last is None or time_s < last or time_s - last > settings.most_gap_s


def next_situation(
    before: TraySituation, seen: Observation, settings: WatchSettings
) -> TraySituation:
    """The situation after one more frame."""
    restarts = seen.moved or is_gap(before, seen.time_s, settings)
    since = seen.time_s if restarts else before.still_since_s
    still_for = seen.time_s - since
    waits = seen.reaches_in and still_for < settings.edge_wait_s
    now = replace(
        before,
        reads=False,
        hands=seen.moved or waits,
        time_s=seen.time_s,
        still_since_s=since,
    )
    if not restarts and before.state is TrayState.READ:
        return replace(now, hands=False)  # nothing moved since: a slow change of light reads not
    if restarts or now.hands:
        return replace(now, state=TrayState.MOVING)
    if not seen.there:
        return _without_things(now, still_for, settings)
    if now.was_read and seen.as_read and still_for >= settings.still_s / 2:
        return replace(now, state=TrayState.READ)
    if still_for >= settings.still_s:
        again = now.was_read
        return replace(now, state=TrayState.READ, reads=True, was_read=True, again=again)
    return replace(now, state=TrayState.STILL)


def found_empty(before: TraySituation) -> TraySituation:
    """The situation where what was to be read turns out to be nothing: the empty tray itself."""
    now = replace(before, reads=False, again=False, was_read=False)
    if before.again:  # what lay there before was taken away
        return replace(now, state=TrayState.LEFT, left_s=before.time_s, visit=before.visit + 1)
    return replace(now, state=TrayState.EMPTY)


def _without_things(now: TraySituation, still_for: float, settings: WatchSettings) -> TraySituation:
    """Nothing lies there: taken away a moment ago, or empty for longer."""
    time_s = now.still_since_s + still_for
    if still_for < settings.still_s / 2:
        return replace(now, state=TrayState.MOVING)
    if now.was_read:
        return replace(
            now, state=TrayState.LEFT, left_s=time_s, was_read=False, visit=now.visit + 1
        )
    if now.state is TrayState.LEFT and now.left_s is not None:
        lately = time_s - now.left_s < settings.left_s
        return now if lately else replace(now, state=TrayState.EMPTY)
    return replace(now, state=TrayState.EMPTY)
