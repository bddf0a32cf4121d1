"""How well a score tells two kinds apart, at every threshold at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def roc_auc(scores: ArrayLike, positive: ArrayLike) -> float:
    """Area under the ROC curve: the chance that a positive scores above a negative, ties half.

    Args:
        scores: (N,).
        positive: (N,) whether each is a positive.

    Returns:
        0 to 1; 0.5 is guessing.

    Raises:
        ValueError: other shapes, scores that are not finite, or only one kind is there.
    """
    values, kinds = np.asarray(scores, dtype=np.float64), np.asarray(positive, dtype=bool)
    if values.ndim != 1 or values.shape != kinds.shape or not np.isfinite(values).all():
        raise ValueError(
            f"roc: expected finite scores (N,) and kinds (N,), got {values.shape}, {kinds.shape}"
        )
    ones = int(kinds.sum())
    zeros = len(kinds) - ones
    if not ones or not zeros:
        raise ValueError(f"roc: expected both kinds, got {ones} positives and {zeros} negatives")
    from scipy.stats import rankdata  # here: it takes long to import

    above = float(rankdata(values)[kinds].sum()) - ones * (ones + 1) / 2  # Mann and Whitney's U
    return above / (ones * zeros)
