"""How many trays and items are right, apart for SKUs that training saw and that it did not see.

Key: K SKUs by label, N boxes of a tray.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]


def count_accuracy(
    predicted: Counts, truth: Counts, new: NDArray[np.bool_]
) -> dict[str, float | None]:
    """Shares of trays that are counted right; None where there is no such tray.

    Args:
        predicted: (trays, K).
        truth: (trays, K).
        new: (K,) held-out SKUs.

    Returns:
        `all`: of all trays. `old_trays`, `new_trays`: of trays without and with a new SKU on them,
        all counts right. `old_skus`: of all trays, the counts of old SKUs right; `new_skus`: of
        trays with a new SKU, the counts of new SKUs right.
    """
    right = predicted == truth
    has_new = truth[:, new].sum(axis=1) > 0
    whole = right.all(axis=1)
    return {
        "all": _share(whole),
        "old_trays": _share(whole[~has_new]),
        "new_trays": _share(whole[has_new]),
        "old_skus": _share(right[:, ~new].all(axis=1)),
        "new_skus": _share(right[:, new].all(axis=1)[has_new]),
    }


def naming_accuracy(
    rows: Sequence[NDArray[np.float64]],
    labels: Sequence[NDArray[np.int64]],
    new: NDArray[np.bool_],
) -> dict[str, Any]:
    """How often the likeliest SKU of a found item is the true one, by old and new SKUs.

    Args:
        rows: of each tray (N, K + 1) probabilities.
        labels: of each tray (N,) true SKU; K + 1 for boxes that show no single item.
        new: (K,) held-out SKUs.
    """
    table, truth = np.concatenate(list(rows)), np.concatenate(list(labels))
    item = truth < len(new)
    right = table[item, :-1].argmax(axis=1) == truth[item]
    fresh = new[truth[item]]
    return {
        "old": _share(right[~fresh]),
        "new": _share(right[fresh]),
        "all": _share(right),
        "old_boxes": int((~fresh).sum()),
        "new_boxes": int(fresh.sum()),
        "strays_rejected": _share(table[~item].argmax(axis=1) == len(new)),
    }


def _share(right: NDArray[np.bool_]) -> float | None:
    return float(right.mean()) if len(right) else None
