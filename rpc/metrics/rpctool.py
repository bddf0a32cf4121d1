"""The count metrics of `rpctool` 0.1.6, the tool of RPC's authors, with its quirks.

For old tables only: its figures flatter. What it does otherwise than `rpc.metrics.checkout` is in
`QUIRKS`, with worked examples in docs/metrics.md. Written from what the tool was seen to do; the
golden values of tests/metrics were made with it.

Key: N images, K SKUs, M boxes; a cell is one SKU on one image. P counts boxes of a score of at
least the threshold, G true items.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rpc.metrics.checkout import Counts, as_counts
from rpc.metrics.levels import level_groups
from rpc.structures.boxes import FloatArray

VERSION: Final = "0.1.6"
LOWEST, HIGHEST = 0.01, 0.99  # thresholds
ROUNDS, POINTS, KEPT = 4, 10, 3

QUIRKS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "images without boxes": "An image without a box at the threshold is left out altogether: "
        "out of the number of images, and with its true items out of every sum.",
        "threshold of the scored images": "The threshold is the one with the highest cAcc on the "
        "scored images themselves, of 10 tried in each of 4 rounds (0.01 to 0.99, then between "
        "the lowest and the highest of the 3 best).",
        "threshold of each level": "Each level and 'averaged' has a threshold of its own.",
        "last round": "The last round decides alone, and of equal thresholds the lowest: a better "
        "one of an earlier round may be lost.",
        "absent SKUs": "All K SKUs are averaged over: one that is in neither truth nor "
        "prediction makes mCCD and mCIoU nan, one that is predicted but never there makes mCCD "
        "infinite.",
        "rounding": "Figures are rounded to 4 decimals and then, ACD and mCCD, to 2.",
        "no high score": "It stops with an error where no box scores 0.99 or more, as it tries "
        "that threshold first; such a row has no figures here.",
    }
)


@dataclass(frozen=True)
class RpctoolMetrics:
    """A row of the tool's table, as it prints it.

    Attributes:
        cAcc: 0 to 1, to 4 decimals (the tool prints percent with 2).
        ACD: to 2 decimals.
        mCCD: to 2 decimals; nan or infinite as in `QUIRKS`.
        mCIoU: 0 to 1, to 4 decimals; may be nan.
        threshold: the one it chose, not rounded; nan where there are no figures.
        images: those that it divides by: with a box at the threshold.
        problem: why the tool stops instead of printing this row; empty where it does not. All
            figures are nan then.
    """

    cAcc: float
    ACD: float
    mCCD: float
    mCIoU: float
    threshold: float
    images: int
    problem: str = ""


def rpctool_metrics(
    scores: ArrayLike,
    labels: ArrayLike,
    rows: ArrayLike,
    gt_counts: ArrayLike,
    levels: Sequence[str | None],
) -> dict[str, RpctoolMetrics]:
    """The figures that `rpctool` prints for these results: count metrics by level and of all.

    Args:
        scores: (M,) of all boxes; finite.
        labels: (M,) their SKUs, 0 to K - 1.
        rows: (M,) their images, 0 to N - 1.
        gt_counts: (N, K) true items.
        levels: level of each of the N images, or None.

    Returns:
        Rows in the order easy, medium, hard, averaged; no entry for a level without images.

    Raises:
        ValueError: the lengths do not fit, a label or row is out of range, or a score is not
            finite.
    """
    truth = as_counts(gt_counts, "gt_counts")
    boxes = _ranked(scores, labels, rows, truth)
    if len(levels) != len(truth):
        raise ValueError(f"levels: expected one for each of {len(truth)} images, got {len(levels)}")
    spans = _spans(boxes, truth)
    return {
        name: _row(boxes, spans, truth, members) for name, members in level_groups(levels).items()
    }


@dataclass(frozen=True, eq=False)
class _Boxes:
    """Boxes by cell, best first.

    Attributes:
        scores: (M,).
        labels: (M,).
        rows: (M,).
        rank: (M,) how many boxes of the cell are at least as good, itself included (equal ones
            in some order).
        items: (M,) true items of the cell.
    """

    scores: FloatArray
    labels: NDArray[np.int64]
    rows: NDArray[np.int64]
    rank: NDArray[np.int64]
    items: NDArray[np.int64]


def _ranked(scores: ArrayLike, labels: ArrayLike, rows: ArrayLike, truth: Counts) -> _Boxes:
    s = np.asarray(scores, dtype=np.float64)
    k, i = (np.asarray(values, dtype=np.int64) for values in (labels, rows))
    if not s.ndim == k.ndim == i.ndim == 1 or not len(s) == len(k) == len(i):
        raise ValueError(
            "rpctool: expected as many labels and rows as scores, got "
            f"{s.shape} scores, {k.shape} labels, {i.shape} rows"
        )
    for name, values, size in (("rows", i, truth.shape[0]), ("labels", k, truth.shape[1])):
        if len(values) and not (0 <= values.min() and values.max() < size):
            raise ValueError(
                f"{name}: expected 0 to {size - 1}, got {values.min()} to {values.max()}"
            )
    if not np.isfinite(s).all():
        raise ValueError(f"scores: expected finite numbers, got {s[~np.isfinite(s)][0]}")
    cells = i * truth.shape[1] + k
    order = np.lexsort((-s, cells))
    cells = cells[order]
    starts = np.flatnonzero(np.diff(cells, prepend=-1))
    rank = 1 + np.arange(len(cells)) - np.repeat(starts, np.diff(starts, append=len(cells)))
    return _Boxes(s[order], k[order], i[order], rank, truth.reshape(-1)[cells])


@dataclass(frozen=True, eq=False)
class _Spans:
    """The thresholds at which each image is right: `above` < t <= `upto`; (N,) each.

    A cell is right while its g-th best box (g true items) is kept and the one after it is not, an
    image while all its cells are. So no threshold has to be tried.

    Attributes:
        above: -inf where no box is too many.
        upto: -inf where an item has no box of its SKU; at most `top`.
        top: the highest score on the image, -inf without boxes.
    """

    above: FloatArray
    upto: FloatArray
    top: FloatArray


def _spans(boxes: _Boxes, truth: Counts) -> _Spans:
    above, top = np.full((2, len(truth)), -np.inf)
    np.maximum.at(top, boxes.rows, boxes.scores)
    surplus = boxes.rank == boxes.items + 1
    np.maximum.at(above, boxes.rows[surplus], boxes.scores[surplus])
    last = boxes.rank == boxes.items
    upto = top.copy()
    np.minimum.at(upto, boxes.rows[last], boxes.scores[last])
    complete = np.bincount(boxes.rows[last], minlength=len(truth)) == (truth > 0).sum(axis=1)
    return _Spans(above, np.where(complete, upto, -np.inf), top)


def _row(boxes: _Boxes, spans: _Spans, truth: Counts, members: NDArray[np.int64]) -> RpctoolMetrics:
    """The tool's row for some of the images."""
    group = _Spans(spans.above[members], spans.upto[members], spans.top[members])
    if group.top.max() < HIGHEST:
        nan = math.nan
        problem = (
            f"rpctool {VERSION} stops with an IndexError: no box scores {HIGHEST} or more "
            f"(the highest is {max(group.top.max(), 0.0):.4g})"
        )
        return RpctoolMetrics(nan, nan, nan, nan, nan, images=0, problem=problem)
    threshold = _search(group)
    seen = np.zeros(len(truth), dtype=np.bool_)
    seen[members] = group.top >= threshold
    kept = (boxes.scores >= threshold) & seen[boxes.rows]
    return _figures(boxes, kept, truth[seen], group, threshold)


