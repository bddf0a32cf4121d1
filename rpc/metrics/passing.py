"""Trays that pass with no question: how many do, and how many of these are right.

The limit from which a tray passes was chosen before, on other trays: what is measured here is what
a shop gets. (`rpc.metrics.coverage` looks for the best limit on the measured trays themselves.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from rpc.metrics.bootstrap import CONFIDENCE, Interval


@dataclass(frozen=True)
class Passing:
    """How many trays pass, and how many of these are right.

    Attributes:
        images: trays that were measured.
        passed: how many of them passed.
        right: how many of those that passed are right in every SKU.
        coverage_interval: Clopper and Pearson's 95 % interval of `coverage`.
        accuracy_interval: likewise of `accuracy`; None where no tray passed.
    """

    images: int
    passed: int
    right: int
    coverage_interval: Interval
    accuracy_interval: Interval | None

    @property
    def coverage(self) -> float:
        """Share of the trays that passed."""
        return self.passed / self.images

    @property
    def accuracy(self) -> float | None:
        """Share of the passed trays that are right; None where none passed."""
        return self.right / self.passed if self.passed else None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON; rates as fractions."""
        ends = self.accuracy_interval
        return {
            "images": self.images,
            "passed": self.passed,
            "right": self.right,
            "coverage": self.coverage,
            "coverage_interval": list(self.coverage_interval),
            "accuracy": self.accuracy,
            "accuracy_interval": None if ends is None else list(ends),
        }


def passing(passes: ArrayLike, right: ArrayLike) -> Passing:
    """Count the trays that pass.

    Args:
        passes: (N,) whether a tray passed with no question.
        right: (N,) whether it is right in every SKU.

    Raises:
        ValueError: lengths differ, or there is no tray.
    """
    passed, good = np.asarray(passes, dtype=np.bool_), np.asarray(right, dtype=np.bool_)
    if passed.ndim != 1 or passed.shape != good.shape or len(passed) == 0:
        raise ValueError(
            f"passing: expected (N,) passes and rights, N >= 1, got {passed.shape} and {good.shape}"
        )
    images, count, fine = len(passed), int(passed.sum()), int((passed & good).sum())
    return Passing(
        images=images,
        passed=count,
        right=fine,
        coverage_interval=binomial_interval(count, images),
        accuracy_interval=binomial_interval(fine, count) if count else None,
    )


def binomial_interval(successes: int, trials: int, confidence: float = CONFIDENCE) -> Interval:
    """Clopper and Pearson's interval of a share: it holds the true share at least that often.

    Source: Clopper and Pearson, "The use of confidence or fiducial limits illustrated in the case
    of the binomial", 1934. Also where all or none succeed, where a bootstrap says nothing.

    Raises:
        ValueError: not 0 <= successes <= trials with a trial, or `confidence` out of range.
    """
    if not (0 <= successes <= trials and trials > 0 and 0 < confidence < 1):
        raise ValueError(
            f"interval: expected 0 <= successes <= trials, trials > 0, got {successes}, {trials}"
        )
    from scipy.special import betaincinv  # here: a counter, which imports this, does without

    tail = (1 - confidence) / 2
    failures = trials - successes
    low = float(betaincinv(successes, failures + 1, tail)) if successes else 0.0
    high = float(betaincinv(successes + 1, failures, 1 - tail)) if failures else 1.0
    return low, high
