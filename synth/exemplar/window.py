"""The part of a photo around a product's box, and the way back to the whole photo."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from rpc.data.records import Box

WHOLE_FRAME = 0.9  # of the photo's area: from here on a box says nothing about the product
Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True)
class Window:
    """Whole pixels x1, y1 (inclusive) to x2, y2 (exclusive) of a photo of height x width."""

    x1: int
    y1: int
    x2: int
    y2: int
    height: int
    width: int

    @classmethod
    def around(cls, box: Sequence[float], margin: float, height: int, width: int) -> Window:
        """The box with `margin` (a fraction of its longer side) on every side, cut to the photo.

        Raises:
            ValueError: the box is not finite or has less than 2 px a side inside the photo.
        """
        x1, y1, x2, y2 = check_box(box, height, width)
        pad = margin * max(x2 - x1, y2 - y1)
        left, top = math.floor(max(0, x1 - pad)), math.floor(max(0, y1 - pad))
        right, bottom = math.ceil(min(width, x2 + pad)), math.ceil(min(height, y2 + pad))
        return cls(left, top, right, bottom, height, width)

    def crop(self, array: NDArray[Scalar]) -> NDArray[Scalar]:
        """The window's view of an array (H, W, ...)."""
        return array[self.y1 : self.y2, self.x1 : self.x2]

    def box_inside(self, box: Sequence[float]) -> Box:
        """`box` of the photo in the window's pixels."""
        x1, y1, x2, y2 = box
        return x1 - self.x1, y1 - self.y1, x2 - self.x1, y2 - self.y1

    def paste(self, plane: NDArray[np.float32]) -> NDArray[np.float32]:
        """A plane of the window's size on zeros of the photo's size."""
        whole = np.zeros((self.height, self.width), dtype=np.float32)
        whole[self.y1 : self.y2, self.x1 : self.x2] = plane
        return whole


def check_box(box: Sequence[float], height: int, width: int) -> Box:
    """`box` cut to a photo of height x width.

    Raises:
        ValueError: the box is not finite or has less than 2 px a side inside the photo.
    """
    values = [float(value) for value in box]
    if len(values) != 4 or not all(math.isfinite(value) for value in values):
        raise ValueError(f"box: expected 4 finite numbers x1, y1, x2, y2; got {values}")
    x1, x2 = (min(max(value, 0.0), float(width)) for value in values[0::2])
    y1, y2 = (min(max(value, 0.0), float(height)) for value in values[1::2])
    if x2 - x1 < 2 or y2 - y1 < 2:
        raise ValueError(
            f"box: expected 2 px or more a side inside the photo of {width}x{height} px, "
            f"got {values}"
        )
    return x1, y1, x2, y2


def is_whole_frame(box: Sequence[float], height: int, width: int) -> bool:
    """Whether the box is (nearly) the whole photo, as an import sets it that found no product."""
    x1, y1, x2, y2 = box
    return (x2 - x1) * (y2 - y1) >= WHOLE_FRAME * height * width
