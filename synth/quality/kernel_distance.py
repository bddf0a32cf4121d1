"""Kernel distance (KID): unbiased on few photos, several patches of each photo allowed.

Key: N photos of one set, M of the other, P patches a photo, D dimensions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synth.quality.vectors import Floats, checked_pair

Matrix = NDArray[np.float64]


def polynomial_kernel(x: Floats, y: Floats) -> Matrix:
    """(x.y / D + 1)^3 of all pairs (N, M): Bińkowski et al. (2018), section 4."""
    return np.asarray((x.astype(np.float64) @ y.astype(np.float64).T / x.shape[1] + 1.0) ** 3)


def photo_kernel(x: Floats, y: Floats) -> Matrix:
    """Kernel of photos: the mean over the pairs of their patches; (N, P, D), (M, Q, D) to (N, M).

    It is the inner product of the photos' mean patches in the kernel's own space.
    """
    n, p, d = x.shape
    m, q, _ = y.shape
    pairs = polynomial_kernel(x.reshape(n * p, d), y.reshape(m * q, d))
    return np.asarray(pairs.reshape(n, p, m, q).mean(axis=(1, 3)))


@dataclass(frozen=True)
class PhotoKernels:
    """The kernels within and between two sets of photos.

    Attributes:
        xx: (N, N).
        yy: (M, M).
        xy: (N, M).
    """

    xx: Matrix
    yy: Matrix
    xy: Matrix

    @classmethod
    def of(cls, x: Floats, y: Floats) -> PhotoKernels:
        """From features of patches (N, P, D) and (M, Q, D).

        Raises:
            ValueError: the shapes do not fit, a set has fewer than two photos, or a value is not
                finite.
        """
        x, y = checked_pair(x, y, dims=3)
        return cls(photo_kernel(x, x), photo_kernel(y, y), photo_kernel(x, y))

    def distance(self) -> float:
        """The unbiased squared maximum mean discrepancy; below 0 by chance where sets are alike.

        Gretton et al. (2012), eq. 3: mean of the kernel over pairs within x, plus within y, less
        twice that between. A photo is never paired with itself, so that neither are two patches
        of one photo, which would resemble each other more than two of the set.
        """
        return float(_within(self.xx) + _within(self.yy) - 2.0 * self.xy.mean())

    def standard_error(self) -> float:
        """How far the distance would vary with other photos: the jackknife over photos.

        Efron and Stein (1981): (N - 1) / N times the sum of squares of what leaving out one photo
        changes, for each set. NaN for a set of two. Cautious on few photos, see docs/quality.md.
        """
        left = _left_out(self.xx) - 2.0 * _mean_without_row(self.xy)
        right = _left_out(self.yy) - 2.0 * _mean_without_row(self.xy.T)
        return float(np.sqrt(sum((len(v) - 1) * v.var() for v in (left, right))))


def kernel_distance(x: Floats, y: Floats) -> tuple[float, float]:
    """Distance and its standard error of two sets of vectors (N, D) and (M, D), one a photo.

    The estimator runs over all pairs, not over random blocks as in Bińkowski et al. (2018): blocks
    estimate the same with more noise and save time only for many thousand photos.

    Raises:
        ValueError: as `PhotoKernels.of`.
    """
    x, y = checked_pair(x, y)
    kernels = PhotoKernels.of(x[:, None], y[:, None])
    return kernels.distance(), kernels.standard_error()


def _within(kernel: Matrix) -> float:
    """Mean over pairs of two different photos."""
    n = len(kernel)
    return float((kernel.sum() - np.trace(kernel)) / (n * (n - 1)))


def _left_out(kernel: Matrix) -> Matrix:
    """`_within` without photo i, for each i (N,)."""
    n = len(kernel)
    if n < 3:
        return np.full(n, np.nan)
    off = kernel.sum() - np.trace(kernel)
    own = 2.0 * (kernel.sum(axis=1) - kernel.diagonal())
    return np.asarray((off - own) / ((n - 1) * (n - 2)))


def _mean_without_row(between: Matrix) -> Matrix:
    """Mean of the kernel between, without row i, for each i (N,)."""
    n, m = between.shape
    return np.asarray((between.sum() - between.sum(axis=1)) / (max(n - 1, 1) * m))