def _figures(
    boxes: _Boxes, kept: NDArray[np.bool_], truth: Counts, spans: _Spans, threshold: float
) -> RpctoolMetrics:
    """The row at the threshold, with the tool's arithmetic: ratios of SKUs in float32.

    Args:
        boxes: M boxes.
        kept: (M,) those that count.
        truth: (N, K) of the images that count.
        spans: of the images of the row.
        threshold: the one chosen.
    """
    n, k = truth.shape
    both = np.bincount(boxes.labels[kept & (boxes.rank <= boxes.items)], minlength=k)
    predicted, true = np.bincount(boxes.labels[kept], minlength=k), truth.sum(axis=0)
    wrong = predicted + true - 2 * both
    return RpctoolMetrics(
        cAcc=_rounded(float(_accuracy(spans, np.array([threshold]))[0])),
        ACD=round(_rounded(float(wrong.sum() / n)), 2),
        mCCD=round(_rounded(_mean_ratio(wrong, true)), 2),
        mCIoU=_rounded(_mean_ratio(both, predicted + true - both)),
        threshold=threshold,
        images=n,
    )


def _mean_ratio(over: Counts, under: Counts) -> float:
    """The mean over all SKUs (K,), nan and infinite ones included."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return float((over.astype(np.float32) / under.astype(np.float32)).sum()) / len(under)


def _rounded(figure: float) -> float:
    """To 4 decimals as numpy does it, which is not quite what Python does."""
    return float(np.round(figure, 4))


def _search(spans: _Spans) -> float:
    """The threshold that the tool chooses for these images."""
    bounds = np.array([LOWEST, HIGHEST])
    for _ in range(ROUNDS):
        tried = np.linspace(bounds.min(), bounds.max(), POINTS)
        accuracy = _accuracy(spans, tried)
        bounds = tried[np.argsort(-accuracy, kind="stable")[:KEPT]]
    return float(tried[accuracy.argmax()])


def _accuracy(spans: _Spans, thresholds: FloatArray) -> FloatArray:
    """Share (T,) of right images of those with a box, at thresholds (T,); there must be some."""
    right = [((spans.above < t) & (t <= spans.upto)).sum() for t in thresholds]
    return np.asarray(right / np.array([(spans.top >= t).sum() for t in thresholds]))
