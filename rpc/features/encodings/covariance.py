"""Mean and covariance of descriptors that never lie in memory together, and their main axes.

Key: M descriptors of one chunk, C channels, R axes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


@dataclass(eq=False)
class Moments:
    """Number, mean and scatter of all descriptors added so far, in float64.

    Chunks are joined by the exact rule of Chan, Golub and LeVeque (1983), so a million descriptors
    cost C * C numbers, and nothing is lost to the difference of two large sums.

    Attributes:
        channels: C.
        count: descriptors so far.
        mean: (C,) of them; zeros before the first.
        scatter: (C, C), the sum of the outer products of the centred descriptors.
    """

    channels: int
    count: int = 0
    mean: FloatArray = field(init=False, repr=False)
    scatter: FloatArray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.channels < 1:
            raise ValueError(f"moments: expected 1 channel or more, got {self.channels}")
        self.mean = np.zeros(self.channels)
        self.scatter = np.zeros((self.channels, self.channels))

    def add(self, descriptors: ArrayLike) -> None:
        """Add the descriptors (M, C); none of them changes nothing.

        Raises:
            ValueError: another shape, or a value that is not finite; nothing is added then.
        """
        vectors = np.asarray(descriptors, dtype=np.float64)
        if vectors.ndim != 2 or vectors.shape[1] != self.channels:
            raise ValueError(
                f"descriptors: expected shape (M, {self.channels}), got {vectors.shape}"
            )
        if not len(vectors):
            return
        with np.errstate(invalid="ignore", over="ignore"):
            mean = vectors.mean(axis=0)
            centred = vectors - mean
            scatter = centred.T @ centred  # (C, C)
        if not np.isfinite(scatter).all():  # cheaper to see here than in every descriptor
            raise ValueError(_not_finite(vectors))
        self._join(len(vectors), mean, scatter)

    def merge(self, other: Moments) -> None:
        """Add all that `other` has seen.

        Raises:
            ValueError: it has another number of channels.
        """
        if other.channels != self.channels:
            raise ValueError(f"moments: {other.channels} channels do not fit {self.channels}")
        if other.count:
            self._join(other.count, other.mean, other.scatter)

    def covariance(self) -> FloatArray:
        """(C, C), the scatter divided by the number of descriptors (not by one less).

        Raises:
            ValueError: there is no descriptor yet.
        """
        if not self.count:
            raise ValueError("covariance: expected 1 descriptor or more, got none")
        return self.scatter / self.count

    def _join(self, count: int, mean: FloatArray, scatter: FloatArray) -> None:
        total = self.count + count
        step = mean - self.mean
        self.scatter = self.scatter + scatter + np.outer(step, step) * (self.count * count / total)
        self.mean = self.mean + step * (count / total)
        self.count = total


def principal_axes(covariance: ArrayLike, number: int = 1) -> tuple[FloatArray, FloatArray]:
    """The directions along which the descriptors vary most.

    Each axis has the sign that makes its largest coefficient (by size; the first of equals)
    positive, so that the result does not depend on the linear algebra library.

    Args:
        covariance: (C, C), symmetric.
        number: R, 1 to C.

    Returns:
        Variances (R,), falling and at least 0, and unit axes (R, C).

    Raises:
        ValueError: the matrix is not square, not symmetric or not finite, or R is out of range.
    """
    matrix = np.asarray(covariance, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
        raise ValueError(f"covariance: expected a square matrix, got shape {matrix.shape}")
    if not 1 <= number <= len(matrix):
        raise ValueError(f"axes: expected 1 to {len(matrix)} of them, got {number}")
    if not np.isfinite(matrix).all():
        raise ValueError("covariance: holds a value that is not finite")
    if not np.allclose(matrix, matrix.T, rtol=1e-8, atol=1e-12 * float(np.abs(matrix).max())):
        raise ValueError("covariance: expected a symmetric matrix")
    variances, vectors = np.linalg.eigh(matrix)  # rising, as columns
    axes = vectors.T[::-1][:number]
    largest = axes[np.arange(number), np.abs(axes).argmax(axis=1)]
    return np.maximum(variances[::-1][:number], 0), axes * np.sign(largest)[:, None]


def _not_finite(vectors: FloatArray) -> str:
    bad = np.argwhere(~np.isfinite(vectors))
    if not len(bad):
        return "descriptors: the values are too large to be squared"
    row, column = bad[0]
    return (
        f"descriptors: row {row}, channel {column} is {vectors[row, column]}; "
        "expected finite numbers"
    )
