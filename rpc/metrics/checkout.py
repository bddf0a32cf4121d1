"""The field's four count metrics: cAcc, ACD, mCCD and mCIoU.

Defined in "RPC: A Large-Scale Retail Product Checkout Dataset", section on automatic checkout;
docs/metrics.md has the formulas with worked examples and the odd cases.

Key: N images, K SKUs; P predicted and G true counts, both (N, K).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rpc.metrics.levels import level_groups

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class CheckoutMetrics:
    """Agreement of shopping lists with the truth.

    Attributes:
        cAcc: share of images whose list is right in every SKU, 0 to 1; higher is better.
        ACD: items wrong per image (missed plus extra), >= 0; lower is better.
        mCCD: items wrong per true item, averaged over SKUs, >= 0; lower is better.
        mCIoU: intersection over union of the counts, averaged over SKUs, 0 to 1.
        images: N, how many images these numbers are over.
    """

    cAcc: float
    ACD: float
    mCCD: float
    mCIoU: float
    images: int


def checkout_metrics(pred_counts: ArrayLike, gt_counts: ArrayLike) -> CheckoutMetrics:
    """Compare predicted shopping lists with the true ones, image by image.

    Every image counts, also one with nothing predicted or nothing on it. A SKU that is in neither
    the truth nor any prediction is left out of both means over SKUs. A SKU that is predicted but
    never in the truth has no mCCD (its errors are in ACD) and an IoU of 0. With no SKU to average
    over, mCCD is 0 and mCIoU is 1.

    Args:
        pred_counts: (N, K) integers >= 0, items of each SKU predicted on each image.
        gt_counts: (N, K) integers >= 0, items that are there.

    Raises:
        ValueError: shapes differ or are not (N, K), N is 0, or a count is negative or not whole.
    """
    predicted = as_counts(pred_counts, "pred_counts")
    truth = as_counts(gt_counts, "gt_counts")
    if predicted.shape != truth.shape:
        raise ValueError(
            "counts: expected the same images and SKUs in prediction and truth, got "
            f"pred_counts {predicted.shape} and gt_counts {truth.shape}"
        )
    if len(truth) == 0:
        raise ValueError("counts: expected at least one image, got none")
    wrong = np.abs(predicted - truth)  # (N, K)
    return CheckoutMetrics(
        cAcc=float((wrong == 0).all(axis=1).mean()),
        ACD=float(wrong.sum() / len(truth)),
        mCCD=_mean_ratio(wrong.sum(axis=0), truth.sum(axis=0), empty=0.0),
        mCIoU=_mean_ratio(
            np.minimum(predicted, truth).sum(axis=0),
            np.maximum(predicted, truth).sum(axis=0),
            empty=1.0,
        ),
        images=len(truth),
    )


def checkout_metrics_by_level(
    pred_counts: ArrayLike, gt_counts: ArrayLike, levels: Sequence[str | None]
) -> dict[str, CheckoutMetrics]:
    """The metrics of each clutter level, and over all images under `averaged`.

    `averaged` is computed over all images at once; it is not the mean of the levels, and holds
    the images without a level too.

    Args:
        pred_counts: (N, K), as in `checkout_metrics`.
        gt_counts: (N, K).
        levels: level of each of the N images, or None.

    Returns:
        Metrics by name, in the order easy, medium, hard, averaged; no entry for a level that has
        no images.

    Raises:
        ValueError: as in `checkout_metrics`, or as many levels as images are not there.
    """
    predicted = as_counts(pred_counts, "pred_counts")
    truth = as_counts(gt_counts, "gt_counts")
    if not len(levels) == len(predicted) == len(truth):
        raise ValueError(
            f"counts: expected a level and counts for each image, got {len(levels)} levels, "
            f"{len(predicted)} rows of pred_counts, {len(truth)} of gt_counts"
        )
    return {
        name: checkout_metrics(predicted[rows], truth[rows])
        for name, rows in level_groups(levels).items()
    }


def as_counts(counts: ArrayLike, name: str) -> Counts:
    """Counts as integers (N, K).

    Args:
        counts: what the caller gave.
        name: of the argument, for the message.

    Raises:
        ValueError: the shape is not (N, K), or a value is negative or not whole.
    """
    array = np.asarray(counts)
    if array.ndim != 2:
        raise ValueError(f"{name}: expected shape (N images, K SKUs), got {array.shape}")
    if not np.issubdtype(array.dtype, np.integer):
        whole = array.astype(np.float64)
        if not (np.isfinite(whole) & (whole == np.round(whole))).all():
            raise ValueError(f"{name}: expected whole numbers, got {array.dtype} with others")
    if (array < 0).any():
        row, column = np.argwhere(array < 0)[0]
        raise ValueError(
            f"{name}: expected counts >= 0, got {array[row, column]} (image {row}, label {column})"
        )
    return array.astype(np.int64)


def _mean_ratio(over: Counts, under: Counts, empty: float) -> float:
    """Mean over SKUs of `over / under` (K,), leaving out those with 0 below; `empty` for none."""
    defined = under > 0
    return float((over[defined] / under[defined]).mean()) if defined.any() else empty
