"""Scores to probabilities that hold: whether a box is an item, and which SKU it is.

Key: M decisions, K SKUs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

from rpc.counting.doubt.curve import MOST, Curve
from rpc.structures.boxes import FloatArray

LEAST: Final = 1e-6  # scores are kept this far from 0 and 1, where log-odds end
_RANGES: Final[Mapping[str, tuple[float, float]]] = {
    "item_slope": (0.0, 100.0),
    "item_offset": (-100.0, 100.0),
    "name_slope": (0.0, 100.0),
    "name_offset": (-100.0, 100.0),
    "lapse": (0.0, 1.0),
    "unseen": (0.0, 1.0),
}
_CURVES: Final = ("item_curve", "name_curve")


@dataclass(frozen=True)
class Calibration:
    """Turns what a counter saw into probabilities. All are monotone.

    Attributes:
        item_slope: of the log-odds of 'is an item' by the log-odds of the item score; >= 0.
        item_offset: added to these log-odds.
        name_slope: of the log-odds of 'is of the likeliest SKU' by those of its share; >= 0. Above
            1 the recogniser was less sure than it could be.
        name_offset: added to these log-odds.
        lapse: share of the names that are wrong however sure the recogniser is; 0 to 1.
        unseen: share of the true items on which there is no box to decide on.
        item_curve: applied to the log-odds of the item score before `item_slope`.
        name_curve: applied to the log-odds of the share before `name_slope`.

    Raises:
        ValueError: a value is out of its range.
    """

    item_slope: float = 1.0
    item_offset: float = 0.0
    name_slope: float = 1.0
    name_offset: float = 0.0
    lapse: float = 0.0
    unseen: float = 0.0
    item_curve: Curve = field(default_factory=Curve)
    name_curve: Curve = field(default_factory=Curve)

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
        odds = self.item_curve(log_odds(scores))
        return shares_of_odds(self.item_slope * odds + self.item_offset)

    def likeliest(self, shares: ArrayLike) -> FloatArray:
        """Probability (M,) that the SKU of the largest share is right, by that share (M,)."""
        odds = self.name_curve(log_odds(shares))
        sure = shares_of_odds(self.name_slope * odds + self.name_offset)
        return np.asarray((1 - self.lapse) * sure, dtype=np.float64)

    def names(self, shares: ArrayLike) -> FloatArray:
        """Probability (M, K) of each SKU, given that it is an item, by its shares (M, K).

        What the likeliest SKU does not have, goes to the others in proportion to their shares, but
        to none more than to the likeliest: a row may sum to less than 1, where the recogniser is
        known to be wrong more often than it says and nothing tells which SKU it is instead.
        """
        table = np.asarray(shares, dtype=np.float64)
        rows = np.arange(len(table))
        best = table.argmax(axis=1)
        top = table[rows, best]
        own = self.likeliest(top)
        factor = np.divide(1 - own, 1 - top, out=np.zeros_like(own), where=top < 1)
        names = np.minimum(table * factor[:, None], own[:, None])
        names[rows, best] = own
        return np.asarray(names, dtype=np.float64)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for a model file."""
        curves = {name: [list(knot) for knot in getattr(self, name).knots] for name in _CURVES}
        return {name: getattr(self, name) for name in _RANGES} | curves

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Calibration:
        """The calibration of `to_dict`; files without curves are read as well.

        Raises:
            ValueError: not a mapping, a field is missing or unknown, or a value is out of range.
        """
        if not isinstance(values, Mapping):
            raise ValueError(f"calibration: expected an object, got {values!r:.80}")
        names = {one.name for one in fields(cls)}
        if set(values) | set(_CURVES) != names:
            raise ValueError(
                f"calibration: expected the fields {', '.join(sorted(names))}, got "
                f"{', '.join(sorted(map(str, values))):.200}"
            )
        curves = {name: _curve(name, values.get(name, [])) for name in _CURVES}
        return cls(**{**values, **curves})


def _curve(name: str, knots: Any) -> Curve:
    """The curve of a file's knots.

    Raises:
        ValueError: something else, or no rising curve.
    """
    known = isinstance(knots, list | tuple) and len(knots) <= MOST
    if not (known and all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in knots)):
        raise ValueError(f"calibration: {name}: expected a list of knots [x, y], got {knots!r:.60}")
    if not all(type(value) in (int, float) for pair in knots for value in pair):
        raise ValueError(f"calibration: {name}: expected numbers, got {knots!r:.60}")
    return Curve(tuple((float(x), float(y)) for x, y in knots))


def log_odds(shares: ArrayLike) -> FloatArray:
    """Log-odds (M,) of numbers (M,) in 0 to 1; finite at the ends."""
    kept = np.clip(np.asarray(shares, dtype=np.float64), LEAST, 1 - LEAST)
    return np.asarray(np.log(kept) - np.log1p(-kept), dtype=np.float64)


def shares_of_odds(odds: FloatArray) -> FloatArray:
    """Numbers (M,) in 0 to 1 of log-odds (M,).

    As scipy.special.expit, whose import takes longer than a counter has to start.
    """
    small = np.exp(-np.abs(odds))
    return np.asarray(np.where(odds >= 0, 1.0, small) / (1 + small), dtype=np.float64)
