"""Shopping lists that fit others better: ids shifted or permuted, one list for all images.

Key: N images, K SKUs; P predicted and G true counts, both (N, K).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import numpy as np

from rpc.data.suspicion import Suspicion, share_text
from rpc.metrics.suspicions.orders import NONE, Meant, other_meanings
from rpc.metrics.suspicions.sample import IntArray, evenly

LOOKED_AT: Final = 2000  # images
CLEARLY: Final = 0.25  # agreement that a way must add
LEAST_ITEMS: Final = 8


def agreement(pred: IntArray, true: IntArray) -> float:
    """Items that agree among all that are there or read: 1 where all lists are right."""
    most = int(np.maximum(pred, true).sum())
    return float(np.minimum(pred, true).sum() / most) if most else 1.0


def one_list_for_all(pred: IntArray, true: IntArray) -> Suspicion | None:
    """The same list for almost all images, though not in the truth.

    Args:
        pred: (N, K).
        true: (N, K).
    """
    number = len(pred)
    if number < 5 or not pred.any():
        return None
    lists, times = np.unique(pred, axis=0, return_counts=True)
    at = int(times.argmax())
    usual = int(np.unique(true, axis=0, return_counts=True)[1].max())
    if times[at] < 0.9 * number or usual > 0.5 * number or not lists[at].any():
        return None
    return Suspicion(
        "one_list_for_all",
        f"{share_text(int(times[at]), number, 'images')} have the same shopping list of "
        f"{int(lists[at].sum())} items",
        "look whether each image was counted by itself",
        count=int(times[at]),
        of=number,
    )


def lists_of_other_skus(
    pred: IntArray, true: IntArray, ids: Sequence[int], names: Sequence[str]
) -> Suspicion | None:
    """Lists that agree far better with the SKUs' ids meant otherwise."""
    pred, true = _looked_at(pred, true)
    if pred.sum() < LEAST_ITEMS or len(ids) < 2:
        return None
    as_is = agreement(pred, true)
    spans = sorted({0, 1, -1, 2, -2, 3, -3, *(np.diff(sorted(ids)[:2]).tolist())} - {0}, key=abs)
    ways = list(other_meanings(ids, names, spans, ids_are="category ids", entries="SKUs"))
    best, found = _best(ways, as_is, lambda meant: agreement(_columns(pred, meant), true))
    if best is None:
        any_order = _assigned(pred, true)
        best, found = _best(any_order, as_is, lambda m: agreement(_columns(pred, m), true))
    if best is None:
        return None
    return Suspicion(
        "category_ids_mistaken",
        f"{100 * as_is:.0f} % of the items agree with the truth as the lists are, "
        f"{100 * found:.0f} % with {best}",
        "map the lists' category ids to those of the ground truth and score them again",
        count=round(found * int(true.sum())),
        of=int(true.sum()),
    )


def lists_of_other_images(
    pred: IntArray, true: IntArray, ways: Iterable[Meant]
) -> Suspicion | None:
    """Lists that agree far better with other images."""
    if pred.sum() < LEAST_ITEMS or len(pred) < 4:
        return None
    as_is = agreement(pred, true)
    mixed_up = agreement(pred, np.roll(true, len(true) // 2, axis=0))  # as any other image would

    def by(meant: IntArray) -> float:
        there = meant != NONE
        if there.mean() <= 0.5:
            return 0.0
        return agreement(pred[there], true[meant[there]])

    best, found = _best(ways, max(as_is, mixed_up), by)
    if best is None:
        return None
    return Suspicion(
        "image_ids_mistaken",
        f"{100 * as_is:.0f} % of the items agree with the truth as the lists are, "
        f"{100 * found:.0f} % with {best}",
        "give each list the id that its image has in the ground truth and score them again",
        count=round(found * int(true.sum())),
        of=int(true.sum()),
    )


def _best(
    ways: Iterable[Meant], limit: float, measure: Callable[[IntArray], float]
) -> tuple[str | None, float]:
    best, most = None, limit + CLEARLY
    for said, meant in ways:
        found = measure(meant)
        if found > most:
            best, most = said, found
    return best, most


def _looked_at(pred: IntArray, true: IntArray) -> tuple[IntArray, IntArray]:
    rows = evenly(np.arange(len(pred)), LOOKED_AT)
    return pred[rows], true[rows]


def _columns(pred: IntArray, meant: IntArray) -> IntArray:
    """The counts with each SKU's column where it was meant to be."""
    moved = np.zeros_like(pred)
    there = meant != NONE
    np.add.at(moved.T, meant[there], pred.T[there])
    return moved


def _assigned(pred: IntArray, true: IntArray) -> list[Meant]:
    """The one-to-one order of the SKUs that fits best on one half, if it fits on the other too."""
    if len(pred) < 8 or pred.shape[1] > 1000:
        return []
    from scipy.optimize import linear_sum_assignment  # takes a while: not for good results

    score = pred[::2].T.astype(float) @ true[::2]
    usual = np.outer(pred[::2].sum(axis=0), true[::2].sum(axis=0)) / len(pred[::2])
    meant = np.asarray(linear_sum_assignment(usual - score)[1], dtype=np.int64)
    rest, there = pred[1::2], true[1::2]
    if agreement(_columns(rest, meant), there) < agreement(rest, there) + CLEARLY:
        return []
    return [("the SKUs in another order", meant)]
