"""Whether two predictions of the same images differ by more than chance: paired tests, intervals.

docs/metrics.md, 'Comparing two results', has the formulas, an example and what not to conclude.

Key: N images, K SKUs; a is the first prediction (the baseline), b the second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rpc.metrics.bootstrap import (
    CONFIDENCE,
    CheckoutIntervals,
    bootstrap_values,
    percentile_intervals,
)
from rpc.metrics.checkout import Counts, as_counts

LEAST_P: Final = 1e-10  # rounding of the Fourier transform is about 1e-13
LARGEST_SUM: Final = 1_000_000  # of absolute differences: exact up to here, in seconds
DRAWS: Final = 9_999  # of signs, beyond it


@dataclass(frozen=True)
class PairedTest:
    """How two predictions of the same N images differ, cart by cart.

    Attributes:
        both: carts that both have right in every SKU.
        only_a: carts that only the first has right.
        only_b: carts that only the second has right.
        neither: carts that both have wrong.
        unequal: carts in which they have different numbers of items wrong.
        p_cAcc: McNemar's exact two-sided p value of the carts right; at least 1e-10.
        p_ACD: p value of the sign-flip test of the items wrong; at least 1e-10.
    """

    both: int
    only_a: int
    only_b: int
    neither: int
    unequal: int
    p_cAcc: float
    p_ACD: float


def paired_test(pred_a: ArrayLike, pred_b: ArrayLike, gt_counts: ArrayLike) -> PairedTest:
    """Test two predictions against each other, by cart.

    Swapping the predictions swaps `only_a` and `only_b` and nothing else; the order of images and
    of SKUs does not matter. Predictions that are right and wrong alike give p values of 1.

    Args:
        pred_a: (N, K) integers >= 0.
        pred_b: (N, K).
        gt_counts: (N, K) what is there.

    Raises:
        ValueError: shapes differ or are not (N, K), or a count is negative or not whole.
    """
    truth = as_counts(gt_counts, "gt_counts")
    wrong_a = _items_wrong(as_counts(pred_a, "pred_a"), truth, "pred_a")
    wrong_b = _items_wrong(as_counts(pred_b, "pred_b"), truth, "pred_b")
    right_a, right_b = wrong_a == 0, wrong_b == 0
    return PairedTest(
        both=int((right_a & right_b).sum()),
        only_a=int((right_a & ~right_b).sum()),
        only_b=int((right_b & ~right_a).sum()),
        neither=int((~right_a & ~right_b).sum()),
        unequal=int((wrong_a != wrong_b).sum()),
        p_cAcc=sign_flip_p(right_b.astype(np.int64) - right_a.astype(np.int64)),
        p_ACD=sign_flip_p(wrong_b - wrong_a),
    )


def sign_flip_p(differences: ArrayLike, *, seed: int = 0) -> float:
    """Two-sided p value of paired differences: is their sum further from 0 than chance makes it?

    If the two predictions are alike, each difference might as well have had the other sign. The p
    value is the share of all sign patterns whose sum is at least as far from 0 as the one seen
    (Fisher, "The Design of Experiments", 1935, section 21). With differences of 1, 0 and -1 this
    is McNemar's exact test.

    All 2^n patterns are weighed without listing them: the differences are whole numbers, so the
    distribution of their sum is the Fourier transform of the product of cos(|d| t). Where the
    absolute differences add up to more than a million, 9,999 patterns are drawn instead, and
    the one seen is counted among them.

    Args:
        differences: (N,) whole numbers; zeros change nothing.
        seed: of the draws, where there are any.

    Returns:
        The p value, 1e-10 to 1; 1 where all differences are 0.

    Raises:
        ValueError: the shape is not (N,), or a number is not whole.
    """
    array = np.asarray(differences)
    if array.ndim != 1 or not np.issubdtype(array.dtype, np.integer):
        raise ValueError(
            f"differences: expected whole numbers (N,), got {array.dtype} {array.shape}"
        )
    sizes, times = np.unique(np.abs(array[array != 0]).astype(np.int64), return_counts=True)
    observed = abs(int(array.sum(dtype=np.int64)))
    if observed == 0:
        return 1.0
    total = int((sizes * times).sum())
    if total > LARGEST_SUM:
        p = _drawn_share(np.repeat(sizes, times), observed, np.random.default_rng(seed))
    else:
        p = 2 * float(_sum_probabilities(sizes, times, total)[observed : total + 1].sum())
    return min(1.0, max(LEAST_P, p))


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p values for having made several tests (Holm, 1979), in the order given.

    With m tests the smallest p value is multiplied by m, the next by m - 1, and so on; none becomes
    smaller than the one before it, or larger than 1. One p value stays as it is.
    """
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = highest
    return adjusted


def paired_intervals(
    pred_a: ArrayLike,
    others: Sequence[ArrayLike],
    gt_counts: ArrayLike,
    *,
    seed: int = 0,
    resamples: int = 1000,
    confidence: float = CONFIDENCE,
) -> list[CheckoutIntervals]:
    """Bootstrap intervals of the differences in the count metrics, other minus first.

    In every resample both are measured on the same drawn images: what makes an image hard for both
    cancels out. Percentile intervals; see `rpc.metrics.bootstrap`.

    Args:
        pred_a: (N, K) the first prediction.
        others: predictions (N, K) to hold against it; all on the same resamples.
        gt_counts: (N, K) what is there.
        seed: of the resamples. They also depend on the order of the images.
        resamples: how many.
        confidence: share of the resamples inside, above 0 and below 1.

    Returns:
        Intervals for each of the others.

    Raises:
        ValueError: as `bootstrap_intervals`.
    """
    first, *rest = (
        bootstrap_values(counts, gt_counts, np.random.default_rng(seed), resamples=resamples)
        for counts in (pred_a, *others)
    )
    return [percentile_intervals(values - first, confidence) for values in rest]


def _items_wrong(predicted: Counts, truth: Counts, name: str) -> Counts:
    """Missed plus extra items of each cart (N,)."""
    if predicted.shape != truth.shape:
        raise ValueError(
            f"counts: expected the same images and SKUs, got {name} {predicted.shape} and "
            f"gt_counts {truth.shape}"
        )
    return np.asarray(np.abs(predicted - truth).sum(axis=1), dtype=np.int64)


def _sum_probabilities(
    sizes: NDArray[np.int64], times: NDArray[np.int64], total: int
) -> NDArray[np.float64]:
    """Probability of each sum of randomly signed numbers; that of the sum s stands at [s].

    Args:
        sizes: the absolute values that occur.
        times: how often each does.
        total: their sum, the largest there can be.
    """
    length = 1 << (2 * total).bit_length()  # sums -total to total, without overlap
    angles = np.arange(length // 2 + 1) * (2 * np.pi / length)
    characteristic = np.ones(len(angles))
    for size, often in zip(sizes.tolist(), times.tolist(), strict=True):
        characteristic *= np.cos(size * angles) ** often
    return np.asarray(np.fft.irfft(characteristic, n=length), dtype=np.float64)


def _drawn_share(sizes: NDArray[np.int64], observed: int, rng: np.random.Generator) -> float:
    """Share of drawn sign patterns, and of the one seen, whose sum is as far from 0."""
    far = sum(
        abs(int(sizes @ (2 * rng.integers(2, size=len(sizes)) - 1))) >= observed
        for _ in range(DRAWS)
    )
    return (far + 1) / (DRAWS + 1)
