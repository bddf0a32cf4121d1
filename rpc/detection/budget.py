"""How far a training is, where it may last so many minutes, so many iterations, or both."""

from __future__ import annotations

import time
from collections.abc import Callable


class Budget:
    """A clock that runs only while the training does.

    Args:
        max_seconds: wall time that training, validation and saving may take together; None: any.
        max_iters: iterations; None: any.
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
        self.max_iters = max_iters
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

    def progress(self, iters: int) -> float:
        """Fraction of the budget used, 0 to 1, after `iters` iterations; 1 means stop."""
        used = 0.0 if self.max_iters is None else iters / self.max_iters
        if self.max_seconds is not None:
            # Never less than half: a slow validation must not leave training without time.
            available = max(self.max_seconds - self.reserve, 0.5 * self.max_seconds)
            used = max(used, self.elapsed / available)
        return min(used, 1.0)

    def seconds_left(self, iters: int) -> float | None:
        """Estimate of the time to the end, validation included; None before it can be told."""
        progress = self.progress(iters)
        if progress <= 0:
            return self.max_seconds
        by_pace = self.elapsed * (1 - progress) / progress + self.reserve
        return by_pace if self.max_seconds is None else min(by_pace, self.max_seconds)
