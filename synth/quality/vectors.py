"""Checks of a pair of sets of vectors before a distance is taken."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


def checked_pair(
    x: Floats, y: Floats, dims: int = 2
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both sets in double precision.

    Args:
        x: (N, ..., D).
        y: (M, ..., D), the same D.
        dims: how many dimensions each array must have.

    Raises:
        ValueError: the shapes do not fit, a set has under two vectors, or a value is not finite.
    """
    if x.ndim != dims or y.ndim != dims or x.shape[-1] != y.shape[-1] or not x.shape[-1]:
        raise ValueError(
            f"feature sets: expected two arrays of {dims} dimensions with the same last one, "
            f"got {x.shape} and {y.shape}"
        )
    if min(len(x), len(y)) < 2 or not (x.size and y.size):
        raise ValueError(
            f"feature sets: expected two vectors or more of each, got {x.shape} and {y.shape}"
        )
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("feature sets: expected finite values only, got NaN or infinity")
    return x.astype(np.float64), y.astype(np.float64)
