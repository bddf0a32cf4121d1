"""Budget and learning rate of a training.

Key: B photos of a batch.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class LearningSettings:
    """How a system learns; which phases there are is the system's own affair.

    Attributes:
        iterations: batches of all gradient phases together; None where another budget
            decides.
        cpu_minutes: processor time of all gradient phases together, likewise. Fits come on top:
            the result says what was used in all.
        minutes: wall time of all gradient phases together, likewise.
        batch_size: B of a process.
        lr: of AdamW, where a group's multiplier is 1.
        seed: of weights, order, augmentation.
        bfloat16: forward passes in bfloat16.
        save_every: seconds between resume points.

    Raises:
        ValueError: not one budget of the three is given, or a value is out of its range.
    """

    iterations: int | None = None
    cpu_minutes: float | None = None
    minutes: float | None = None
    batch_size: int = 24
    lr: float = 1e-3
    seed: int = 0
    bfloat16: bool = False
    save_every: float = 60.0

    def __post_init__(self) -> None:
        budgets = (self.iterations, self.cpu_minutes, self.minutes)
        if sum(budget is not None for budget in budgets) != 1:
            raise ValueError("learning: expected one budget: iterations, cpu_minutes or minutes")
        for name in ("iterations", "cpu_minutes", "minutes", "batch_size", "lr", "save_every"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise ValueError(f"learning: expected {name} above 0, got {value!r}")


@dataclass(frozen=True)
class Learned:
    """The cost of a training.

    Attributes:
        batches: of all gradient phases.
        cpu_seconds: processor time of all phases, fits included, in this process.
        seconds: by phase: processor time, or wall time where that is the budget.
    """

    batches: int
    cpu_seconds: float
    seconds: Mapping[str, float]


class Clock:
    """Seconds since it was last read: of this process's processor time, and of its budget.

    Args:
        settings: the budget: of wall time, or else of processor time.
    """

    def __init__(self, settings: LearningSettings) -> None:
        self.by_wall = settings.minutes is not None
        self.read()

    def read(self) -> tuple[float, float]:
        """Processor seconds and the budget's seconds since the last reading."""
        before = getattr(self, "_last", None)
        self._last = time.process_time(), time.monotonic()
        if before is None:
            return 0.0, 0.0
        cpu, wall = self._last[0] - before[0], self._last[1] - before[1]
        return cpu, wall if self.by_wall else cpu


def budget_spent(settings: LearningSettings, share: float, step: int, spent: float) -> float:
    """Fraction of a phase's budget that is spent, 1 or more when it is done.

    Args:
        settings: with the budget of all phases.
        share: of the phase in it.
        step: batches of the phase so far.
        spent: seconds of the phase so far.
    """
    if settings.iterations is not None:
        return step / max(round(share * settings.iterations), 1)
    minutes = settings.cpu_minutes if settings.minutes is None else settings.minutes
    assert minutes is not None, "checked when the settings were made"
    return spent / (60 * share * minutes)


def rate(done: float, warm_up: float = 0.05) -> float:
    """Factor on a phase's learning rates at the fraction `done`: a warm-up, then a cosine to 1 %.

    Args:
        done: of the phase.
        warm_up: share of the phase in which the rates rise from 5 % to all.
    """
    if done < warm_up:
        return 0.05 + 0.95 * done / warm_up
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (done - warm_up) / (1 - warm_up)))
