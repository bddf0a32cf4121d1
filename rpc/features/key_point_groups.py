"""Which key points make a part, for data sets that come with key points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

# The 15 points of CUB-200-2011 in the order of its parts.txt, from 0: back, beak, belly, breast,
# crown, forehead, left eye, left leg, left wing, nape, right eye, right leg, right wing, tail,
# throat.
BIRD: Final[Mapping[str, Sequence[int]]] = {
    "head": (1, 4, 5, 6, 9, 10, 14),
    "torso": (0, 2, 3, 7, 8, 11, 12, 13),
}
