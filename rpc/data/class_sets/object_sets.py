"""Photos by the class of an object on them, with its boxes: what co-localisation is measured on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from rpc.data.records import Box

Rgb = NDArray[np.uint8]

Mark = Literal["difficult", "truncated"]
MARKS: Final[tuple[Mark, ...]] = get_args(Mark)


@dataclass(frozen=True)
class ObjectPhoto:
    """A photo of a class.

    Attributes:
        read: gives its pixels, RGB (H, W, 3).
        name: path from the data set's root, with '/'.
        boxes: x1, y1, x2, y2 px of the objects of the class; empty where there is none, or none
            is known.
    """

    read: Callable[[], Rgb] = field(repr=False)
    name: str
    boxes: tuple[Box, ...]


@dataclass(frozen=True)
class ObjectSet:
    """The photos of one class.

    Attributes:
        name: of the class.
        photos: in the data set's order.
    """

    name: str
    photos: tuple[ObjectPhoto, ...]
