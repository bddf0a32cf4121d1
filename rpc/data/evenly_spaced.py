"""Evenly spaced places of a list, to look at a few of many."""

from __future__ import annotations

import numpy as np


def evenly_spaced(count: int, most: int) -> list[int]:
    """At most `most` of the rows 0 to `count` - 1, the first and the last among them; 1: the first.

    No row comes twice; none where there is none.
    """
    rows = np.linspace(0, count - 1, min(count, most)).round().astype(int)
    return [int(row) for row in rows]
