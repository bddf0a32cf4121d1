"""Choose a gallery's open-set rule and its fusion with a recogniser, on labelled validation boxes.

Key: N boxes, K SKUs of the gallery by label, J SKUs of a recogniser.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rpc.retrieval.gallery.fusion import Fusion, choose_fusion
from rpc.retrieval.gallery.open_set import (
    OpenSet,
    choose_temperature,
    choose_threshold,
    keeping_threshold,
    unknown_scores,
)
from rpc.structures import box_iou

FloatArray = NDArray[np.float64]
ENOUGH: Final = 20  # boxes of unknown products: fewer say little of what comes
SAME: Final = 0.5  # IoU from which a found box is taken for an item


@dataclass(frozen=True)
class Tuning:
    """The settings that were chosen.

    Attributes:
        open_set: threshold and temperature.
        fusion: None where no recogniser was asked.
        facts: how it was chosen and what it does there, as plain values.
    """

    open_set: OpenSet
    fusion: Fusion | None
    facts: dict[str, Any]


def choose_settings(
    similarities: FloatArray,
    labels: NDArray[np.int64],
    probabilities: FloatArray | None = None,
    known: NDArray[np.int64] | None = None,
) -> Tuning:
    """Temperature, threshold and fusion, in this order.

    Args:
        similarities: (N, K) of boxes.
        labels: (N,) true SKU; K for a product that is not in the gallery, K + 1 for a box that
            shows no single product: that is for the detector and the recogniser to tell.
        probabilities: (N, J + 1) of a recogniser; None without one.
        known: (K,) its label of each SKU, -1 where it knows none.

    Raises:
        ValueError: no box shows a product of the gallery.
    """
    skus = similarities.shape[1]
    inside = labels < skus
    if not inside.any():
        raise ValueError("tuning: no box shows a product of the gallery; nothing to choose on")
    table, truth = similarities[inside], labels[inside]
    right = table.argmax(axis=1) == truth
    unknowns = similarities[labels == skus].max(axis=1, initial=-1.0)
    scores = table.max(axis=1)
    if len(unknowns) >= ENOUGH:
        threshold, rule = choose_threshold(scores, right, unknowns).threshold, "known and unknown"
    else:
        threshold, rule = keeping_threshold(scores, right), "95% of known products named right stay"
    facts: dict[str, Any] = {
        "rule": rule,
        "boxes": int(inside.sum()),
        "named_right": float(right.mean()),
        "known_accepted": float((right & (scores >= threshold)).mean()),
        "unknown_boxes": len(unknowns),
    }
    if len(unknowns):
        facts["unknown_rejected"] = float((unknowns < threshold).mean())
    if skus > 1:
        facts["left_out_rejected"] = float((unknown_scores(table, truth) < threshold).mean())
    open_set = OpenSet(threshold, choose_temperature(table, truth))
    if probabilities is None or known is None:
        return Tuning(open_set, None, facts)
    none = np.minimum(labels, skus)
    fusion = choose_fusion(open_set.probabilities(similarities), probabilities, known, none)
    joined = fusion.join(open_set.probabilities(table), probabilities[inside], known)
    facts["named_right_fused"] = float((joined[:, :-1].argmax(axis=1) == truth).mean())
    return Tuning(open_set, fusion, facts)


def labels_of_boxes(
    boxes: FloatArray, items: FloatArray, labels: NDArray[np.int64], other: int
) -> NDArray[np.int64]:
    """True label (N,) of found boxes (N, 4): that of the item (G, 4) with the largest IoU.

    Boxes whose largest IoU is below 0.5 show no single item: they get the label `other`.
    """
    if len(items) == 0:
        return np.full(len(boxes), other, dtype=np.int64)
    overlap = box_iou(boxes, items)
    best = overlap.argmax(axis=1) if len(boxes) else np.zeros(0, np.int64)
    enough = overlap.max(axis=1, initial=0.0) >= SAME
    return np.where(enough, labels[best], other).astype(np.int64)
