"""Which key points make a part, for data sets that come with key points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Final

# The 15 points of CUB-200-2011 in the order of its parts.txt.
BIRD_POINTS: Final = (
    *("back", "beak", "belly", "breast", "crown", "forehead", "left eye", "left leg"),
    *("left wing", "nape", "right eye", "right leg", "right wing", "tail", "throat"),
)
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


def numbered_groups(groups: object, points: Sequence[str], where: str) -> dict[str, list[int]]:
    """Parts whose key points are given by name, by their numbers in the data, from 0.

    A name may be a pattern, such as "front_*": all points that it fits, in the data's order. A
    number stays what it is. A point that is meant twice is there once.

    Args:
        groups: what settings say: names, patterns or numbers of points, by the name of their part.
        points: names of the key points that the data have, in order.
        where: for errors.

    Raises:
        ValueError: it is no such thing, or a name or number is none of the data's.
    """
    if not isinstance(groups, Mapping) or not groups:
        raise ValueError(
            f"{where}: expected groups of key points by the name of their part, got {groups!r:.80}"
        )
    made = {}
    for part, wanted in groups.items():
        if not isinstance(wanted, list | tuple) or not wanted:
            raise ValueError(
                f"{where}: part {part!r:.40}: expected a list of names of key points, got "
                f"{wanted!r:.80}"
            )
        numbers = [number for one in wanted for number in _numbers(one, points, f"{where}: {part}")]
        made[str(part)] = list(dict.fromkeys(numbers))
    return made


def _numbers(wanted: object, points: Sequence[str], where: str) -> list[int]:
    """Numbers of the points that a name, a pattern or a number means; one or more."""
    found: list[int] = []
    if isinstance(wanted, str):
        exact = [number for number, name in enumerate(points) if name == wanted]
        found = exact or [n for n, name in enumerate(points) if fnmatchcase(name, wanted)]
    elif type(wanted) is int and 0 <= wanted < len(points):
        found = [wanted]
    if not found:
        raise ValueError(
            f"{where}: the data have no key point {wanted!r:.60}; they have {', '.join(points)}"
        )
    return found
