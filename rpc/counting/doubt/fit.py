"""The calibration that suits labelled trays best.

Key: M decisions over all trays, K SKUs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit

from rpc.counting.doubt.calibration import Calibration, log_odds
from rpc.counting.doubt.curve import Curve
from rpc.counting.doubt.curve_fit import fit_curve, log_likelihood, move_curve
from rpc.counting.doubt.decisions import Decisions, Outcomes
from rpc.structures.boxes import FloatArray

# What is believed before any tray was seen; weak beside a dozen errors. A name in a thousand is
# wrong for reasons that no recogniser sees, such as a torn label.
PRIOR: Final = Calibration(item_slope=1.5, name_slope=1.5, lapse=0.001, unseen=0.001)
WIDTHS: Final = (1.0, 2.0, 1.0)  # of log slopes, offsets, and the log-odds of the lapse
# Composed scenes are like photos, but not the same: how far photos may lie from them.
GAP: Final = (0.3, 0.6, 0.6)
Line = tuple[float, float, float]  # slope, offset, lapse
PSEUDO: Final = 200.0  # items that what is believed of `unseen` is worth


@dataclass(frozen=True, eq=False)
class Decided:
    """The decisions of many trays with what became of them, in one table.

    Attributes:
        items: (M,) item scores.
        shares: (M, K).
        counts: (M,) whether it counts.
        labels: (M,) true SKU, -1 where it is no item.
        trays: (M,) number of its tray.
        unseen: true items without a decision.
    """

    items: FloatArray
    shares: FloatArray
    counts: NDArray[np.bool_]
    labels: NDArray[np.int64]
    trays: NDArray[np.int64]
    unseen: int

    @classmethod
    def of(cls, made: Sequence[Decisions], became: Sequence[Outcomes], skus: int) -> Decided:
        """Of N trays over K = `skus` SKUs."""
        return cls(
            items=np.concatenate([np.zeros(0), *(one.items for one in made)]),
            shares=np.concatenate([np.zeros((0, skus)), *(one.shares for one in made)]),
            counts=np.concatenate([np.zeros(0, dtype=np.bool_), *(one.counts for one in made)]),
            labels=np.concatenate([np.zeros(0, np.int64), *(one.labels for one in became)]),
            trays=np.repeat(np.arange(len(made)), [len(one) for one in made]),
            unseen=sum(one.unseen for one in became),
        )


def fit_calibration(
    decided: Decided,
    prior: Calibration = PRIOR,
    widths: Sequence[float] = WIDTHS,
    *,
    bent: bool = False,
) -> Calibration:
    """The likeliest calibration, where `prior` is what is believed before.

    With few trays and no error among them the likeliest lapse would be 0, and every name
    certain; the prior says how sure one may be of what was not seen. Composed scenes have truth
    for nothing: fitted on them first, the calibration is the prior of the fit on photos, with the
    widths `GAP`.

    Args:
        decided: what is learnt from; it may be empty.
        prior: the middle of what is believed.
        widths: standard deviations around it, of log slopes, offsets and log-odds of the lapse; the
            first two are of lines.
        bent: fit curves rather than lines, for which it takes thousands of items. Curves of
            `prior` are moved in any case, see `move_curve`.
    """
    known = decided.labels >= 0
    best = decided.shares.argmax(axis=1)
    top = decided.shares[np.arange(len(best)), best]
    named = best[known] == decided.labels[known]
    item_line = (prior.item_slope, prior.item_offset, 0.0)
    name_line = (prior.name_slope, prior.name_offset, prior.lapse)
    item_curve, item_line = _fitted(
        log_odds(decided.items), known, prior.item_curve, item_line, widths, bent
    )
    name_curve, name_line = _fitted(
        log_odds(top[known]), named, prior.name_curve, name_line, widths, bent
    )
    items = int(known.sum()) + decided.unseen
    unseen = (decided.unseen + PSEUDO * prior.unseen) / (items + PSEUDO)
    return Calibration(*item_line[:2], *name_line, unseen, item_curve, name_curve)


def _fitted(
    odds: FloatArray,
    right: NDArray[np.bool_],
    curve: Curve,
    line: Line,
    widths: Sequence[float],
    bent: bool,
) -> tuple[Curve, Line]:
    """Curve and line through what came true (M,) at log-odds (M,), from those of before."""
    if curve.knots:
        moved, lapse = move_curve(curve, odds, right, line[2], widths[2])
        return moved, (*line[:2], lapse)
    if bent:
        found, lapse = fit_curve(odds, right, *line)
        if found.knots:
            return found, (1.0, 0.0, lapse)
    return curve, _fit(odds, right, line, widths)


def _fit(
    odds: FloatArray,
    right: NDArray[np.bool_],
    prior: Line,
    widths: Sequence[float],
) -> Line:
    """Slope, offset and lapse of a logistic curve through what came true (M,) at log-odds (M,)."""
    slope, offset, lapse = prior
    middle = np.array([np.log(max(slope, 1e-3)), offset])
    spread = np.asarray(widths[:2])
    if lapse > 0:
        middle, spread = np.append(middle, logit(lapse)), np.asarray(widths)

    def cost(values: FloatArray) -> float:
        wrong = expit(values[2]) if len(values) > 2 else 0.0
        sure = (1 - wrong) * expit(np.exp(values[0]) * odds + values[1])
        believed = float((((values - middle) / spread) ** 2).sum())
        return 0.5 * believed - log_likelihood(sure, right)

    bounds = [(value - 4.5, value + 4.5) for value in middle]
    found = minimize(cost, middle, method="L-BFGS-B", bounds=bounds).x
    return float(np.exp(found[0])), float(found[1]), float(expit(found[2])) if lapse > 0 else 0.0
