"""The result of a checkout: each SKU and its count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class ShoppingList:
    """Counts by 0-based label; a SKU that is not on the tray is not in the mapping.

    Raises:
        ValueError: a label is negative or a count is not positive.
    """

    counts: Mapping[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for label, count in self.counts.items():
            if label < 0 or count < 1:
                raise ValueError(
                    f"shopping list: label must be >= 0, count >= 1; got {label}: {count}"
                )

    @classmethod
    def from_labels(cls, labels: Iterable[int]) -> ShoppingList:
        """Count the labels of the kept detections."""
        values, numbers = np.unique(np.fromiter(labels, dtype=np.int64), return_counts=True)
        return cls(dict(zip(values.tolist(), numbers.tolist(), strict=True)))

    @property
    def total(self) -> int:
        """Number of items."""
        return sum(self.counts.values())

    def to_array(self, num_labels: int) -> NDArray[np.int64]:
        """Counts (K,) for K = `num_labels` SKUs.

        Raises:
            ValueError: a label is K or more.
        """
        array = np.zeros(num_labels, dtype=np.int64)
        for label, count in self.counts.items():
            if label >= num_labels:
                raise ValueError(f"shopping list: label {label} is not below {num_labels}")
            array[label] = count
        return array
