"""The decisions behind one shopping list: which boxes count, and which nearly did.

Key: N detections of a photo, M decisions, K SKUs; the last column of probabilities (N, K + 1) is
'no single product'.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rpc.counting.matching import match_items
from rpc.counting.rule import CountingRule
from rpc.structures import Detections, box_iou
from rpc.structures.boxes import FloatArray

SAME_PLACE: Final = 0.5


@dataclass(frozen=True, eq=False)
class Decisions:
    """What is decided on one photo: each box that the suppression leaves counts, or does not.

    Boxes that do not count and lie on the place of one that does (IoU of at least 0.5) are left
    out: they are second looks at an item that is counted.

    Attributes:
        rows: (M,) of the detections; those that count first, in the order of the rule.
        counted: how many of them count.
        items: (M,) item scores, see `Detections.item_scores`; not yet probabilities.
        shares: (M, K) of the SKUs, given that it is an item: each row sums to 1.
    """

    rows: NDArray[np.int64]
    counted: int
    items: FloatArray
    shares: FloatArray

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def counts(self) -> NDArray[np.bool_]:
        """(M,) whether each counts."""
        return np.arange(len(self)) < self.counted


def decision_rows(detections: Detections, rule: CountingRule) -> tuple[NDArray[np.int64], int]:
    """Rows of the boxes that are decided on, those that count first; and how many count."""
    counted = rule.rows(detections)
    everything = replace(rule, threshold=0.0, max_items=max(len(detections), 1))
    left = everything.rows(detections)
    low = left[~np.isin(left, counted)]
    places = detections.boxes[counted]
    free = (box_iou(detections.boxes[low], places) < SAME_PLACE).all(axis=1)
    return np.concatenate([counted, low[free]]), len(counted)


def decisions(detections: Detections, probabilities: FloatArray, rule: CountingRule) -> Decisions:
    """What is decided on one photo.

    Args:
        detections: N of them, named, before the rule.
        probabilities: (N, K + 1), in the same order.
        rule: what counts.

    Raises:
        ValueError: another number of rows.
    """
    table = np.asarray(probabilities, dtype=np.float64)
    if table.ndim != 2 or len(table) != len(detections) or table.shape[1] < 2:
        raise ValueError(
            f"decisions: expected ({len(detections)}, SKUs + 1) probabilities, got {table.shape}"
        )
    rows, counted = decision_rows(detections, rule)
    named = table[rows, :-1]
    total = named.sum(axis=1, keepdims=True)
    even = np.full_like(named, 1 / named.shape[1])
    shares = np.divide(named, total, out=even, where=total > 0)
    scores = detections.scores if detections.item_scores is None else detections.item_scores
    return Decisions(rows, counted, np.clip(scores[rows], 0, 1), shares)


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What became of the decisions of one photo.

    Attributes:
        labels: (M,) the true SKU of the item under each box; -1 where there is no item, or its
            item is another box's.
        unseen: true items on which no decision was made.
        right: whether the shopping list is right in every SKU.
    """

    labels: NDArray[np.int64]
    unseen: int
    right: bool


def outcomes(made: Decisions, detections: Detections, truth: Detections) -> Outcomes:
    """Compare decisions with the true items.

    An item belongs to one box: to a counted one where there is one (see `match_items`), else to
    one that nearly counted and lies on it.
    """
    counted = detections.select(made.rows[: made.counted])
    matching = match_items(counted, truth)
    labels = np.full(len(made), -1, dtype=np.int64)
    for box, item in (*matching.right, *matching.confused):
        labels[box] = truth.labels[item]
    missed = np.array(matching.missed, dtype=np.int64)
    near = match_items(detections.select(made.rows[made.counted :]), truth.select(missed))
    for box, item in (*near.right, *near.confused):
        labels[made.counted + box] = truth.labels[missed[item]]
    length = made.shares.shape[1]
    difference = np.bincount(counted.labels, minlength=length) - np.bincount(
        truth.labels, minlength=length
    )
    return Outcomes(labels, len(near.missed), not difference.any())
