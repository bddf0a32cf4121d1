"""How far the count metrics would move with other images: bootstrap intervals.

The N images are drawn again N times with replacement, and the metrics are taken of what was drawn;
the middle 95 % of many such draws is the interval (Efron, "Bootstrap Methods: Another Look at the
Jackknife", 1979; the percentile form). Images are drawn whole: items on one tray are not
independent.

Key: N images, K SKUs, B resamples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rpc.metrics.checkout import Counts, as_counts

CONFIDENCE: Final = 0.95
RESAMPLES: Final = 1000
CHUNK: Final = 64  # resamples at once: 12 MB of weights at 24,000 images
EXACT_IN_SINGLE: Final = 1 << 24  # whole numbers up to here are exact in float32, twice as fast

Interval = tuple[float, float]
Weights = NDArray[np.int64]
Values = NDArray[np.float64]


@dataclass(frozen=True)
class CheckoutIntervals:
    """Lower and upper end for each of the four count metrics.

    Attributes:
        cAcc: see `CheckoutMetrics`, likewise the others.
    """

    cAcc: Interval
    ACD: Interval
    mCCD: Interval
    mCIoU: Interval


def bootstrap_intervals(
    pred_counts: ArrayLike,
    gt_counts: ArrayLike,
    rng: np.random.Generator,
    *,
    resamples: int = RESAMPLES,
    confidence: float = CONFIDENCE,
) -> CheckoutIntervals:
    """Percentile intervals of the count metrics, by image.

    A SKU that a resample does not hold is left out of its means, as `checkout_metrics` does. Where
    all carts are right, every resample is right too and the interval is a point: it then says
    nothing about rare errors.

    Args:
        pred_counts: (N, K) items predicted.
        gt_counts: (N, K) items there.
        rng: the source of chance; the same state gives the same intervals.
        resamples: B.
        confidence: share of the resamples inside, above 0 and below 1.

    Raises:
        ValueError: as `checkout_metrics`; or `resamples` is below 1, `confidence` out of range.
    """
    values = bootstrap_values(pred_counts, gt_counts, rng, resamples=resamples)
    return percentile_intervals(values, confidence)


def bootstrap_values(
    pred_counts: ArrayLike,
    gt_counts: ArrayLike,
    rng: np.random.Generator,
    *,
    resamples: int = RESAMPLES,
) -> Values:
    """The count metrics of B resamples of the images.

    What is drawn depends on `rng` and N alone: two predictions of the same images, each with a
    generator of the same seed, are measured on the same resamples, so their values may be
    subtracted row by row.

    Args:
        pred_counts: (N, K) items predicted.
        gt_counts: (N, K) items there.
        rng: the source of chance.
        resamples: B.

    Returns:
        (B, 4) cAcc, ACD, mCCD, mCIoU.

    Raises:
        ValueError: as `checkout_metrics`; or `resamples` is below 1.
    """
    if resamples < 1:
        raise ValueError(f"bootstrap: expected one resample or more, got {resamples}")
    columns = _columns(as_counts(pred_counts, "pred_counts"), as_counts(gt_counts, "gt_counts"))
    images = len(columns)
    values = []
    for start in range(0, resamples, CHUNK):
        size = min(CHUNK, resamples - start)
        drawn = [rng.integers(images, size=images) for _ in range(size)]
        weights = np.stack([np.bincount(rows, minlength=images) for rows in drawn])
        values.append(_weighted(weights, columns))
    return np.concatenate(values)


def percentile_intervals(values: Values, confidence: float = CONFIDENCE) -> CheckoutIntervals:
    """The middle part of resampled metrics, or of differences of them.

    Args:
        values: (B, 4), as `bootstrap_values` gives them.
        confidence: share of the resamples inside, above 0 and below 1.

    Raises:
        ValueError: `confidence` is out of range.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"bootstrap: expected 0 < confidence < 1, got {confidence}")
    tail = (1 - confidence) / 2
    low, high = np.quantile(values, [tail, 1 - tail], axis=0).tolist()
    return CheckoutIntervals(*zip(low, high, strict=True))


def weighted_metrics(weights: ArrayLike, pred_counts: ArrayLike, gt_counts: ArrayLike) -> Values:
    """The count metrics with every image counted `weights` times.

    Args:
        weights: (B, N) whole numbers >= 0, at least one of each row above 0.
        pred_counts: (N, K).
        gt_counts: (N, K).

    Returns:
        (B, 4) cAcc, ACD, mCCD, mCIoU.

    Raises:
        ValueError: shapes differ, or a count or weight is negative or not whole.
    """
    columns = _columns(as_counts(pred_counts, "pred_counts"), as_counts(gt_counts, "gt_counts"))
    times = as_counts(weights, "weights")
    if times.shape[1] != len(columns) or not times.any(axis=1).all():
        raise ValueError(
            f"weights: expected (B, {len(columns)}) with an image in each row, got {times.shape}"
        )
    return _weighted(times, columns)


def _columns(predicted: Counts, truth: Counts) -> NDArray[np.floating]:
    """The terms summed over images (N, 1 + 3 K): cart right; P, G and min(P, G) by SKU."""
    if predicted.shape != truth.shape or len(truth) == 0:
        raise ValueError(
            "counts: expected the same images, one or more, and SKUs in prediction and truth, got "
            f"pred_counts {predicted.shape} and gt_counts {truth.shape}"
        )
    most = max(int(predicted.max(initial=1)), int(truth.max(initial=1)))
    exact = np.float32 if most * len(truth) < EXACT_IN_SINGLE else np.float64
    right = (predicted == truth).all(axis=1, keepdims=True)
    parts = (right, predicted, truth, np.minimum(predicted, truth))
    return np.concatenate([part.astype(exact) for part in parts], axis=1)


def _weighted(weights: Weights, columns: NDArray[np.floating]) -> Values:
    sums = (weights.astype(columns.dtype) @ columns).astype(np.float64)
    images = weights.sum(axis=1)
    predicted, truth, both = np.split(sums[:, 1:], 3, axis=1)  # (B, K) each
    wrong = predicted + truth - 2 * both
    return np.stack(
        [
            sums[:, 0] / images,
            wrong.sum(axis=1) / images,
            _mean_ratio(wrong, truth, empty=0.0),
            _mean_ratio(both, predicted + truth - both, empty=1.0),
        ],
        axis=1,
    )


def _mean_ratio(over: Values, under: Values, empty: float) -> Values:
    """Mean of `over / under` (B, K) over the SKUs with something below; `empty` for none."""
    defined = under > 0
    ratios = np.divide(over, under, out=np.zeros_like(over), where=defined)
    count = defined.sum(axis=1)
    return np.where(count > 0, ratios.sum(axis=1) / np.maximum(count, 1), empty)
