"""A picture's maps of several depths as numbers: how strong each pattern is, and how uneven.

Deep maps tell what kind of thing it is, those of the middle what is printed on it, early ones its
colours and textures. Each statistic of a map is brought to unit length, so that none drowns
another.

Key: B pictures, C channels, h x w cells, D = all channels of all statistics.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, get_args

import torch
from torch import Tensor, nn

Statistic = Literal["mean", "gem", "max", "std"]
STATISTICS: Final[tuple[Statistic, ...]] = get_args(Statistic)
POWER: Final = 3.0  # of the generalised mean (Radenovic et al., PAMI 2019)
LEAST: Final = 1e-6


def map_statistic(maps: Tensor, statistic: Statistic) -> Tensor:
    """One statistic over the cells of maps (B, C, h, w): (B, C), each row of unit length.

    "mean", "max"; "gem": (mean of max(x, 1e-6)^3)^(1/3); "std": deviation over the cells, zero for
    a map of one cell. A row of zeros stays zero.
    """
    if statistic == "mean":
        pooled = maps.mean(dim=(2, 3))
    elif statistic == "max":
        pooled = maps.amax(dim=(2, 3))
    elif statistic == "gem":
        pooled = maps.clamp(min=LEAST).pow(POWER).mean(dim=(2, 3)).pow(1 / POWER)
    else:
        pooled = maps.std(dim=(2, 3), correction=0)
    return nn.functional.normalize(pooled, dim=1)


def joined_statistics(
    maps: Sequence[Tensor], statistics: Sequence[tuple[int, Statistic]]
) -> Tensor:
    """Several statistics side by side (B, D), as a whole of unit length.

    Args:
        maps: (B, C, h, w) of each layer.
        statistics: which layer, which statistic.
    """
    parts = [map_statistic(maps[layer].float(), statistic) for layer, statistic in statistics]
    return nn.functional.normalize(torch.cat(parts, dim=1), dim=1)
