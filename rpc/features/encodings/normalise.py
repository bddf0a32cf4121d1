"""Normalisation of descriptors: unit length, and the signed power before it.

Key: N vectors, D dimensions.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]


def l2_normalised(vectors: FloatArray) -> FloatArray:
    """Vectors (..., D) of unit length along the last axis; a zero vector stays zero.

    Raises:
        ValueError: a value is not finite.
    """
    check_finite(vectors)
    # Scaled first: the squares of very small or very large values would leave the range of floats.
    largest = np.abs(vectors).max(axis=-1, keepdims=True, initial=0.0)
    scaled = np.divide(vectors, largest, out=np.zeros_like(vectors), where=largest > 0)
    length = np.linalg.norm(scaled, axis=-1, keepdims=True)
    unit: FloatArray = np.divide(scaled, length, out=np.zeros_like(scaled), where=length > 0)
    return unit


def power_normalised(vectors: FloatArray, power: float = 0.5) -> FloatArray:
    """Signed power, then unit length: sign(x) |x|^power, as in Perronnin et al., ECCV 2010.

    Raises:
        ValueError: a value is not finite, or `power` is not in (0, 1].
    """
    if not 0 < power <= 1:
        raise ValueError(f"power: expected more than 0 and at most 1, got {power}")
    check_finite(vectors)
    return l2_normalised(np.sign(vectors) * np.abs(vectors) ** power)


def check_finite(values: FloatArray, what: str = "features") -> None:
    """Refuse NaN and infinity.

    Raises:
        ValueError: tells how many there are.
    """
    bad = values.size - int(np.count_nonzero(np.isfinite(values)))
    if bad:
        raise ValueError(
            f"{what}: {bad} of {values.size} values are NaN or infinite; "
            "the network or its weights are damaged"
        )
