"""Scores that say nothing: all equal, all on one side of the threshold, the truth's own.

Key: M boxes.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from rpc.data.suspicion import Suspicion, share_text
from rpc.metrics.suspicions.sample import IntArray
from rpc.structures.boxes import FloatArray

FEW: Final = 10  # boxes of which nothing is said


def suspicious_scores(scores: FloatArray, threshold: float, copies: int) -> Suspicion | None:
    """The first of: results that are the truth, equal scores, a threshold never crossed.

    Args:
        scores: (M,) 0 to 1.
        threshold: the score from which a box counts.
        copies: how many of the boxes are an item of the truth to the last digit, with its SKU;
            looked at only where all scores are equal.
    """
    number = len(scores)
    if number == 0:
        return Suspicion(
            "no_boxes",
            "the results are empty: every shopping list is",
            "look whether the detector ran to its end",
            count=0,
            of=0,
        )
    low, high = float(scores.min()), float(scores.max())
    counted = int((scores >= threshold).sum())
    if low == high and copies == number:
        return Suspicion(
            "results_are_the_truth",
            f"all {number:,} boxes are items of the ground truth to the last digit, and all have "
            f"the score {high:g}",
            "nothing, if this is a trial of the evaluator; else look where the results come from",
            count=number,
            of=number,
        )
    if counted == 0:
        return Suspicion(
            "no_box_above_the_threshold",
            f"none of {number:,} boxes has a score of {threshold:.2f} or more (the highest is "
            f"{high:.3g}): every shopping list is empty",
            "choose the threshold on validation, or look at the scale of the scores",
            count=number,
            of=number,
        )
    if number < FEW:
        return None
    if low == high:
        return Suspicion(
            "scores_all_equal",
            f"all {number:,} scores are {high:g}: boxes have no order, so mAP depends on their "
            "order in the file, and no threshold can be chosen",
            "write the detector's own scores",
            count=number,
            of=number,
        )
    if counted == number:
        return Suspicion(
            "every_box_above_the_threshold",
            f"every one of {number:,} boxes has a score of {threshold:.2f} or more (the lowest is "
            f"{low:.3g}): the threshold decides nothing, and mAP misses the boxes below",
            "write all boxes of the detector, also those with low scores",
            count=number,
            of=number,
        )
    return None


def one_sku_everywhere(
    labels: IntArray, true: IntArray, names: tuple[str, ...]
) -> Suspicion | None:
    """One SKU has almost all of the boxes that count, though not of the items.

    Args:
        labels: (M,) of the boxes that count.
        true: (G,) of the items.
        names: of the K SKUs.
    """
    if len(labels) < FEW or not len(true) or len(names) < 2:
        return None
    label = int(np.bincount(labels, minlength=len(names)).argmax())
    count, items = int((labels == label).sum()), int((true == label).sum())
    if count < 0.8 * len(labels) or items > 0.4 * len(true):
        return None
    return Suspicion(
        "one_sku_everywhere",
        f"{share_text(count, len(labels), 'boxes that count')} have the SKU {names[label]!r:.60}, "
        f"but {share_text(items, len(true), 'items')}",
        "look whether the category ids were lost, as a detector of one class writes them",
        count=count,
        of=len(labels),
    )
