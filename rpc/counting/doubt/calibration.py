"""Scores to probabilities that hold: whether a box is an item, and which SKU it is.

Key: M decisions, K SKUs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit

from rpc.structures.boxes import FloatArray

LEAST: Final = 1e-6  # scores are kept this far from 0 and 1, where log-odds end
_RANGES: Final[Mapping[str, tuple[float, float]]] = {
    "slope": (0.0, 100.0),
    "offset": (-100.0, 100.0),
    "temperature": (0.01, 100.0),
    "lapse": (0.0, 1.0),
    "unseen": (0.0, 1.0),
}


@dataclass(frozen=True)
class Calibration:
    """Five numbers that turn what a counter saw into probabilities. All are monotone.

    Attributes:
        slope: of the log-odds of 'is an item' by the log-odds of the item score; >= 0.
        offset: added to these log-odds.
        temperature: the SKUs' shares are raised to the power of 1 over it, and sum to 1 again:
            above 1 they were too sure of themselves.
        lapse: share of the names that are wrong however sure the recogniser is; 0 to 1. It is
            spread over all SKUs.
        unseen: share of the true items on which there is no box to decide on.

    Raises:
        ValueError: a value is out of its range.
    """

    slope: float = 1.0
    offset: float = 0.0
    temperature: float = 1.0
    lapse: float = 0.0
    unseen: float = 0.0

    def __post_init__(self) -> None:
        for name, (least, most) in _RANGES.items():
            value = getattr(self, name)
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not (number and least <= value <= most and math.isfinite(value)):
                raise ValueError(
                    f"calibration: {name}: expected {least:g} to {most:g}, got {value!r:.40}"
                )
            object.__setattr__(self, name, float(value))

    def item(self, scores: ArrayLike) -> FloatArray:
        """Probability (M,) that a box is an item, by its item score (M,)."""
        odds = logit(np.clip(np.asarray(scores, dtype=np.float64), LEAST, 1 - LEAST))
        return np.asarray(expit(self.slope * odds + self.offset), dtype=np.float64)

    def names(self, shares: ArrayLike) -> FloatArray:
        """Probability (M, K) of each SKU, given that it is an item, by its shares (M, K)."""
        table = np.asarray(shares, dtype=np.float64)
        logs = np.log(np.maximum(table, 1e-30)) / self.temperature
        power = np.exp(logs - logs.max(axis=1, keepdims=True, initial=-math.inf))
        sharp = power / power.sum(axis=1, keepdims=True)
        return np.asarray((1 - self.lapse) * sharp + self.lapse / table.shape[1])

    def to_dict(self) -> dict[str, float]:
        """Plain values, for a model file."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Calibration:
        """The calibration of `to_dict`.

        Raises:
            ValueError: not a mapping, a field is missing or unknown, or a value is out of range.
        """
        if not isinstance(values, Mapping):
            raise ValueError(f"calibration: expected an object, got {values!r:.80}")
        names = {field.name for field in fields(cls)}
        if set(values) != names:
            raise ValueError(
                f"calibration: expected the fields {', '.join(sorted(names))}, got "
                f"{', '.join(sorted(map(str, values))):.200}"
            )
        return cls(**values)
