"""Budget and learning rate of a training.

Key: B photos of a batch.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass

from rpc.runs.update_plan import UpdatePlan


@dataclass(frozen=True)
class LearningSettings:
    """How a system learns; which phases there are is the system's own affair.

    Attributes:
        iterations: batches of all gradient phases together; None where another budget
            decides.
        cap_minutes: wall time that so many iterations may take; None: any. It changes nothing
            unless they do not fit, see `rpc.runs.update_plan`.
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
    cap_minutes: float | None = None
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
        if self.cap_minutes is not None and self.iterations is None:
            raise ValueError("learning: expected cap_minutes with iterations alone")
        for name in (
            "iterations",
            "cap_minutes",
            "cpu_minutes",
            "minutes",
            "batch_size",
            "lr",
            "save_every",
        ):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise ValueError(f"learning: expected {name} above 0, got {value!r}")


@dataclass(frozen=True)
class Learned:
    """The cost of a training.

    Attributes:
        batches: of all gradient phases.
        cpu_seconds: processor time of all phases, fits included, in this process.
        seconds: by phase: processor time, or wall time where that is the budget or its cap.
        asked: batches that were asked for; None where the budget was a time.
    """

    batches: int
    cpu_seconds: float
    seconds: Mapping[str, float]
    asked: int | None = None


class Clock:
    """Seconds since it was last read: of this process's processor time, and of its budget.

    Args:
        settings: the budget: of wall time or with a cap on it, or else of processor time.
    """

    def __init__(self, settings: LearningSettings) -> None:
        self.by_wall = settings.minutes is not None or settings.cap_minutes is not None
        self.read()

    def read(self) -> tuple[float, float]:
        """Processor seconds and the budget's seconds since the last reading."""
        before = getattr(self, "_last", None)
        self._last = time.process_time(), time.monotonic()
        if before is None:
            return 0.0, 0.0
        cpu, wall = self._last[0] - before[0], self._last[1] - before[1]
        return cpu, wall if self.by_wall else cpu


class PhaseBudget:
    """How far a phase is: by its batches, or by the clock where the budget is a time.

    Args:
        settings: with the budget of all phases.
        share: of the phase in it.
    """

    def __init__(self, settings: LearningSettings, share: float) -> None:
        self.plan: UpdatePlan | None = None
        self._seconds = 0.0
        if settings.iterations is not None:
            cap = settings.cap_minutes
            self.plan = UpdatePlan(
                max(round(share * settings.iterations), 1),
                None if cap is None else 60 * share * cap,
            )
        else:
            minutes = settings.cpu_minutes if settings.minutes is None else settings.minutes
            assert minutes is not None, "checked when the settings were made"
            self._seconds = 60 * share * minutes

    def note(self, step: int, spent: float) -> None:
        """Look at the clock after a batch: a cap may cut the plan."""
        if self.plan is not None:
            self.plan.note(step, spent)

    def done(self, step: int, spent: float) -> float:
        """Fraction that is spent, 1 or more when the phase is done.

        Args:
            step: batches of the phase so far.
            spent: seconds of the phase so far.
        """
        return spent / self._seconds if self.plan is None else self.plan.progress(step)


def rate(done: float, warm_up: float = 0.05) -> float:
    """Factor on a phase's learning rates at the fraction `done`: a warm-up, then a cosine to 1 %.

    Args:
        done: of the phase.
        warm_up: share of the phase in which the rates rise from 5 % to all.
    """
    if done < warm_up:
        return 0.05 + 0.95 * done / warm_up
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (done - warm_up) / (1 - warm_up)))
