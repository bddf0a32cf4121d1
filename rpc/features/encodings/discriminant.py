"""Directions that tell classes apart, learnt from examples of other classes than those in use.

Fisher's linear discriminant, as 'learned whitening' uses it for retrieval (Mikolajczyk & Matas,
ICCV 2007; Radenovic et al., PAMI 2019, section 3.3): what differs between pictures of one product
(light, turn, neighbours) is made small, what differs between products is kept.

Key: N vectors of dimension D, K classes, d directions kept, r directions that the examples span.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from rpc.data.files import DataError
from rpc.features.encodings.normalise import check_finite, l2_normalised
from rpc.runs.tensor_files import read_tensors, weights_of, write_tensors

FloatArray = NDArray[np.floating[Any]]
SPAN: Final = 1500  # r at most: further directions of a few thousand examples are noise
LEAST_SHARE: Final = 1e-4  # of the strongest direction: weaker ones are rounding


@dataclass(frozen=True, eq=False)
class Discriminant:
    """Centre, project, unit length.

    Attributes:
        mean: (D,).
        axes: (d, D), the most telling first; not orthonormal.
    """

    mean: NDArray[np.float32]
    axes: NDArray[np.float32]

    def __call__(self, vectors: FloatArray) -> NDArray[np.float32]:
        """Vectors (..., D) to (..., d) of unit length; the mean itself becomes zero.

        Raises:
            ValueError: another D, or a value is not finite.
        """
        if vectors.shape[-1] != len(self.mean):
            raise ValueError(f"vectors: expected (..., {len(self.mean)}), got {vectors.shape}")
        check_finite(vectors, "vectors")
        return l2_normalised((vectors.astype(np.float32) - self.mean) @ self.axes.T)


def fit_discriminant(
    vectors: FloatArray, labels: NDArray[np.integer], dimension: int, ridge: float = 0.3
) -> Discriminant:
    """Learn the directions from labelled examples.

    With S the covariance within classes in the span of all examples, the axes are the principal
    directions of the class means after whitening by S + ridge * trace(S) / r * I.

    Args:
        vectors: (N, D).
        labels: (N,) class of each.
        dimension: d at most; fewer come out where the class means span fewer (K - 1).
        ridge: how far S is drawn towards a sphere; 0 trusts the examples entirely.

    Raises:
        ValueError: shapes differ, fewer than two classes, no class with two examples, all vectors
            equal, a value is not finite, or a negative ridge.
    """
    if vectors.ndim != 2 or len(labels) != len(vectors) or dimension < 1 or ridge < 0:
        raise ValueError(
            f"discriminant: expected (N, D) vectors, N labels, a dimension and a ridge of at least "
            f"0, got {vectors.shape}, {np.shape(labels)}, {dimension}, {ridge}"
        )
    check_finite(vectors, "vectors")
    classes, owner, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    if len(classes) < 2 or sizes.max() < 2:
        raise ValueError("discriminant: expected two classes, one of them with two examples")
    x = vectors.astype(np.float64)
    mean = x.mean(axis=0)
    span = _span(x - mean)
    inside = (x - mean) @ span.T  # (N, r)
    means = np.zeros((len(classes), len(span)))
    np.add.at(means, owner, inside)
    means /= sizes[:, None]
    within = inside - means[owner]
    scatter = within.T @ within / len(x)  # (r, r)
    level = max(float(np.trace(scatter)) / len(span), 1e-12)
    strength, directions = np.linalg.eigh(scatter + max(ridge, 1e-6) * level * np.eye(len(span)))
    whitener = directions / np.sqrt(strength) @ directions.T
    _, singular_values, axes = np.linalg.svd(means @ whitener, full_matrices=False)
    kept = min(dimension, int((singular_values > LEAST_SHARE * singular_values[0]).sum()))
    axes = axes[:kept]
    largest = np.take_along_axis(axes, np.abs(axes).argmax(axis=1)[:, None], axis=1)
    found = (axes * np.sign(largest)) @ whitener @ span
    return Discriminant(mean.astype(np.float32), found.astype(np.float32))


def _span(centred: NDArray[np.float64]) -> NDArray[np.float64]:
    """Orthonormal rows (r, D) that the examples vary in."""
    _, strength, axes = np.linalg.svd(centred, full_matrices=False)
    kept = min(SPAN, int((strength > LEAST_SHARE * strength[0]).sum()))
    if strength[0] <= 0 or not kept:
        raise ValueError("discriminant: all vectors are equal; give different pictures")
    return np.asarray(axes[:kept])


def write_discriminant(path: str | Path, fitted: Discriminant, origin: dict[str, Any]) -> Path:
    """Write it in half precision, whole or not at all.

    Args:
        path: of the file.
        fitted: what was learnt.
        origin: from what and how, plain values.

    Raises:
        DataError: the file cannot be written.
    """
    # Half precision ends at 65504 and is coarse near zero: lengths of 1 and one scale beside them.
    scale = float(np.abs(fitted.axes).max())
    content = {
        "kind": "discriminant",
        "mean": torch.from_numpy(fitted.mean.copy()),
        "axes": torch.from_numpy(fitted.axes / scale).half(),
        "scale": scale,
        "origin": origin,
    }
    return write_tensors(path, content)


def read_discriminant(path: str | Path) -> tuple[Discriminant, dict[str, Any]]:
    """Read what `write_discriminant` wrote, and its origin; nothing in the file is executed.

    Raises:
        DataError: the file is missing, damaged, or holds something else.
    """
    content = read_tensors(path)
    mean, axes, scale = (content.get(name) for name in ("mean", "axes", "scale"))
    fits = (
        content.get("kind") == "discriminant"
        and isinstance(mean, torch.Tensor)
        and isinstance(axes, torch.Tensor)
        and isinstance(scale, float)
        and 0 < scale < math.inf
        and axes.ndim == 2
        and mean.shape == axes.shape[1:]
    )
    if not fits:
        raise DataError(f"{path}: holds no discriminant; make it again")
    assert isinstance(mean, torch.Tensor)
    assert isinstance(axes, torch.Tensor)
    weights_of({"mean": mean, "axes": axes}, str(path))
    origin = content.get("origin")
    read = Discriminant(mean.float().numpy(), axes.float().numpy() * np.float32(scale))
    return read, origin if isinstance(origin, dict) else {}
