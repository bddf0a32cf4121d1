"""How many updates a training makes: as many as asked for, or as a cap on its time allows."""

from __future__ import annotations

import math
from collections import deque
from typing import Any, Final

RECENT: Final = 50  # updates that the pace is measured on
MEASURED: Final = 8  # updates before a pace is believed


class UpdatePlan:
    """The updates of a training. Its schedule follows `progress`, which never looks at a clock.

    A cap changes nothing unless the updates left would not fit into the time left at the pace of
    the last `RECENT` ones. The plan is then cut to what fits, and the schedule is that of a
    training which was to have so many updates from the start: the rate still falls to its end.
    How sure that must be depends on the time left, for a machine may be busy for a while only:
    with all of the time left the updates must need twice the cap, with half of it 1.5 times the
    cap, in the end more than the cap. A plan that was cut follows the pace from then on, up again
    too, but stays below what was asked for.

    Args:
        updates: asked for.
        cap: seconds that the training may take; None: any.

    Raises:
        ValueError: a number is not above 0.
    """

    def __init__(self, updates: int, cap: float | None = None) -> None:
        if not updates >= 1 or not (cap is None or 0 < cap < math.inf):
            raise ValueError(f"training: expected updates and cap above 0, got {updates}, {cap}")
        self.asked, self.cap, self.planned = updates, cap, updates
        self._recent: deque[float] = deque(maxlen=RECENT)
        self._last: float | None = None

    @property
    def cut(self) -> bool:
        """Whether the cap made the training shorter."""
        return self.planned < self.asked

    def progress(self, done: int) -> float:
        """Fraction of the training after `done` updates, 0 to 1; 1 means stop."""
        return min(done / self.planned, 1.0)

    def note(self, done: int, elapsed: float, reserve: float = 0.0) -> None:
        """Look at the clock after an update.

        Args:
            done: updates so far.
            elapsed: seconds that they took, also those before the training was stopped.
            reserve: seconds to keep for what follows the last one; at most half of the cap is.
        """
        if self._last is not None:
            self._recent.append(elapsed - self._last)
        self._last = elapsed
        if self.cap is None or done >= self.planned:
            return
        end = self.cap - min(reserve, self.cap / 2)
        if elapsed >= end:
            self.planned = done
        elif len(self._recent) >= MEASURED:
            # Without the longest one, which a validation or a resume point may be a part of.
            pace = (sum(self._recent) - max(self._recent)) / (len(self._recent) - 1)
            needed = elapsed + (self.planned - done) * pace
            if self.cut or needed > end * (2 - elapsed / end):
                fits = int((end - elapsed) / pace) if pace > 0 else self.asked
                self.planned = min(self.asked - 1, done + fits)

    def state(self) -> dict[str, Any] | None:
        """A cut as plain values, for a resume point; None where there was none."""
        if not self.cut:
            return None
        return {"asked": self.asked, "cap": self.cap, "planned": self.planned}

    def take_up(self, state: object) -> None:
        """Go on with a cut that was made before the training was stopped.

        It is left alone where other updates or another cap are asked for now.

        Raises:
            ValueError: not what `state` gives.
        """
        if state is None:
            return
        planned = state.get("planned") if isinstance(state, dict) else None
        if not isinstance(state, dict) or type(planned) is not int or planned < 1:
            raise ValueError(f"a cut of a training's updates: expected a dict, got {state!r:.60}")
        if state.get("asked") == self.asked and state.get("cap") == self.cap:
            self.planned = min(planned, self.asked)
