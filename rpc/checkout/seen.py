"""Result of one look at a photo: the named detections, and how likely each SKU is for each.

Key: N detections, K SKUs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rpc.counting import CountingRule
from rpc.counting.matching import SAME_PLACE
from rpc.counting.repeats import NamedBoxes, with_repeats
from rpc.structures import Detections, box_iou

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Seen:
    """Detections of one photo, before the counting rule.

    Attributes:
        detections: N of them, named, best score first.
        probabilities: (N, K + 1) in the same order, the last column 'no single product'; None
            where the detector itself names items.

    Raises:
        ValueError: another number of rows.
    """

    detections: Detections
    probabilities: FloatArray | None = None

    def __post_init__(self) -> None:
        rows = self.probabilities
        if rows is not None and len(rows) != len(self.detections):
            raise ValueError(f"seen: {len(self.detections)} detections, {len(rows)} rows")

    def likeliest(self, row: int, most: int) -> list[tuple[int, float]]:
        """The likeliest labels of a detection, at most so many, with their probabilities.

        Where the detector names items, the labels of all its boxes on the same place, each with
        its best score.
        """
        if self.probabilities is not None:
            shares = self.probabilities[row, :-1]
            best = np.argsort(-shares, kind="stable")[:most]
            return [(int(label), float(shares[label])) for label in best]
        found = self.detections
        place = found.boxes[row : row + 1]
        near = found.select(box_iou(place, found.boxes)[0] >= SAME_PLACE)
        own = int(found.labels[row])
        scores = {own: float(found.scores[row])}
        for label, score in zip(near.labels.tolist(), near.scores.tolist(), strict=True):
            if label != own:
                scores[label] = max(score, scores.get(label, 0.0))
        return sorted(scores.items(), key=lambda pair: -pair[1])[:most]

    @property
    def named_boxes(self) -> NamedBoxes | None:
        """Boxes, item scores and probabilities; None where the detector itself names items."""
        items = self.detections.item_scores
        if self.probabilities is None or items is None:
            return None
        return NamedBoxes(self.detections.boxes, items, self.probabilities)

    def by_rule(self, rule: CountingRule | None) -> Seen:
        """The same as the rule's foreign odds and repeats have it, before it counts."""
        if rule is None:
            return self
        return self.with_foreign_odds(rule.foreign_odds).with_repeats(rule.repeat_gain)

    def with_foreign_odds(self, odds: float) -> Seen:
        """The same, with other odds of 'no single product'; see `CountingRule.foreign_odds`.

        Bayes' rule for another share of foreign things than the recogniser learnt on: the
        probabilities of that column are multiplied by `odds` and each row is divided by its sum.

        Raises:
            ValueError: `odds` is not above 0.
        """
        if not odds > 0:
            raise ValueError(f"seen: expected odds above 0, got {odds}")
        boxes = self.named_boxes
        if boxes is None or odds == 1 or not len(self.detections):
            return self
        table = boxes.probabilities.copy()
        product = 1 - table[:, -1]  # probability of one single product, before and after
        table[:, -1] *= odds
        table /= table.sum(axis=1, keepdims=True)
        least = np.finfo(np.float64).eps
        items = boxes.items * ((1 - table[:, -1]) / np.maximum(product, least))
        return named(boxes.boxes, items.clip(0, 1), table)

    def with_repeats(self, gain: float) -> Seen:
        """The same, named in the light of the other items; see `rpc.counting.repeats`."""
        boxes = self.named_boxes
        if boxes is None or gain == 0 or len(self.detections) < 2:
            return self
        return named(boxes.boxes, boxes.items, with_repeats(boxes, gain))


def named(boxes: FloatArray, items: FloatArray, probabilities: FloatArray) -> Seen:
    """Boxes, how likely each holds an item, and which SKU it is, as one look.

    Args:
        boxes: (N, 4).
        items: (N,) item scores, see `rpc.structures.Detections`.
        probabilities: (N, K + 1).
    """
    total, top = probabilities[:, :-1].sum(axis=1), probabilities[:, :-1].max(axis=1)
    shares = np.divide(top, total, out=np.zeros_like(total), where=total > 0)
    return _named(boxes, items * shares, items, probabilities)


def see(found: Detections, probabilities: FloatArray) -> Seen:
    """Give each detection its likeliest SKU, and say apart whether it is an item at all.

    The item score is the detector's score times the probability of one single product: it does not
    ask which product that is. The score is the detector's score times the probability of the SKU.

    Args:
        found: N detections; their labels are passed over.
        probabilities: (N, K + 1); the last column, 'no single product', takes score away.

    Raises:
        ValueError: another shape than that.
    """
    if probabilities.ndim != 2 or len(probabilities) != len(found) or probabilities.shape[1] < 2:
        raise ValueError(
            f"probabilities: expected ({len(found)}, SKUs + 1), got {probabilities.shape}"
        )
    scores = found.scores * probabilities[:, :-1].max(axis=1)
    items = found.scores * (1 - probabilities[:, -1]).clip(0, 1)
    return _named(found.boxes, scores, items, probabilities)


def _named(
    boxes: FloatArray, scores: FloatArray, items: FloatArray, probabilities: FloatArray
) -> Seen:
    """Boxes with their likeliest SKU, best score first."""
    found = Detections(boxes, scores, probabilities[:, :-1].argmax(axis=1), items)
    order = np.argsort(-scores, kind="stable")
    return Seen(found.select(order), probabilities[order])
