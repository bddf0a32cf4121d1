"""Whitening: the directions in which a gallery varies most, each given the same weight.

Jegou and Chum, ECCV 2012. Fitted on gallery vectors only, never on queries.

Key: N vectors of dimension D, d directions kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rpc.data.files import DataError
from rpc.features.encodings.normalise import check_finite, l2_normalised
from rpc.runs.tensor_files import read_tensors, weights_of, write_tensors

FloatArray = NDArray[np.floating[Any]]

# Directions whose deviation is below this share of the largest are noise of the arithmetic.
LEAST_SHARE = 1e-5


@dataclass(frozen=True)
class Whitening:
    """Centre, rotate to the principal axes, divide by the deviation along each, unit length.

    Attributes:
        mean: (D,).
        axes: (d, D), orthonormal rows, the strongest first.
        deviations: (d,) of the gallery along each axis, positive.
    """

    mean: FloatArray
    axes: FloatArray
    deviations: FloatArray

    def __call__(self, vectors: FloatArray) -> FloatArray:
        """Vectors (..., D) to whitened ones (..., d) of unit length.

        Raises:
            ValueError: another D, or a value is not finite.
        """
        if vectors.shape[-1] != len(self.mean):
            raise ValueError(f"vectors: expected (..., {len(self.mean)}), got {vectors.shape}")
        check_finite(vectors, "vectors")
        return l2_normalised(self.scores(vectors))

    def scores(self, vectors: FloatArray) -> FloatArray:
        """The same before the unit length: over the gallery, mean 0 and variance 1 each."""
        found: FloatArray = (vectors - self.mean) @ self.axes.T / self.deviations
        return found


def fit_whitening(gallery: FloatArray, dimension: int) -> Whitening:
    """Whitening of gallery vectors (N, D) to at most `dimension` directions.

    Fewer come out where the gallery varies in fewer (at most N - 1). Each axis points where its
    largest coefficient is positive.

    Raises:
        ValueError: fewer than two vectors, all of them equal, or a value is not finite.
    """
    if gallery.ndim != 2 or len(gallery) < 2 or dimension < 1:
        raise ValueError(
            "whitening: expected at least two gallery vectors and one direction, got "
            f"{gallery.shape} and {dimension}"
        )
    check_finite(gallery, "gallery vectors")
    x = gallery.astype(np.float64)
    mean = x.mean(axis=0)
    _, strength, axes = np.linalg.svd(x - mean, full_matrices=False)
    kept = min(dimension, int((strength > LEAST_SHARE * max(strength[0], 1e-12)).sum()))
    if not kept:
        raise ValueError("whitening: all gallery vectors are equal; give different photos")
    axes, deviations = axes[:kept], strength[:kept] / np.sqrt(len(x) - 1)
    largest = np.take_along_axis(axes, np.abs(axes).argmax(axis=1)[:, None], axis=1)
    signed = axes * np.sign(largest)
    kind = gallery.dtype
    return Whitening(mean.astype(kind), signed.astype(kind), deviations.astype(kind))


def write_whitening(path: str | Path, whitening: Whitening) -> Path:
    """Write it as a file of tensors, whole or not at all.

    Raises:
        DataError: the file cannot be written.
    """
    content = {name: torch.from_numpy(np.array(value)) for name, value in vars(whitening).items()}
    return write_tensors(path, {"kind": "whitening", **content})


def read_whitening(path: str | Path) -> Whitening:
    """Read what `write_whitening` wrote; nothing in the file is executed.

    Raises:
        DataError: the file is missing, damaged, or holds something else.
    """
    content = read_tensors(path)
    named = {name: value for name, value in content.items() if isinstance(value, torch.Tensor)}
    weights_of(named, str(path))
    parts = [content.get(name) for name in ("mean", "axes", "deviations")]
    tensors = [part for part in parts if isinstance(part, torch.Tensor)]
    if content.get("kind") != "whitening" or len(tensors) != 3:
        raise DataError(f"{path}: holds no whitening; fit it again")
    mean, axes, deviations = (part.numpy() for part in tensors)
    if mean.ndim != 1 or deviations.ndim != 1 or axes.shape != (len(deviations), len(mean)):
        raise DataError(f"{path}: a whitening whose parts do not fit together; fit it again")
    return Whitening(mean, axes, deviations)
