"""Which classes are taken for which, and how much of it stays within families of look-alikes.

Key: N photos, K classes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class FamilyConfusion:
    """Where the photos of one family went.

    Attributes:
        family: its name.
        classes: how many belong to it.
        photos: of its classes.
        right: named rightly.
        within: named as another class of the family.
        outside: named as a class of another family.
    """

    family: str
    classes: int
    photos: int
    right: int
    within: int
    outside: int


def confusion_matrix(truth: Ints, predicted: Ints, num_classes: int) -> Ints:
    """How often (K, K) a photo of the row's class was named as the column's.

    Raises:
        ValueError: the two differ in length, or a label is not in 0 .. K-1.
    """
    truth, predicted = np.asarray(truth, np.int64), np.asarray(predicted, np.int64)
    if truth.shape != predicted.shape or truth.ndim != 1:
        raise ValueError(f"labels: expected two of (N,), got {truth.shape} and {predicted.shape}")
    both = np.concatenate([truth, predicted])
    if both.size and (both.min() < 0 or both.max() >= num_classes):
        raise ValueError(f"labels: expected 0 to {num_classes - 1}, got {both.min()}..{both.max()}")
    flat = np.bincount(truth * num_classes + predicted, minlength=num_classes**2)
    return flat.reshape(num_classes, num_classes).astype(np.int64)


def mean_class_accuracy(matrix: Ints) -> float:
    """Mean of the classes' own accuracies, over those that have photos; NaN for no photo."""
    photos = matrix.sum(axis=1)
    seen = photos > 0
    return float((np.diag(matrix)[seen] / photos[seen]).mean()) if seen.any() else math.nan


def most_confused(matrix: Ints, most: int) -> list[tuple[int, int, int]]:
    """Up to `most` pairs (true class, named class, times), by falling times, then by label."""
    errors = matrix.copy()
    np.fill_diagonal(errors, 0)
    order = np.argsort(-errors, axis=None, kind="stable")[:most]
    rows, columns = np.unravel_index(order, matrix.shape)
    found = [(int(r), int(c), int(errors[r, c])) for r, c in zip(rows, columns, strict=True)]
    return [pair for pair in found if pair[2] > 0]


def family_confusions(matrix: Ints, families: Sequence[str]) -> list[FamilyConfusion]:
    """A row for each family, by name.

    Args:
        matrix: (K, K) of `confusion_matrix`.
        families: of each class.

    Raises:
        ValueError: not one family a class.
    """
    if len(families) != len(matrix):
        raise ValueError(f"families: expected {len(matrix)}, one a class, got {len(families)}")
    rows = []
    for family in sorted(set(families)):
        own = np.array([one == family for one in families])
        photos, inside = int(matrix[own].sum()), int(matrix[np.ix_(own, own)].sum())
        right = int(np.diag(matrix)[own].sum())
        rows.append(
            FamilyConfusion(family, int(own.sum()), photos, right, inside - right, photos - inside)
        )
    return rows
