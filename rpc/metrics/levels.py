"""Which images each row of the results table is over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rpc.data.levels import LEVELS

# The field's name for "over all images". It is not the mean of the three levels.
AVERAGED: Final = "averaged"

# The rows of the results table, in its order.
ROWS: Final = (*LEVELS, AVERAGED)


def level_groups(levels: Sequence[str | None]) -> dict[str, NDArray[np.int64]]:
    """Rows of the images of each level, and of all images under `averaged`.

    Args:
        levels: clutter level of each of N images; None where it has none: such an image counts
            under `averaged` alone.

    Returns:
        Row numbers by name, in the order easy, medium, hard, averaged. A level without images is
        not there.

    Raises:
        ValueError: a level is none of RPC's three.
    """
    unknown = [level for level in levels if level is not None and level not in LEVELS]
    if unknown:
        raise ValueError(f"level: expected one of {', '.join(LEVELS)}, got {unknown[0]!r}")
    groups = {
        name: np.array([row for row, level in enumerate(levels) if level == name], dtype=np.int64)
        for name in LEVELS
    }
    present = {name: rows for name, rows in groups.items() if len(rows)}
    return present | {AVERAGED: np.arange(len(levels), dtype=np.int64)}
