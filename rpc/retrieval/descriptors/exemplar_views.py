"""Exemplar pictures described in several directions: a product may lie on a tray in any.

Key: V views of a picture, D dimensions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from rpc.retrieval.descriptors.rotation import rotated
from rpc.retrieval.gallery.gallery import DescribesPictures

FloatArray = NDArray[np.float32]
Rgb = NDArray[np.uint8]


def rotated_embeddings(
    describe: DescribesPictures, pictures: Sequence[Rgb], turns: int
) -> list[FloatArray]:
    """Descriptors (V, D) of so many quarter turns of each picture."""
    views = [np.rot90(picture, turn) for picture in pictures for turn in range(turns)]
    embeddings = describe([np.ascontiguousarray(view) for view in views])
    return [embeddings[start : start + turns] for start in range(0, len(views), turns)]


def turned_embeddings(
    describe: DescribesPictures, pictures: Sequence[Rgb], turns: int, fill: int
) -> list[FloatArray]:
    """Descriptors (V, D) of each picture in so many directions, evenly over the circle.

    Args:
        describe: makes them.
        pictures: of one product each.
        turns: V.
        fill: grey level around a picture that is turned.
    """
    angles = [360 * turn / turns for turn in range(turns)]
    views = [rotated(picture, angle, fill) for picture in pictures for angle in angles]
    embeddings = describe(views)
    return [embeddings[start : start + turns] for start in range(0, len(views), turns)]


def exemplar_embeddings(describe: DescribesPictures, pictures: Sequence[Rgb]) -> list[FloatArray]:
    """Descriptors (V, D) of each exemplar picture: its own method's, else one of each picture."""
    own: Callable[[Sequence[Rgb]], list[FloatArray]] | None
    own = getattr(describe, "exemplar_embeddings", None)
    return rotated_embeddings(describe, pictures, 1) if own is None else own(pictures)
