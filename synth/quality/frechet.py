"""Fréchet distance of two sets of feature vectors, as if each were a normal distribution.

Key: N vectors of one set, M of the other, D dimensions.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synth.quality.vectors import Floats, checked_pair


def frechet_distance(x: Floats, y: Floats) -> float:
    """Squared distance |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)) of two sets of vectors.

    Dowson and Landau (1982); as a measure of pictures Heusel et al. (2017), eq. 6. Covariances
    are the unbiased ones (division by N - 1), as in the authors' code.

    The trace of the root is taken without any root of a matrix. With X the centred vectors over
    sqrt(N - 1), C1 = X'X and X = U C1^(1/2) with orthonormal columns in U, and likewise Y. So the
    singular values of X Y' are those of C1^(1/2) C2^(1/2), which are the roots of the eigenvalues
    of C1^(1/2) C2 C1^(1/2). This is exact for singular covariances and fewer vectors than
    dimensions, where the root of an eigenvalue at rounding level would add sqrt(1e-16) each.

    The distance is biased upwards, the more the fewer vectors: compare only distances of equally
    large sets.

    Args:
        x: (N, D), N at least 2.
        y: (M, D), M at least 2.

    Returns:
        0 or more; in the squared unit of the features.

    Raises:
        ValueError: the shapes do not fit, a set has fewer than two vectors, or a value is not
            finite.
    """
    x, y = checked_pair(x, y)
    apart = np.square(x.mean(axis=0) - y.mean(axis=0)).sum()
    left, right = _factor(x), _factor(y)
    shared = np.linalg.svd(left @ right.T, compute_uv=False).sum()
    spread = np.square(left).sum() + np.square(right).sum() - 2.0 * shared
    return float(apart + max(spread, 0.0))


def _factor(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """A matrix F (min(N, D), D) with F'F = the covariance."""
    centred = np.asarray((x - x.mean(axis=0)) / np.sqrt(len(x) - 1))
    if len(centred) <= centred.shape[1]:
        return centred
    return np.asarray(np.linalg.qr(centred, mode="r"))
