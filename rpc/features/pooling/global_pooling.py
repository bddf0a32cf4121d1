"""One vector from a map: average, maximum, generalised mean, regional maxima.

Key: C channels, h x w cells, M descriptors (cells) of dimension C.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rpc.features.encodings.normalise import check_finite, l2_normalised

FloatArray = NDArray[np.floating[Any]]


def descriptors_of(feature_map: FloatArray) -> FloatArray:
    """The cells of a map (C, h, w), row by row, as descriptors (M, C).

    Raises:
        ValueError: not a map, or a value is not finite.
    """
    check_map(feature_map)
    return feature_map.reshape(feature_map.shape[0], -1).T  # (M, C)


def average_pool(feature_map: FloatArray) -> FloatArray:
    """Mean over the cells of a map (C, h, w), unit length (C,)."""
    check_map(feature_map)
    return l2_normalised(feature_map.mean(axis=(1, 2)))


def max_pool(feature_map: FloatArray) -> FloatArray:
    """Maximum over the cells of a map (C, h, w), unit length (C,)."""
    check_map(feature_map)
    return l2_normalised(feature_map.max(axis=(1, 2)))


def average_and_max_pool(feature_map: FloatArray) -> FloatArray:
    """Mean and maximum, each of unit length, side by side (2C,); its length is sqrt(2)."""
    return np.concatenate([average_pool(feature_map), max_pool(feature_map)])


def gem_pool(feature_map: FloatArray, power: float = 3.0) -> FloatArray:
    """Generalised mean (mean of x^p)^(1/p) of a map (C, h, w), unit length (C,).

    Radenovic, Tolias, Chum, PAMI 2019, eq. 3. p = 1 is the average, p towards infinity the maximum;
    negative values count as zero.

    Raises:
        ValueError: `power` is not positive, or the map is none.
    """
    if not power > 0:
        raise ValueError(f"power: expected more than 0, got {power}")
    check_map(feature_map)
    rectified = np.maximum(feature_map, 0)
    # Relative to each channel's maximum, so that a high power stays in the range of floats.
    top = rectified.max(axis=(1, 2), keepdims=True)
    share = np.divide(rectified, top, out=np.zeros_like(rectified), where=top > 0)
    raised = (
        share * share * share if power == 3 else share**power
    )  # the usual power, ten times faster
    return l2_normalised(top[:, 0, 0] * raised.mean(axis=(1, 2)) ** (1 / power))


def rmac_pool(feature_map: FloatArray, scales: int = 3) -> FloatArray:
    """Regional maxima of a map (C, h, w), each of unit length, summed, unit length (C,).

    Tolias, Sicre, Jegou, ICLR 2016: squares of side 2 min(h, w) / (l + 1) at scale l, spread
    evenly, so many along the longer side that neighbours share about 40%. Without the whitening
    that the paper puts before the sum.

    Raises:
        ValueError: `scales` is less than 1, or the map is none.
    """
    check_map(feature_map)
    regions = rmac_regions(feature_map.shape[1], feature_map.shape[2], scales)
    cells = np.ascontiguousarray(feature_map.transpose(1, 2, 0))  # (h, w, C): far faster to search
    maxima = [
        cells[top : top + side, left : left + side].max(axis=(0, 1)) for top, left, side in regions
    ]
    return l2_normalised(l2_normalised(np.stack(maxima)).sum(axis=0))


def rmac_regions(height: int, width: int, scales: int = 3) -> list[tuple[int, int, int]]:
    """The squares of R-MAC on height x width cells: (top, left, side).

    Raises:
        ValueError: `scales` is less than 1.
    """
    if scales < 1:
        raise ValueError(f"scales: expected at least 1, got {scales}")
    short, long = min(height, width), max(height, width)
    # At scale 1 squares of the short side: how many along the long one for an overlap nearest 40%.
    choices = range(1, 8)
    extra = 0
    if long > short:
        shared = [1 - (long - short) / (n * short) for n in choices]
        extra = choices[int(np.argmin([abs(share - 0.4) for share in shared]))]
    regions = []
    for scale in range(1, scales + 1):
        side = max(2 * short // (scale + 1), 1)
        rows, columns = (scale + extra, scale) if height > width else (scale, scale + extra)
        regions += [
            (top, left, side)
            for top in _starts(height - side, rows)
            for left in _starts(width - side, columns)
        ]
    return regions


def _starts(room: int, count: int) -> list[int]:
    """`count` places from 0 to `room`, evenly spread; the middle where there is one."""
    if count == 1:
        return [room // 2]
    return [int(place) for place in np.linspace(0, room, count)]


def check_map(feature_map: FloatArray) -> None:
    """Refuse what is not a map (C, h, w) of finite numbers.

    Raises:
        ValueError: says what it is instead.
    """
    if feature_map.ndim != 3 or not feature_map.size:
        raise ValueError(f"feature map: expected (C, h, w), got {feature_map.shape}")
    check_finite(feature_map)
