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

from rpc.counting.doubt.calibration import LEAST, Calibration
from rpc.counting.doubt.decisions import Decisions, Outcomes
from rpc.structures.boxes import FloatArray

# What is believed before any tray was seen, as mean and deviation; weak beside a dozen errors.
PRIOR: Final = Calibration(slope=1.0, offset=0.0, temperature=1.5, lapse=0.01, unseen=0.01)
WIDTHS: Final = (1.0, 2.0, 1.0, 1.0)  # log slope, offset, log temperature, log-odds of the lapse
PSEUDO: Final = 50.0  # items that the prior of `unseen` is worth


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
    decided: Decided, prior: Calibration = PRIOR, widths: Sequence[float] = WIDTHS
) -> Calibration:
    """The likeliest calibration, where `prior` is what is believed before.

    With few trays and no error among them the likeliest lapse would be 0, and every name
    certain; the prior says how sure one may be of what was not seen.

    Args:
        decided: what is learnt from; it may be empty.
        prior: the middle of what is believed.
        widths: standard deviations around it, of log slope, offset, log temperature and log-odds
            of the lapse.
    """
    slope, offset = _fit_item(decided, prior, widths)
    temperature, lapse = _fit_names(decided, prior, widths)
    items = int((decided.labels >= 0).sum()) + decided.unseen
    unseen = (decided.unseen + PSEUDO * prior.unseen) / (items + PSEUDO)
    return Calibration(slope, offset, temperature, lapse, unseen)


def _fit_item(decided: Decided, prior: Calibration, widths: Sequence[float]) -> tuple[float, float]:
    odds = logit(np.clip(decided.items, LEAST, 1 - LEAST))
    sign = np.where(decided.labels >= 0, 1.0, -1.0)
    middle = np.array([np.log(max(prior.slope, 1e-3)), prior.offset])

    def cost(values: FloatArray) -> float:
        margins = sign * (np.exp(values[0]) * odds + values[1])
        likelihood = np.logaddexp(0, -margins).sum()
        return float(likelihood + _penalty(values - middle, widths[:2]))

    log_slope, offset = _minimum(cost, middle)
    return float(np.exp(log_slope)), float(offset)


def _fit_names(
    decided: Decided, prior: Calibration, widths: Sequence[float]
) -> tuple[float, float]:
    known = decided.labels >= 0
    shares, labels = decided.shares[known], decided.labels[known]
    logs = np.log(np.maximum(shares, 1e-30))
    rows = np.arange(len(labels))
    lapse = float(np.clip(prior.lapse, 1e-4, 1 - 1e-4))
    middle = np.array([np.log(prior.temperature), logit(lapse)])

    def cost(values: FloatArray) -> float:
        scaled = logs / np.exp(values[0])
        top = scaled.max(axis=1, initial=-np.inf)
        total = np.exp(scaled - top[:, None]).sum(axis=1)
        own = np.exp(scaled[rows, labels] - top) / total
        wrong = expit(values[1])
        probability = (1 - wrong) * own + wrong / shares.shape[1]
        likelihood = -np.log(probability).sum()
        return float(likelihood + _penalty(values - middle, widths[2:]))

    log_temperature, odds = _minimum(cost, middle)
    return float(np.exp(log_temperature)), float(expit(odds))


def _penalty(off: FloatArray, widths: Sequence[float]) -> float:
    return float(0.5 * ((off / np.asarray(widths)) ** 2).sum())


def _minimum(cost: object, start: FloatArray) -> FloatArray:
    bounds = [(value - 4.5, value + 4.5) for value in start]
    found = minimize(cost, start, method="L-BFGS-B", bounds=bounds)
    return np.asarray(found.x, dtype=np.float64)
