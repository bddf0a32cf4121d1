"""How often crops are named rightly: rank of the right SKU, and how far the share may be off.

Key: N queries, K SKUs, G groups of queries (trays or carts).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

RESAMPLES: Final = 2000
CONFIDENCE: Final = 0.95


@dataclass(frozen=True)
class NamingMetrics:
    """Shares of queries.

    Attributes:
        top1: the right SKU comes first.
        top5: it is among the first five.
        top1_interval, top5_interval: bootstrap over the groups, 95 %.
        queries: N.
        groups: G.
    """

    top1: float
    top5: float
    top1_interval: tuple[float, float]
    top5_interval: tuple[float, float]
    queries: int
    groups: int


def ranks_of_truth(scores: NDArray[np.floating], truth: NDArray[np.integer]) -> NDArray[np.int64]:
    """How many SKUs stand before the right one (N,); equal scores stand before it.

    Args:
        scores: (N, K), higher is more alike.
        truth: (N,) column of the right SKU.

    Raises:
        ValueError: shapes differ, a truth is no column, or a score is NaN.
    """
    if scores.ndim != 2 or len(truth) != len(scores):
        raise ValueError(f"expected scores (N, K) and N truths, got {scores.shape}, {len(truth)}")
    if np.isnan(scores).any():
        raise ValueError("scores: expected numbers, got NaN")
    if len(truth) and not 0 <= truth.min() <= truth.max() < scores.shape[1]:
        raise ValueError(f"truth: expected columns 0 to {scores.shape[1] - 1}")
    own = scores[np.arange(len(scores)), truth]
    return np.asarray((scores >= own[:, None]).sum(axis=1) - 1, dtype=np.int64)


def naming_metrics(
    ranks: NDArray[np.integer],
    groups: NDArray[np.generic],
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
) -> NamingMetrics:
    """Shares of right names, with percentile intervals over whole groups.

    Shots of one cart show the same products: they are drawn together, or the interval would be too
    narrow. With a single group both ends are the share itself.

    Args:
        ranks: (N,) of `ranks_of_truth`.
        groups: (N,) cart or tray of each query.
        rng: draws the groups.
        resamples: how many.

    Raises:
        ValueError: no query, or lengths differ.
    """
    if len(ranks) == 0 or len(ranks) != len(groups):
        raise ValueError(f"expected as many groups as ranks, got {len(groups)} and {len(ranks)}")
    right = np.stack([ranks < 1, ranks < 5], axis=1).astype(np.float64)  # (N, 2)
    low, high = _interval(right, groups, rng, resamples)
    top1, top5 = right.mean(axis=0)
    return NamingMetrics(
        float(top1),
        float(top5),
        (float(low[0]), float(high[0])),
        (float(low[1]), float(high[1])),
        len(ranks),
        len(np.unique(groups)),
    )


def naming_lead(
    ranks: NDArray[np.integer],
    others: NDArray[np.integer],
    groups: NDArray[np.generic],
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
) -> tuple[float, float, float]:
    """Share named right first by one way minus that by another, and the ends of its interval.

    The same carts are drawn for both: two ways may differ surely although their own intervals
    overlap.

    Args:
        ranks: (N,) of the one way.
        others: (N,) of the other, on the same queries.
        groups: (N,) cart or tray of each query.
        rng: draws the groups.
        resamples: how many.

    Raises:
        ValueError: no query, or lengths differ.
    """
    if not 0 < len(ranks) == len(others) == len(groups):
        raise ValueError(
            f"expected two ways on the same queries, got {len(ranks)}, {len(others)} ranks and "
            f"{len(groups)} groups"
        )
    better = (ranks < 1).astype(np.float64) - (others < 1)
    low, high = _interval(better[:, None], groups, rng, resamples)
    return float(better.mean()), float(low[0]), float(high[0])


def _interval(
    values: NDArray[np.float64],
    groups: NDArray[np.generic],
    rng: np.random.Generator,
    resamples: int,
) -> NDArray[np.float64]:
    """Ends (2, V) of the percentile intervals of means of (N, V), drawn by whole groups."""
    names, owner = np.unique(groups, return_inverse=True)
    sums = np.zeros((len(names), values.shape[1]))
    np.add.at(sums, owner, values)
    sizes = np.bincount(owner, minlength=len(names))
    drawn = rng.integers(len(names), size=(resamples, len(names)))
    shares = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)[:, None]
    tail = (1 - CONFIDENCE) / 2
    return np.asarray(np.quantile(shares, [tail, 1 - tail], axis=0))
