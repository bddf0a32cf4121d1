"""SKUs that cannot be told apart from some views, learnt from composed scenes.

There it is known of every item which cut-out it is, and so which photo of which SKU from which
camera. Where a counter that has learnt these very cut-outs splits its probability between two SKUs
although the item lies free, these two look the same from there, at the resolution that it sees.

Key: N items, K SKUs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rpc.counting.doubt.doubt import MOST_ALIKE, AlikePair
from rpc.counting.doubt.judge import SPLIT
from rpc.structures.boxes import FloatArray

LEAST_TIMES: Final = 3  # items that were split: fewer may be chance
LEAST_SHARE: Final = 0.05  # of the items of both SKUs that were seen from there
FREE: Final = 0.7  # visible share from which an item lies free


@dataclass(frozen=True, eq=False)
class SeenItems:
    """Items of composed scenes as a counter saw them.

    Attributes:
        names: (N, K) calibrated probability of each SKU, given that it is an item.
        labels: (N,) true SKU.
        views: (N,) camera of the exemplar, as a number; -1 where unknown.
        files: the cut-out of each of the N items.
        visible: (N,) share of it that is not hidden.
    """

    names: FloatArray
    labels: NDArray[np.int64]
    views: NDArray[np.int64]
    files: Sequence[str]
    visible: FloatArray


def find_alike(items: SeenItems, skus: Sequence[str]) -> tuple[AlikePair, ...]:
    """Pairs of SKUs that look the same from some camera, those split most often first.

    A pair is listed where, of the items of both that lie free and were seen from one camera, at
    least 5 % and three in number gave the other SKU a probability of 0.1 or more.

    Args:
        items: of composed scenes that the counter was not trained on.
        skus: names of the K SKUs.
    """
    free = items.visible >= FREE
    split = items.names >= SPLIT  # (N, K)
    split[np.arange(len(items.labels)), items.labels] = False
    found: dict[tuple[int, int], list[tuple[int, int, int]]] = {}
    for view in np.unique(items.views[free]).tolist():
        here = free & (items.views == view)
        times = np.zeros((len(skus), len(skus)), dtype=np.int64)
        np.add.at(times, items.labels[here], split[here].astype(np.int64))
        seen = np.bincount(items.labels[here], minlength=len(skus))
        both = times + times.T
        for a, b in np.argwhere(np.triu(both >= LEAST_TIMES, 1)).tolist():
            number, of = int(both[a, b]), int(seen[a] + seen[b])
            if number >= LEAST_SHARE * of:
                found.setdefault((a, b), []).append((view, number, of))
    pairs = [
        AlikePair(
            skus=(skus[a], skus[b]),
            views=tuple(view for view, _, _ in rows),
            share=sum(row[1] for row in rows) / sum(row[2] for row in rows),
            examples=_examples(items, free, a, b, [row[0] for row in rows]),
        )
        for (a, b), rows in found.items()
    ]
    return tuple(sorted(pairs, key=lambda pair: (-pair.share, pair.skus))[:MOST_ALIKE])


def _examples(
    items: SeenItems, free: NDArray[np.bool_], a: int, b: int, views: Sequence[int]
) -> tuple[str, ...]:
    """The cut-outs of each that gave most probability to the other; none where one has none."""
    files = []
    for own, other in ((a, b), (b, a)):
        rows = np.flatnonzero(free & (items.labels == own) & np.isin(items.views, views))
        if not len(rows):
            return ()
        files.append(items.files[rows[items.names[rows, other].argmax()]])
    return tuple(files)
