"""Other ways of writing a value that mean one thing only: read as it, and told.

Labelling tools and pandas write ids as 7.0 or "7" or as any text, sizes as 640.0 or "640", and
`iscrowd: 1` for every mask. Nothing here guesses: a value that may mean two things is left.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from rpc.data.levels import LEVELS

_WHOLE = re.compile(r"-?(?:0|[1-9]\d{0,17})(?:\.0+)?")  # "007" is a name: "7" may be there too
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?")
_LARGEST_FLOAT = 2**53  # beyond it two ids may be the same float
_LARGEST_ID = 2**63  # what arrays of integers hold

Id = int | str


def as_id(value: object) -> Id | None:
    """The id that is meant: 7 by 7, 7.0, "7" and "7.0"; a text by itself; None by anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if abs(value) < _LARGEST_ID else None
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < _LARGEST_FLOAT else None
    if not isinstance(value, str):
        return None
    text = unicodedata.normalize("NFC", value.strip())
    return int(text.partition(".")[0]) if _WHOLE.fullmatch(text) else text or None


def as_number(value: object) -> float | int | None:
    """The finite number that is meant: by itself, or by a text such as "640"; else None."""
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, int):
        return value if abs(value) < _LARGEST_ID else None
    if not math.isfinite(value):
        return None
    return int(value) if value.is_integer() and abs(value) < _LARGEST_FLOAT else value


def as_size(value: object) -> int | None:
    """Pixels of a side: a whole number above 0, in any form that `as_number` reads."""
    number = as_number(value)
    return number if isinstance(number, int) and 0 < number < 2**31 else None


def as_box(value: object) -> list[float | int] | None:
    """Four numbers, in any form that `as_number` reads."""
    if not isinstance(value, list | tuple) or len(value) != 4:
        return None
    numbers = [as_number(one) for one in value]
    return None if None in numbers else [one for one in numbers if one is not None]


def as_level(value: object) -> str | None:
    """The clutter level that is meant, such as `easy` by "Easy"."""
    text = value.strip().lower() if isinstance(value, str) else None
    return text if text in LEVELS else None


class IdNumbers:
    """The whole numbers that stand for the ids of one list.

    Ids that are numbers stay what they are. Texts are numbered in their order (so that two files
    with the same texts agree), from behind the largest number.

    Args:
        raw: the ids, in any form; what is no id is passed over.
    """

    def __init__(self, raw: Iterable[object]) -> None:
        ids = {one for one in map(as_id, raw) if one is not None}
        self.numbers = {one for one in ids if isinstance(one, int)}
        first = max(self.numbers, default=0) + 1
        texts = sorted(one for one in ids if isinstance(one, str))
        self.texts: Mapping[str, int] = {text: first + n for n, text in enumerate(texts)}

    def of(self, raw: object) -> int | None:
        """The number of an id of the list; None for anything else."""
        one = as_id(raw)
        if isinstance(one, str):
            return self.texts.get(one)
        return one if one in self.numbers else None


def read_categories(entries: Sequence[Any]) -> tuple[list[Any], list[str], IdNumbers | None]:
    """COCO's `categories` with ids that are whole numbers and names that are text.

    Returns:
        The entries, those that are understood replaced; what to tell; the numbers of the ids, or
        None where all were plain.
    """
    raw = [entry.get("id") if isinstance(entry, dict) else None for entry in entries]
    told: list[str] = []
    made = list(entries)
    ids = None
    if not all(type(one) is int for one in raw):
        ids = IdNumbers(raw)
        changed = [(row, ids.of(one)) for row, one in enumerate(raw) if type(one) is not int]
        changed = [(row, number) for row, number in changed if number is not None]
        for row, number in changed:
            made[row] = {**made[row], "id": number}
        if changed:
            row, number = changed[0]
            told.append(
                f"the id of {len(changed):,} categories is no plain number, such as "
                f"{raw[row]!r:.80}: read as {number}"
            )
    named = [
        row
        for row, entry in enumerate(made)
        if isinstance(entry, dict) and type(entry.get("name")) is int
    ]
    for row in named:
        made[row] = {**made[row], "name": str(made[row]["name"])}
    if named:
        told.append(f"{len(named):,} categories have a number for a name: read as text")
    return made, told, ids


def crowds_that_are_items(entries: Sequence[Mapping[str, Any]], rows: Collection[int]) -> list[int]:
    """Those of the annotations `rows` with `iscrowd: 1` that are one item each.

    CVAT writes `iscrowd: 1` for every mask that was painted, which COCO keeps for heaps that were
    not taken apart. It is CVAT's where the annotation has CVAT's attribute `occluded`, and an item
    in any case where all annotations of the file have it: nothing would be left to count.
    """
    if len(rows) == len(entries):
        return list(rows)
    return [row for row in rows if _is_of_cvat(entries[row])]


def _is_of_cvat(entry: Mapping[str, Any]) -> bool:
    attributes = entry.get("attributes")
    return isinstance(attributes, dict) and "occluded" in attributes
