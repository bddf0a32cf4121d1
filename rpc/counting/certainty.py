"""How sure a shopping list is: how near its weakest decision is to falling the other way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rpc.counting.matching import SAME_PLACE
from rpc.counting.rule import CountingRule
from rpc.structures import Detections, box_iou
from rpc.structures.boxes import FloatArray


def certainty(detections: Detections, rule: CountingRule) -> float:
    """Certainty of one photo's shopping list, 0 to 1; it orders lists and is no probability.

    Every box that the suppression leaves is a decision: it counts, or its score is too low. A
    decision is the safer the farther its score s is from the threshold t, in log-odds:
    `tanh(|logit s - logit t| / 2)`, which is `|s - t| / (s + t - 2 s t)`. A list is as sure as its
    weakest decision. Boxes with too low a score on the place of a counted one (IoU of at least
    0.5) are left out: they are second names of an item that is counted. Where the rule counts by
    item scores, each counted item's name is a decision as well: score over item score is the share
    q of its SKU among all, and the margin is 2 q - 1, that of a threshold of one half.
    docs/metrics.md compares this with other definitions.

    Args:
        detections: of one photo, raw.
        rule: what is counted.

    Returns:
        0 where a box stands at the threshold; 1 where there is no box to decide on.
    """
    left = replace(rule, threshold=0.0, max_items=max(len(detections), 1)).apply(detections)
    above = rule.scores_of(left) >= rule.threshold
    low, counted = left.select(~above), left.select(above)
    free = (box_iou(low.boxes, counted.boxes) < SAME_PLACE).all(axis=1)
    scores = np.concatenate([rule.scores_of(counted), rule.scores_of(low)[free]])
    is_item = decision_margins(scores, rule.threshold).min(initial=1.0)
    return float(min(is_item, name_margins(counted, rule).min(initial=1.0)))


def certainties(detections: Sequence[Detections], rule: CountingRule) -> FloatArray:
    """`certainty` of N photos (N,)."""
    return np.array([certainty(one, rule) for one in detections], dtype=np.float64)


def name_margins(counted: Detections, rule: CountingRule) -> FloatArray:
    """How safe the name of each counted item is (N,), 0 to 1; 1 where scores do not tell it."""
    items = rule.scores_of(counted)
    if items is counted.scores:  # the decision to count is one on the name as well
        return np.ones(len(items))
    share = np.divide(counted.scores, items, out=np.zeros_like(items), where=items > 0)
    return np.asarray((2 * share - 1).clip(0, 1))


def decision_margins(scores: FloatArray, threshold: float) -> NDArray[np.float64]:
    """How safe it is that a box counts or not (N,), 0 to 1, by its score (N,)."""
    apart = np.abs(scores - threshold)
    scale = scores + threshold - 2 * scores * threshold  # >= apart; 0 where both are 0 or both 1
    return np.divide(apart, scale, out=np.zeros_like(apart), where=scale > 0)
