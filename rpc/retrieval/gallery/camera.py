"""A camera's own part of its crops' descriptors: common to all of them, evidence for none.

A tray's crops share light, sharpness and ground, and their descriptors share a direction. An
exemplar that happens to point that way would be alike to everything. So a part of the mean
descriptor of a camera's crops, which needs no labels, is taken off each query; exemplars stay as
they are, and adding one changes no other's score. The 'mean' of all-but-the-top (Mu & Viswanath,
ICLR 2018), taken off the queries alone. docs/naming.md says what it is worth.

Key: N crops, D dimensions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]
SHARE: Final = 0.5  # of the mean: 0.3 to 0.6 gain alike on six sets
ENOUGH: Final = 30  # crops: a mean of fewer tells of the products on them, not of the camera
LEAST: Final = 1e-12  # length: shorter descriptors tell nothing


@dataclass(frozen=True, eq=False)
class CameraMean:
    """The mean descriptor of a camera's crops.

    Attributes:
        mean: (D,) of unit vectors; its length is at most 1.
        crops: how many it was measured on.
        share: of it that is taken off, 0 to 1.

    Raises:
        ValueError: a value is out of its range, or not finite.
    """

    mean: NDArray[np.float64] = field(repr=False)
    crops: int
    share: float = SHARE

    def __post_init__(self) -> None:
        mean = np.asarray(self.mean, dtype=np.float64)
        if mean.ndim != 1 or not np.isfinite(mean).all() or np.linalg.norm(mean) > 1.001:
            raise ValueError("camera: mean: expected numbers that make a vector of length 0 to 1")
        if isinstance(self.crops, bool) or not isinstance(self.crops, int) or self.crops < 1:
            raise ValueError(f"camera: crops: expected 1 or more, got {self.crops!r:.40}")
        number = isinstance(self.share, int | float) and not isinstance(self.share, bool)
        if not number or not 0 <= self.share <= 1:
            raise ValueError(f"camera: share: expected 0 to 1, got {self.share!r:.40}")
        object.__setattr__(self, "mean", mean)

    @classmethod
    def of_crops(cls, embeddings: FloatArray) -> CameraMean | None:
        """Measured on descriptors (N, D) of crops, whatever they show; None of fewer than 30.

        Rows that are no descriptor (not finite, or zero) are passed over.
        """
        usable = usable_rows(embeddings)
        if usable.sum() < ENOUGH:
            return None
        rows = np.asarray(embeddings[usable], dtype=np.float64)
        unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return cls(unit.mean(axis=0), int(usable.sum()))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], dimension: int) -> CameraMean:
        """The inverse of `to_dict`; other fields, such as where it was measured, are passed over.

        Raises:
            ValueError: a field is missing or out of its range, or not of D = `dimension`.
        """
        try:
            mean, crops, share = values["mean"], values["crops"], values["share"]
        except KeyError as error:
            raise ValueError(f"camera: the field {error} is missing") from error
        numbers = isinstance(mean, list) and all(
            isinstance(x, int | float) and not isinstance(x, bool) and math.isfinite(x)
            for x in mean
        )
        if not numbers or len(mean) != dimension:
            raise ValueError(f"camera: mean: expected {dimension} numbers")
        return cls(np.array(mean, dtype=np.float64), crops, share)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, the mean to six decimals."""
        mean = [round(float(x), 6) for x in self.mean]
        return {"mean": mean, "crops": self.crops, "share": float(self.share)}

    def __call__(self, embeddings: FloatArray) -> NDArray[np.float64]:
        """Descriptors (N, D) of crops without the camera's part, of unit length again.

        A descriptor that is nothing but this part becomes zero.

        Raises:
            ValueError: another D.
        """
        rows = np.asarray(embeddings, dtype=np.float64)
        if rows.ndim != 2 or rows.shape[1] != len(self.mean):
            raise ValueError(f"camera: expected (N, {len(self.mean)}), got {rows.shape}")
        length = np.linalg.norm(rows, axis=1, keepdims=True)
        left = rows / np.maximum(length, LEAST) - self.share * self.mean
        rest = np.linalg.norm(left, axis=1, keepdims=True)
        return np.asarray(np.where(rest > LEAST, left / np.maximum(rest, LEAST), 0.0))


def usable_rows(embeddings: FloatArray) -> NDArray[np.bool_]:
    """Which rows (N,) of descriptors (N, D) tell anything: finite, and not zero."""
    finite = np.isfinite(embeddings).all(axis=1)
    return np.asarray(finite & (np.linalg.norm(embeddings, axis=1) > LEAST))
