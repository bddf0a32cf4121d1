"""Several looks at one still tray joined into one: what frames have in common is surer.

Each box of a frame is matched with the boxes of the others by an assignment that makes the sum of
overlaps largest (the Hungarian algorithm). Of boxes on one place, the corners are averaged, the
probabilities as logarithms (each frame is a witness; none alone decides), and the item score with a
0 for each frame that has no box there: what only one frame shows loses.

Key: L looks, N boxes of one, K SKUs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from scipy.optimize import linear_sum_assignment

from rpc.checkout.seen import Seen, named
from rpc.structures import Detections, box_iou
from rpc.structures.boxes import FloatArray

SAME_ITEM: Final = 0.5  # IoU from which boxes of two frames are one item
LEAST: Final = 1e-6  # of a probability, where its logarithm is taken

Members = list[tuple[int, int]]  # (look, row) of the boxes of one item


def join_looks(looks: Sequence[Seen]) -> Seen:
    """Join what was seen on several frames of one still tray.

    The order of the looks changes nothing. One look is returned as it is.

    Args:
        looks: one or more, of frames of one size.

    Raises:
        ValueError: there is none, or some have probabilities and others not, or of other SKUs.
    """
    if not looks:
        raise ValueError("looks: expected one or more, got none")
    if len(looks) == 1:
        return looks[0]
    widths = {None if one.probabilities is None else one.probabilities.shape[1] for one in looks}
    if len(widths) > 1:
        raise ValueError("looks: expected all of one counter, with the same SKUs")
    ordered = sorted(looks, key=_content)
    if widths == {None}:
        return _join_named(ordered)
    return _join_unnamed(ordered)


def _join_unnamed(looks: Sequence[Seen]) -> Seen:
    """Items found whatever their SKU, with probabilities of it."""
    boxes = [one.detections.boxes for one in looks]
    items = [_items(one) for one in looks]
    groups = _matched(boxes, items)
    tables = [np.asarray(one.probabilities) for one in looks]
    if not groups:
        return named(np.zeros((0, 4)), np.zeros(0), np.zeros((0, tables[0].shape[1])))
    joined = [
        (
            np.mean([boxes[look][row] for look, row in group], axis=0),
            sum(float(items[look][row]) for look, row in group) / len(looks),
            _mean_of_logs(np.array([tables[look][row] for look, row in group])),
        )
        for group in groups
    ]
    places, scores, rows = (np.array(column) for column in zip(*joined, strict=True))
    return named(places, scores, rows)


def _join_named(looks: Sequence[Seen]) -> Seen:
    """Items whose detector names them: those of each label for themselves."""
    found = [one.detections for one in looks]
    has_items = all(one.item_scores is not None for one in found)
    kept: list[tuple[FloatArray, float, int, float]] = []
    for label in sorted({int(label) for one in found for label in one.labels}):
        own = [one.select(one.labels == label) for one in found]
        groups = _matched([one.boxes for one in own], [one.scores for one in own])
        for group in groups:
            box = np.mean([own[look].boxes[row] for look, row in group], axis=0)
            score = sum(float(own[look].scores[row]) for look, row in group) / len(looks)
            item = sum(float(_items(Seen(own[look]))[row]) for look, row in group) / len(looks)
            kept.append((box, score, label, item))
    if not kept:
        return Seen(Detections.empty())
    boxes, scores, labels, items = (np.array(column) for column in zip(*kept, strict=True))
    order = np.argsort(-scores, kind="stable")
    return Seen(Detections(boxes, scores, labels, items if has_items else None).select(order))


def _matched(boxes: Sequence[FloatArray], scores: Sequence[FloatArray]) -> list[Members]:
    """Boxes of all looks, grouped by item: at most one of each look in a group.

    The look that overlaps the others most begins; what the others have beside it begins groups of
    its own.
    """
    groups: list[Members] = []
    for look in _most_central_first(boxes):
        places = np.array(
            [np.mean([boxes[of][row] for of, row in group], axis=0) for group in groups]
        ).reshape(-1, 4)
        pairs = _pairs(places, boxes[look], scores[look])
        taken = set()
        for group, row in pairs:
            groups[group].append((look, row))
            taken.add(row)
        groups += [[(look, row)] for row in range(len(boxes[look])) if row not in taken]
    return groups


def _pairs(places: FloatArray, boxes: FloatArray, scores: FloatArray) -> list[tuple[int, int]]:
    """Groups and boxes of one item, each in one pair at most."""
    overlap = box_iou(places, boxes)
    # Of boxes that overlap equally, the surer one.
    gain = np.where(overlap >= SAME_ITEM, overlap + 1e-3 * scores[None, :], 0.0)
    rows, columns = linear_sum_assignment(gain, maximize=True)
    return [
        (int(row), int(column))
        for row, column in zip(rows, columns, strict=True)
        if overlap[row, column] >= SAME_ITEM
    ]


def _most_central_first(boxes: Sequence[FloatArray]) -> list[int]:
    """Looks, that one first whose boxes overlap those of the others most."""
    totals = []
    for one in boxes:
        total = 0.0
        for other in boxes:
            overlap = box_iou(one, other)
            rows, columns = linear_sum_assignment(overlap, maximize=True)
            total += float(overlap[rows, columns].sum())
        totals.append(round(total, 6))
    return sorted(range(len(boxes)), key=lambda look: -totals[look])


def _mean_of_logs(rows: FloatArray) -> FloatArray:
    """The mean of log-probabilities (M, K + 1) as probabilities (K + 1,)."""
    mean = np.log(np.maximum(rows, LEAST)).mean(axis=0)
    shares = np.exp(mean - mean.max())
    return np.asarray(shares / shares.sum())


def _items(one: Seen) -> FloatArray:
    found = one.detections
    return found.scores if found.item_scores is None else found.item_scores


def _content(one: Seen) -> tuple[int, bytes, bytes]:
    """An order of looks that does not depend on how they are given."""
    table = b"" if one.probabilities is None else one.probabilities.tobytes()
    found = one.detections
    return len(found), found.boxes.tobytes() + found.scores.tobytes(), table
