"""Sure items and questions: what a cashier is asked about one tray, and why.

Key: M decisions, K SKUs.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from rpc.counting.doubt.calibration import Calibration
from rpc.counting.doubt.decisions import Decisions
from rpc.structures.boxes import FloatArray

Reason = Literal["view", "name", "item"]
Pair = frozenset[int]

SPLIT: Final = 0.1  # probability from which another SKU is a real alternative


@dataclass(frozen=True, eq=False)
class Judgement:
    """How probable it is that the decisions of one tray are right.

    Attributes:
        items: (M,) probability that each box is an item.
        names: (M, K) probability of each SKU, given that it is one.
        right: (M,) probability that the decision is right: a box that counts is an item and of
            this SKU; one that does not is no item.
        decided: probability that all decisions are right, 0 to 1: what the limit is for.
        certainty: probability that the whole list is right: as `decided`, and nothing lies there
            without a box.
        questions: rows of the decisions that are asked, least sure first; one at least where the
            tray does not pass.
        reasons: why, one for each question.
    """

    items: FloatArray
    names: FloatArray
    right: FloatArray
    decided: float
    certainty: float
    questions: tuple[int, ...]
    reasons: tuple[Reason, ...]

    @property
    def passes(self) -> bool:
        """Whether the tray needs no cashier."""
        return not self.questions


def judge(
    made: Decisions,
    calibration: Calibration,
    limit: float,
    pairs: Collection[Pair] = frozenset(),
    worth: float = 1.0,
) -> Judgement:
    """Ask about the least sure decisions, until the rest is right with probability `limit`.

    The probability of a tray is the product over its decisions: as if they failed independently.
    A tray passes where nothing has to be asked. On a full tray, where many small doubts add up,
    asking until the limit is met would be asking about nearly all of it, so decisions of the
    probability `worth` or more are not asked, but for the least sure one of a tray that does not
    pass.

    Args:
        made: what was decided.
        calibration: scores to probabilities.
        limit: probability that is wanted of a tray's decisions, 0 to 1. That something lies there
            without a box is no decision that could be asked about: it counts in `certainty` alone.
        pairs: labels of SKUs that cannot be told apart from some views.
        worth: probability of a decision from which a question is not worth its time.
    """
    items, names = calibration.item(made.items), calibration.names(made.shares)
    right = np.where(made.counts, items * names.max(axis=1, initial=0), 1 - items)
    order = np.argsort(right, kind="stable")
    # rest[n]: probability of the tray where the n least sure decisions were asked.
    rest = np.append(np.cumprod(right[order][::-1])[::-1], 1.0)
    asked = order[: int(np.argmax(rest >= limit))]
    asked = asked[: max(int((right[asked] < worth).sum()), 1)]
    unseen = (1 - calibration.unseen) ** made.counted
    return Judgement(
        items=items,
        names=names,
        right=right,
        decided=float(rest[0]),
        certainty=float(rest[0] * unseen),
        questions=tuple(asked.tolist()),
        reasons=tuple(
            _reason(row, made, float(items[row]), names[row], pairs) for row in asked.tolist()
        ),
    )


def _reason(
    row: int, made: Decisions, item: float, names: FloatArray, pairs: Collection[Pair]
) -> Reason:
    """Why a decision is asked: its weaker half."""
    if row >= made.counted or item < names.max():
        return "item"
    first, second = np.argsort(-names, kind="stable")[:2].tolist() if len(names) > 1 else (0, 0)
    alike = frozenset((first, second)) in pairs and names[second] >= SPLIT
    return "view" if alike else "name"
