"""The decisions behind one shopping list: which boxes count, and which nearly did.

Key: N detections of a photo, M decisions, K SKUs; the last column of probabilities (N, K + 1) is
'no single product'.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rpc.counting.matching import SAME_PLACE, match_items
from rpc.counting.rule import CountingRule
from rpc.structures import Detections, box_iou
from rpc.structures.boxes import FloatArray


@dataclass(frozen=True, eq=False)
class Decisions:
    """The decisions on one photo: each box counts, or does not.

    Boxes that do not count and lie on the place of one that does (IoU of at least 0.5) are left
    out, as are all but the best on one place: they are second looks at one thing. A box inside of
    a counted one stays: it may be a part of that item, or a small item on top of it.

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
    others = np.setdiff1d(np.arange(len(detections)), counted)
    places = detections.boxes[counted]
    others = others[(box_iou(detections.boxes[others], places) < SAME_PLACE).all(axis=1)]
    one_a_place = CountingRule(
        threshold=0.0,
        nms_iou=SAME_PLACE,
        agnostic_iou=SAME_PLACE,
        max_items=max(len(others), 1),
        counts_by=rule.counts_by,
    )
    return np.concatenate([counted, others[one_a_place.rows(detections.select(others))]]), len(
        counted
    )


def decisions(detections: Detections, probabilities: FloatArray, rule: CountingRule) -> Decisions:
    """The decisions on one photo.

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
    """The truth about the decisions of one photo.

    Attributes:
        labels: (M,) the true SKU of the item under each box; -1 where there is no item, or its
            item is another box's.
        items: (M,) which of the true items it is; -1 likewise.
        unseen: true items on which no decision was made.
        right: whether the shopping list is right in every SKU.
    """

    labels: NDArray[np.int64]
    items: NDArray[np.int64]
    unseen: int
    right: bool


def outcomes(made: Decisions, detections: Detections, truth: Detections) -> Outcomes:
    """Compare decisions with the true items.

    An item belongs to one box: to a counted one where there is one (see `match_items`), else to
    one that nearly counted and lies on it.
    """
    counted = detections.select(made.rows[: made.counted])
    matching = match_items(counted, truth)
    items = np.full(len(made), -1, dtype=np.int64)
    for box, item in (*matching.right, *matching.confused):
        items[box] = item
    missed = np.array(matching.missed, dtype=np.int64)
    near = match_items(detections.select(made.rows[made.counted :]), truth.select(missed))
    for box, item in (*near.right, *near.confused):
        items[made.counted + box] = missed[item]
    labels = np.where(items >= 0, np.append(truth.labels, -1)[items], -1)
    length = made.shares.shape[1]
    difference = np.bincount(counted.labels, minlength=length) - np.bincount(
        truth.labels, minlength=length
    )
    return Outcomes(labels, items, len(near.missed), not difference.any())
