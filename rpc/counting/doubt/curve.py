"""A rising curve from log-odds to log-odds, by straight pieces: the shape of a calibration.

A recogniser that was taught with softened labels never says more than 0.98 or so: there a small
difference of its share means much, and a straight line in log-odds, fitted where the errors are,
tells far too many errors where it is sure. So the steepness may change along the way.

Key: M decisions, C knots.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from rpc.structures.boxes import FloatArray

MOST: Final = 64  # knots of a file
FURTHEST: Final = 100.0  # log-odds


@dataclass(frozen=True)
class Curve:
    """A piecewise linear curve that never falls; straight on beyond its ends.

    Attributes:
        knots: (x, y) of each, x rising; none for y = x.

    Raises:
        ValueError: fewer than two knots but one or more, more than `MOST`, not rising, or a number
            is not finite.
    """

    knots: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        if not self.knots:
            return
        table = np.array(self.knots, dtype=np.float64).reshape(len(self.knots), -1)
        steps = np.diff(table, axis=0)
        right = table.shape[1] == 2 and 2 <= len(table) <= MOST
        if not (right and (np.abs(table) <= FURTHEST).all() and (steps[:, 0] > 1e-6).all()):
            raise ValueError(f"curve: expected 2 to {MOST} knots (x, y), x rising")
        if not (steps[:, 1] >= 0).all():
            raise ValueError("curve: expected one that never falls")

    def __call__(self, values: FloatArray) -> FloatArray:
        """The curve (M,) at values (M,)."""
        if not self.knots:
            return values
        x, y = np.array(self.knots).T
        piece = np.clip(np.searchsorted(x, values) - 1, 0, len(x) - 2)
        slope = (np.diff(y) / np.diff(x))[piece]
        return np.asarray(y[piece] + slope * (values - x[piece]), dtype=np.float64)
