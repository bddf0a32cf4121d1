"""The owner map of a scene: which item is in sight at each pixel, and how much of each is left.

Key: an owner map (H, W) int16 holds for each pixel the item on top, -1 for none.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

OwnerMap = NDArray[np.int16]
Mask = NDArray[np.uint8]
Corner = tuple[int, int]

_COARSE = 160  # a place is first looked at on a grid of so many points a side
_GRID_ERROR = 0.04  # fraction of an item by which such a grid may be wrong


class Heap:
    """Items laid down so far, each on top of the earlier ones.

    Args:
        width: pixels of the scene.
        height: pixels of the scene.
        areas: mask pixels of all items to come, also of those parts that will be outside.
    """

    def __init__(self, width: int, height: int, areas: Sequence[int]) -> None:
        self.owners: OwnerMap = np.full((height, width), -1, dtype=np.int16)
        self.areas = np.asarray(areas, dtype=np.int64)
        self.in_sight = np.zeros(len(areas), dtype=np.int64)
        self._count = 0
        self._step = max(1, min(width, height) // _COARSE)

    def accepts(self, mask: Mask, corner: Corner, floors: NDArray[np.float64]) -> bool:
        """Whether every item keeps its fraction `floors` (N,) with the next item (h, w) there.

        A coarse grid turns away what is clearly too much; otherwise every pixel is counted.
        """
        if (self._coarse(mask, corner) < floors[: self._count] - _GRID_ERROR).any():
            return False
        window, part = clip_window(mask.shape, corner, self.owners.shape)
        inside = mask[part]
        left = self.in_sight - self._lost(self.owners[window], inside)
        left[self._count] = np.count_nonzero(inside)
        here = slice(self._count + 1)
        return bool((left[here] >= floors[here] * self.areas[here]).all())

    def worst(self, mask: Mask, corner: Corner) -> float:
        """About what fraction is left of the item that suffers most from the next one there."""
        return float(self._coarse(mask, corner).min(initial=1.0))

    def add(self, mask: Mask, corner: Corner) -> None:
        """Lay the next item down."""
        window, part = clip_window(mask.shape, corner, self.owners.shape)
        owners, inside = self.owners[window], mask[part]
        self.in_sight -= self._lost(owners, inside)
        self.in_sight[self._count] = np.count_nonzero(inside)
        np.copyto(owners, np.int16(self._count), where=inside.astype(bool))
        self._count += 1

    def _coarse(self, mask: Mask, corner: Corner) -> NDArray[np.float64]:
        """About what fraction of each item that lies there would be left."""
        window, part = clip_window(mask.shape, corner, self.owners.shape)
        grid = slice(None, None, self._step)
        lost = self._lost(self.owners[window][grid, grid], mask[part][grid, grid])
        left = self.in_sight - lost * self._step**2
        return np.asarray(left[: self._count] / self.areas[: self._count])

    def _lost(self, owners: OwnerMap, mask: Mask) -> NDArray[np.int64]:
        """Pixels that each item would lose under a mask."""
        hidden = owners[mask.astype(bool)] + 1
        return np.bincount(hidden, minlength=len(self.areas) + 1)[1:]


def clip_window(
    size: tuple[int, ...], corner: Corner, shape: tuple[int, ...]
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Where a patch lies in an image, and which part of the patch does.

    Args:
        size: (h, w, ...) of the patch.
        corner: x, y of its upper left pixel; may be outside.
        shape: (H, W, ...) of the image.
    """
    (x, y), (h, w) = corner, size[:2]
    top, bottom = (min(max(edge, 0), shape[0]) for edge in (y, y + h))
    left, right = (min(max(edge, 0), shape[1]) for edge in (x, x + w))
    window = (slice(top, bottom), slice(left, right))
    return window, (slice(top - y, bottom - y), slice(left - x, right - x))
