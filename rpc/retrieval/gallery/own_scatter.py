"""How photos of one SKU differ in a gallery: directions that tell no products apart, made small.

The descriptor's projection was learnt on drawn packages. A gallery knows more of its own products:
several photos of a SKU, in several turns, show what its sides, light and camera change. So the
covariance within SKUs is estimated from the gallery's own embeddings and whitened, as far as they
can tell: x becomes (S / s + I)^(-1/2) x with S that covariance and s its mean over all directions
(within-class whitening with a ridge: Hatch et al., Interspeech 2006). No label of any tray is
needed. A map that was learnt stays as it is when SKUs come and go: no other score changes.

Key: M embeddings, N vectors, D dimensions, k directions.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]
DIRECTIONS: Final = 64  # k: 32 are nearly as good, 128 no better
MORE_PHOTOS: Final = 12  # beyond one of each SKU: fewer say little of how photos differ
AT_ONCE: Final = 8192  # vectors in double precision at a time
LEAST: Final = 1e-12


@dataclass(frozen=True, eq=False)
class OwnScatter:
    """A map that shrinks vectors along some directions.

    Attributes:
        axes: (k, D), orthonormal.
        kept: (k,) share of a vector's part along each that stays, above 0 and at most 1.

    Raises:
        ValueError: shapes differ, or a value is out of its range.
    """

    axes: NDArray[np.float64] = field(repr=False)
    kept: NDArray[np.float64] = field(repr=False)

    def __post_init__(self) -> None:
        axes, kept = np.asarray(self.axes, np.float64), np.asarray(self.kept, np.float64)
        if axes.ndim != 2 or kept.shape != axes.shape[:1]:
            raise ValueError("scatter: expected directions (k, D) and k shares")
        if not (np.isfinite(axes).all() and (kept > 0).all() and (kept <= 1).all()):
            raise ValueError("scatter: expected finite directions, and shares above 0 up to 1")
        if not np.allclose(axes @ axes.T, np.eye(len(axes)), atol=0.02):
            raise ValueError("scatter: expected directions of unit length at right angles")
        object.__setattr__(self, "axes", axes)
        object.__setattr__(self, "kept", kept)

    @classmethod
    def of_embeddings(
        cls, embeddings: FloatArray, skus: NDArray[np.int64], photos: NDArray[np.int64]
    ) -> OwnScatter | None:
        """Learnt from a gallery; None where it has few SKUs with more than one photo.

        Args:
            embeddings: (M, D) unit vectors.
            skus: (M,) SKU of each; -1 for embeddings out of use.
            photos: (M,) photo of each.
        """
        live = skus >= 0
        _, owner = np.unique(skus[live], return_inverse=True)
        if len(np.unique(photos[live])) < owner.max(initial=-1) + 1 + MORE_PHOTOS:
            return None
        rows = np.asarray(embeddings[live], np.float64)
        means = np.zeros((owner.max() + 1, rows.shape[1]))
        np.add.at(means, owner, rows)
        means /= np.bincount(owner)[:, None]
        within = rows - means[owner]
        strength, directions = np.linalg.eigh(within.T @ within / len(within))
        count = min(DIRECTIONS, len(strength))
        level = max(float(strength.mean()), LEAST)
        kept = np.sqrt(level / (strength.clip(min=0)[::-1] + level))  # strongest first
        # What lies behind the last direction stays: all vectors have unit length in the end.
        behind = kept[count] if count < len(kept) else 1.0
        return cls(directions.T[::-1][:count], np.minimum(kept[:count] / behind, 1.0))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], dimension: int) -> OwnScatter:
        """The inverse of `to_dict`; other fields are passed over.

        Raises:
            ValueError: a field is missing or damaged, or not of D = `dimension`.
        """
        try:
            axes, kept = _numbers(values["axes"]), _numbers(values["kept"])
        except KeyError as error:
            raise ValueError(f"scatter: the field {error} is missing") from error
        if len(axes) != len(kept) * dimension:
            raise ValueError(f"scatter: expected directions of {dimension} numbers")
        return cls(axes.reshape(len(kept), dimension), kept)

    def to_dict(self) -> dict[str, Any]:
        """Plain values: half precision, in base64."""
        return {"axes": _text(self.axes), "kept": _text(self.kept)}

    def __call__(self, vectors: FloatArray) -> NDArray[np.float64]:
        """Vectors (N, D) mapped, of unit length; a vector of zeros stays one.

        Raises:
            ValueError: another D.
        """
        rows = np.asarray(vectors, np.float64)
        if rows.ndim != 2 or rows.shape[1] != self.axes.shape[1]:
            raise ValueError(f"scatter: expected (N, {self.axes.shape[1]}), got {rows.shape}")
        left = rows - (rows @ self.axes.T * (1 - self.kept)) @ self.axes
        return np.asarray(left / np.maximum(np.linalg.norm(left, axis=1, keepdims=True), LEAST))

    def stored(self, embeddings: NDArray[np.float16]) -> NDArray[np.float16]:
        """A gallery's embeddings (M, D) mapped, a block at a time."""
        found = np.empty_like(embeddings)
        for start in range(0, len(embeddings), AT_ONCE):
            found[start : start + AT_ONCE] = self(embeddings[start : start + AT_ONCE])
        return found


def _text(numbers: NDArray[np.float64]) -> str:
    return base64.b64encode(numbers.astype("<f2").tobytes()).decode("ascii")


def _numbers(text: Any) -> NDArray[np.float64]:
    try:
        data = base64.b64decode(text, validate=True) if isinstance(text, str) else b"?"
    except (binascii.Error, ValueError) as error:
        raise ValueError("scatter: expected numbers in base64") from error
    if len(data) % 2:
        raise ValueError("scatter: expected numbers in base64")
    return np.frombuffer(data, "<f2").astype(np.float64)
