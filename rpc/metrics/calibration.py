"""Whether stated probabilities hold: reliability by bins of equal size, and the expected error.

Key: N statements, M bins, G groups, B resamples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rpc.metrics.bootstrap import CONFIDENCE, RESAMPLES, Interval
from rpc.structures.boxes import FloatArray

BINS: Final = 10
LEAST: Final = 20  # statements of a bin: fewer say little about a share


@dataclass(frozen=True, eq=False)
class Reliability:
    """Stated probabilities beside what came true, for bins of about as many statements each.

    Attributes:
        stated: (M,) mean probability of each bin, rising.
        came_true: (M,) share of each bin that was right.
        sizes: (M,) how many statements it has.
        ece: expected calibration error: mean over the statements of the distance between their
            bin's two numbers. 0 is best. With few statements it is above 0 by chance alone.
        brier: mean squared distance of a probability from what came true (1 or 0).
    """

    stated: FloatArray
    came_true: FloatArray
    sizes: NDArray[np.int64]
    ece: float
    brier: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON: `bins` of [stated, came true, size]."""
        rows = zip(self.stated.tolist(), self.came_true.tolist(), self.sizes.tolist(), strict=True)
        return {"ece": self.ece, "brier": self.brier, "bins": [list(row) for row in rows]}


def reliability(probabilities: ArrayLike, right: ArrayLike, bins: int = BINS) -> Reliability:
    """Sort statements by probability, cut them into bins of equal size, and compare.

    Bins of equal size (Nguyen and O'Connor, "Posterior calibration and exploratory analysis for
    natural language processing models", 2015) say something everywhere; most statements of a good
    counter are near 1, where bins of equal width hold them all in one. Equal probabilities stay in
    one bin. There are fewer bins where they would hold fewer than 20 statements.

    Args:
        probabilities: (N,) 0 to 1.
        right: (N,) whether each came true.
        bins: M at most.

    Raises:
        ValueError: lengths differ, there is no statement, a probability is not within 0 to 1, or
            `bins` is below 1.
    """
    stated, true = _checked(probabilities, right)
    if bins < 1:
        raise ValueError(f"reliability: expected 1 bin or more, got {bins}")
    order = np.argsort(stated, kind="stable")
    stated, true = stated[order], true[order]
    starts = _starts(stated, max(1, min(bins, len(stated) // LEAST)))
    sizes = np.diff([*starts.tolist(), len(stated)])
    mean = np.add.reduceat(stated, starts) / sizes
    share = np.add.reduceat(true.astype(np.float64), starts) / sizes
    return Reliability(
        stated=mean,
        came_true=share,
        sizes=sizes.astype(np.int64),
        ece=float((sizes * np.abs(mean - share)).sum() / len(stated)),
        brier=float(((stated - true) ** 2).mean()),
    )


def ece_interval(
    probabilities: ArrayLike,
    right: ArrayLike,
    groups: ArrayLike,
    rng: np.random.Generator,
    *,
    bins: int = BINS,
    resamples: int = RESAMPLES,
    confidence: float = CONFIDENCE,
) -> Interval:
    """Percentile bootstrap interval of the ECE; groups (trays) are drawn whole.

    A resample repeats statements, and bins of repeated statements lie farther off by chance: the
    interval is wide on its upper side rather than narrow.

    Args:
        probabilities: (N,) 0 to 1.
        right: (N,) whether each came true.
        groups: (N,) the number of the tray that each belongs to.
        rng: the source of chance.
        bins: as `reliability`.
        resamples: B.
        confidence: share of the resamples inside.

    Raises:
        ValueError: as `reliability`, or there are not as many groups as statements.
    """
    stated, true = _checked(probabilities, right)
    _, place = np.unique(np.asarray(groups), return_inverse=True)
    if place.shape != stated.shape:
        raise ValueError(f"reliability: expected {stated.shape} groups, got {place.shape}")
    rows = [np.flatnonzero(place == group) for group in range(int(place.max()) + 1)]
    values = []
    for _ in range(resamples):
        drawn = np.concatenate([rows[group] for group in rng.integers(len(rows), size=len(rows))])
        values.append(reliability(stated[drawn], true[drawn], bins).ece)
    tail = (1 - confidence) / 2
    low, high = np.quantile(values, [tail, 1 - tail]).tolist()
    return low, high


def _checked(probabilities: ArrayLike, right: ArrayLike) -> tuple[FloatArray, NDArray[np.bool_]]:
    stated, true = np.asarray(probabilities, dtype=np.float64), np.asarray(right, dtype=np.bool_)
    if stated.ndim != 1 or stated.shape != true.shape or len(stated) == 0:
        raise ValueError(
            f"reliability: expected (N,) probabilities and rights, N >= 1, got {stated.shape} and "
            f"{true.shape}"
        )
    if not ((stated >= 0) & (stated <= 1)).all():  # false for NaN
        raise ValueError("reliability: expected probabilities within 0 to 1")
    return stated, true


def _starts(stated: FloatArray, bins: int) -> NDArray[np.int64]:
    """First row of each bin of rising values; a value that repeats is not cut."""
    cuts = np.linspace(0, len(stated), bins + 1)[:-1].round().astype(np.int64)
    return np.unique(np.searchsorted(stated, stated[cuts], side="left"))
