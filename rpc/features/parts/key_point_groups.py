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


def checked_groups(groups: object, where: str) -> dict[str, tuple[int, ...]]:
    """Parts by name, each with the numbers of its key points, from 0.

    Args:
        groups: what settings say.
        where: for errors.

    Raises:
        ValueError: it is no such thing, there is no part, or one without points or called object.
    """
    if not isinstance(groups, Mapping) or not groups or "object" in groups:
        raise ValueError(
            f"{where}: expected groups of key points by the name of their part, none called "
            f"object; got {groups!r:.80}"
        )
    for name, numbers in groups.items():
        listed = isinstance(numbers, Sequence) and not isinstance(numbers, str) and len(numbers) > 0
        if not listed or not all(type(number) is int and number >= 0 for number in numbers):
            raise ValueError(
                f"{where}: part {name!r:.40}: expected numbers of key points, from 0, got "
                f"{numbers!r:.80}"
            )
    return {str(name): tuple(numbers) for name, numbers in groups.items()}
