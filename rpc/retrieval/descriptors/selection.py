"""Which cells of a map show the object: more active than the mean, and the largest piece of them.

Wei et al., TIP 2017 (SCDA), section III-B. Key: C channels, h x w cells.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from rpc.features.pooling.global_pooling import check_map

FloatArray = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]

EIGHT_CONNECTED = np.ones((3, 3), dtype=bool)  # scipy's own default is 4-connected


def activation_mask(feature_map: FloatArray) -> Mask:
    """Cells (h, w) whose sum over the channels of (C, h, w) exceeds the mean of these sums.

    A constant map has no such cell.

    Raises:
        ValueError: not a map, or a value is not finite.
    """
    check_map(feature_map)
    total = feature_map.sum(axis=0, dtype=np.float64)  # (h, w)
    # The mean of equal numbers can miss them by a rounding: such a hair is no activity.
    hair = 1e-9 * np.abs(total).max()
    above: Mask = total > total.mean() + hair
    return above


def largest_component(mask: Mask) -> Mask:
    """The largest piece of a mask (h, w) that hangs together, corners included.

    Of pieces equally large, the one that is met first, row by row. An empty mask stays empty.
    """
    labels, count = ndimage.label(mask, structure=EIGHT_CONNECTED)
    if not count:
        return np.zeros(mask.shape, dtype=bool)
    sizes = np.bincount(labels.ravel())[1:]
    largest: Mask = labels == 1 + int(sizes.argmax())
    return largest


def object_mask(feature_map: FloatArray) -> Mask:
    """SCDA's mask (h, w) of a map (C, h, w): the largest piece of `activation_mask`."""
    return largest_component(activation_mask(feature_map))


def resized_mask(mask: Mask, height: int, width: int) -> Mask:
    """A mask (h, w) brought to height x width by its nearest cell.

    Raises:
        ValueError: a size without a cell.
    """
    if min(height, width, *mask.shape) < 1:
        raise ValueError(f"expected sizes of at least 1, got {mask.shape} to ({height}, {width})")
    rows = (np.arange(height) * 2 + 1) * mask.shape[0] // (2 * height)  # the centre's cell
    columns = (np.arange(width) * 2 + 1) * mask.shape[1] // (2 * width)
    return mask[np.ix_(rows, columns)]
