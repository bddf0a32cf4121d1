"""Values computed for each of many photos, gone through more than once in limited memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

Maps = tuple[NDArray[np.float32], ...]

BUDGET = 1 << 29  # bytes: 24 photos of 700 px with two layers take a fifth of it


class RememberedMaps:
    """Feature maps by number: kept while they fit into the budget, else computed again.

    Args:
        compute: the maps of photo i.
        count: how many photos.
        budget: bytes to keep at most.
    """

    def __init__(self, compute: Callable[[int], Maps], count: int, budget: int = BUDGET) -> None:
        self._compute = compute
        self._count = count
        self._free = budget
        self._kept: dict[int, Maps] = {}

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> Maps:
        if not 0 <= number < self._count:
            raise IndexError(number)
        if number in self._kept:
            return self._kept[number]
        maps = self._compute(number)
        size = sum(one.nbytes for one in maps)
        if size <= self._free:
            self._free -= size
            self._kept[number] = maps
        return maps

    def __iter__(self) -> Iterator[Maps]:
        return (self[number] for number in range(self._count))
