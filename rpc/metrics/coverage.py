"""The gain when the least certain carts go to a cashier: accuracy by coverage.

Key: N carts, M different certainties.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rpc.structures.boxes import FloatArray


@dataclass(frozen=True, eq=False)
class CoverageCurve:
    """Accuracy of the carts that are kept, for every certainty from which carts may be kept.

    Attributes:
        certainty: (M,) falling: carts of this certainty or more are kept.
        kept: (M,) how many carts that is, rising to N.
        right: (M,) how many of these are right in every SKU.
        area: mean over n = 1 .. N of the accuracy of the n most certain carts; carts of equal
            certainty come in any order, and the mean over these orders is taken. An order without
            any information has cAcc as its area, 1 is all right.
    """

    certainty: FloatArray
    kept: NDArray[np.int64]
    right: NDArray[np.int64]
    area: float

    @property
    def coverage(self) -> FloatArray:
        """(M,) share of the carts that is kept."""
        return np.asarray(self.kept / self.kept[-1], dtype=np.float64)

    @property
    def accuracy(self) -> FloatArray:
        """(M,) share of the kept carts that is right: cAcc of these carts; the last is cAcc."""
        return np.asarray(self.right / self.kept, dtype=np.float64)

    def most_at(self, accuracy: float) -> int | None:
        """Index of the largest coverage with at least this accuracy; None where there is none."""
        enough = np.flatnonzero(self.right >= accuracy * self.kept - 1e-9)
        return int(enough[-1]) if len(enough) else None


def coverage_curve(certainty: ArrayLike, right: ArrayLike) -> CoverageCurve:
    """Keep the most certain carts and see how many of them are right.

    Args:
        certainty: (N,) finite; only their order matters.
        right: (N,) whether a cart is right in every SKU.

    Raises:
        ValueError: lengths differ, there is no cart, or a certainty is not finite.
    """
    sure, good = np.asarray(certainty, dtype=np.float64), np.asarray(right, dtype=np.bool_)
    if sure.ndim != 1 or sure.shape != good.shape or len(sure) == 0:
        raise ValueError(
            f"coverage: expected (N,) certainties and rights, N >= 1, got {sure.shape} and "
            f"{good.shape}"
        )
    if not np.isfinite(sure).all():
        raise ValueError("coverage: expected finite certainties")
    values, group, sizes = np.unique(-sure, return_inverse=True, return_counts=True)
    kept = np.cumsum(sizes)
    done = np.cumsum(np.bincount(group, weights=good)).astype(np.int64)
    each = np.arange(1, len(sure) + 1)
    # Within a group of equals the expected number of right ones grows in a straight line.
    expected = np.interp(each, np.concatenate([[0], kept]), np.concatenate([[0], done]))
    return CoverageCurve(-values, kept, done, area=float((expected / each).mean()))
