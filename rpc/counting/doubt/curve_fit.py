"""Curves that suit what came true: fitted on composed scenes, moved by photos.

Key: M decisions.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit

from rpc.counting.doubt.curve import FURTHEST, Curve
from rpc.structures.boxes import FloatArray

KNOTS: Final = 8
NARROW: Final = 1e-3  # log-odds that spread less than this have no shape
MOVE: Final = 1.0  # standard deviation of a knot's move, in log-odds
ALIKE: Final = 0.7  # correlation of the moves of neighbouring knots
# Standard deviations of what is believed before: of the first value, the log of the first slope,
# the change of the log slope from piece to piece, and the log-odds of the lapse.
WIDTHS: Final = np.array([2.0, 1.0, 0.5, 1.0])


def fit_curve(
    odds: FloatArray, right: NDArray[np.bool_], slope: float, offset: float, lapse: float = 0.0
) -> tuple[Curve, float]:
    """The likeliest curve through what came true (M,) at log-odds (M,), and the share of lapses.

    Few decisions leave it near the line of `slope` and `offset`, as does each stretch without
    errors or with nothing else near the stretches beside it.

    Args:
        odds: what was said.
        right: whether it was right.
        slope: of the line that is believed before.
        offset: of this line.
        lapse: the share that is wrong however sure, as believed before; 0 for none at all.

    Returns:
        The curve, no knots where `odds` do not spread; and the lapse.
    """
    low, high = np.percentile(odds, [1, 99]) if len(odds) else (0.0, 0.0)
    if high - low < NARROW:
        return Curve(), lapse
    x = np.linspace(low, high, KNOTS)
    # Rise of each piece at each value: y = first + rises @ slopes.
    rises = np.minimum(odds[:, None], np.append(x[1:-1], np.inf)) - x[:-1]
    rises[:, 1:] = np.maximum(rises[:, 1:], 0)
    middle = np.concatenate(
        [[slope * x[0] + offset], np.full(KNOTS - 1, np.log(max(slope, 1e-3))), [logit(lapse)]]
    )
    middle = middle if lapse > 0 else middle[:-1]

    def cost(values: FloatArray) -> float:
        slips = expit(values[KNOTS:]).sum()
        sure = (1 - slips) * expit(values[0] + rises @ np.exp(values[1:KNOTS]))
        seen = log_likelihood(sure, right)
        moved = (values - middle)[[0, 1]] / WIDTHS[:2]
        bent = np.diff(values[1:KNOTS]) / WIDTHS[2]
        slipped = (values - middle)[KNOTS:] / WIDTHS[3]
        return float(0.5 * ((moved**2).sum() + (bent**2).sum() + (slipped**2).sum()) - seen)

    bounds = [(value - 4.5, value + 4.5) for value in middle]
    found = minimize(cost, middle, method="L-BFGS-B", bounds=bounds).x
    steps = np.exp(found[1:KNOTS]) * np.diff(x)
    y = np.clip(found[0] + np.concatenate([[0.0], np.cumsum(steps)]), -FURTHEST, FURTHEST)
    return Curve(tuple(zip(x.tolist(), y.tolist(), strict=True))), float(expit(found[KNOTS:]).sum())


def move_curve(
    curve: Curve, odds: FloatArray, right: NDArray[np.bool_], lapse: float = 0.0, width: float = 1.0
) -> tuple[Curve, float]:
    """A curve moved by what came true elsewhere (M,) at log-odds (M,): where that was seen.

    Each knot moves by about `MOVE`, like its neighbours but not like knots far away: photos whose
    doubtful items were looked at again say little about items that were sure at once.

    Args:
        curve: with knots.
        odds: what was said.
        right: whether it was right.
        lapse: the share that is wrong however sure, as believed before; 0 for none at all.
        width: standard deviation of the log-odds of the lapse.

    Returns:
        The curve, which never falls, and the lapse.
    """
    x, y = np.array(curve.knots).T
    piece = np.clip(np.searchsorted(x, odds) - 1, 0, len(x) - 2)
    along = np.clip((odds - x[piece]) / (x[piece + 1] - x[piece]), 0, 1)
    parts = np.zeros((len(odds), len(x)))
    parts[np.arange(len(odds)), piece] = 1 - along
    parts[np.arange(len(odds)), piece + 1] += along
    apart = np.abs(np.subtract.outer(np.arange(len(x)), np.arange(len(x))))
    stiff = np.linalg.inv(MOVE**2 * ALIKE**apart)
    before, middle = curve(odds), logit([lapse] if lapse > 0 else [])

    def cost(values: FloatArray) -> float:
        moves, slips = values[: len(x)], values[len(x) :]
        sure = (1 - expit(slips).sum()) * expit(before + parts @ moves)
        seen = log_likelihood(sure, right)
        believed = moves @ stiff @ moves + (((slips - middle) / width) ** 2).sum()
        return float(0.5 * believed - seen)

    start = np.concatenate([np.zeros(len(x)), middle])
    bounds = [(value - 4.5, value + 4.5) for value in start]
    found = minimize(cost, start, method="L-BFGS-B", bounds=bounds).x
    moved = np.clip(np.maximum.accumulate(y + found[: len(x)]), -FURTHEST, FURTHEST)
    slipped = float(expit(found[len(x) :]).sum())
    return Curve(tuple(zip(x.tolist(), moved.tolist(), strict=True))), slipped


def log_likelihood(sure: FloatArray, right: NDArray[np.bool_]) -> float:
    """Log-likelihood in nats of what came true (M,), stated with these probabilities (M,)."""
    return float(np.log(np.maximum(np.where(right, sure, 1 - sure), 1e-12)).sum())
