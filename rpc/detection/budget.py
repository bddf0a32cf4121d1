"""How far a training is, which makes so many updates, or lasts so many minutes."""

from __future__ import annotations

import time
from collections.abc import Callable

from rpc.runs.update_plan import UpdatePlan


class Budget:
    """A plan of updates, and a clock that runs only while the training does.

    With `max_iters` the progress follows the updates alone, and `max_seconds` is a cap on their
    time (see `UpdatePlan`); without, it follows the clock, so that the result depends on what else
    the machine does.

    Args:
        max_seconds: wall time that training, validation and saving may take together; None: any.
        max_iters: updates; None: as many as the time allows.
        clock: seconds; an argument so that a test can turn it.

    Raises:
        ValueError: no limit at all, or one that is not above 0.
    """

    def __init__(
        self,
        max_seconds: float | None = None,
        max_iters: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if max_seconds is None and max_iters is None:
            raise ValueError("training budget: expected max_minutes or max_iters, got neither")
        for name, limit in (("max_minutes", max_seconds), ("max_iters", max_iters)):
            if limit is not None and not limit > 0:
                raise ValueError(f"training budget: expected {name} above 0, got {limit}")
        self.max_seconds = max_seconds
        self.plan = None if max_iters is None else UpdatePlan(max_iters, max_seconds)
        self.reserve = 0.0  # seconds kept back for the validation at the end
        self._clock = clock
        self._start = clock()

    def start(self, elapsed: float = 0.0) -> None:
        """Start the clock; `elapsed` seconds were used before the training was stopped."""
        self._start = self._clock() - elapsed

    @property
    def elapsed(self) -> float:
        """Seconds used, not counting the time while the training was stopped."""
        return self._clock() - self._start

    def note(self, iters: int) -> None:
        """Look at the clock after an update: a cap may cut the plan."""
        if self.plan is not None:
            self.plan.note(iters, self.elapsed, self.reserve)

    def progress(self, iters: int) -> float:
        """Fraction of the budget used, 0 to 1, after `iters` updates; 1 means stop."""
        if self.plan is not None:
            return self.plan.progress(iters)
        assert self.max_seconds is not None, "checked when the budget was made"
        # Never less than half: a slow validation must not leave training without time.
        available = max(self.max_seconds - self.reserve, 0.5 * self.max_seconds)
        return min(self.elapsed / available, 1.0)

    def seconds_left(self, iters: int) -> float | None:
        """Estimate of the time to the end, validation included; None before it can be told."""
        progress = self.progress(iters)
        if progress <= 0:
            return self.max_seconds
        by_pace = self.elapsed * (1 - progress) / progress + self.reserve
        return by_pace if self.max_seconds is None else min(by_pace, self.max_seconds)
