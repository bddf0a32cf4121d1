"""Checks of a COCO/RPC JSON's entries, as columns: real RPC has 294,333 annotations in one file.

A `Checker` walks the raw entries of one list, notes a `Problem` for each damaged one and leaves
it out; what remains is safe to turn into records. Nothing here raises.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rpc.data.by_kind import Problem
from rpc.data.files import path_problem
from rpc.data.levels import LEVELS

CLIP_TOLERANCE = 2.0  # px: rounding and full-extent boxes at the border, not another mistake
LARGEST_PIXEL = 1e9  # beyond it float arithmetic on boxes is no longer exact

Sound = Callable[[Sequence[Any]], bool]


class Checker:
    """The still undamaged entries of one list, and the problems of the others.

    Args:
        entries: the raw list of the JSON file.
        kind: `image` or `annotation`, for the messages.
        file: the file, for the messages.
    """

    def __init__(self, entries: Sequence[Any], kind: str, file: str) -> None:
        self.entries: list[Any] = list(entries)
        self.problems: list[Problem] = []
        self._kind = kind
        self._file = file

    def drop(self, bad: Sequence[int], what: Callable[[int], str]) -> NDArray[np.bool_]:
        """Leave out the rows `bad` with the message `what(row)`; returns which rows stay (N,)."""
        stay = np.ones(len(self.entries), dtype=bool)
        if len(bad):
            self.problems += [Problem(self._where(row), what(row)) for row in bad]
            stay[np.asarray(bad)] = False
            self.entries = [entry for entry, keep in zip(self.entries, stay, strict=True) if keep]
        return stay

    def require(
        self, name: str, valid: Callable[[Any], bool], expected: str, sound: Sound | None = None
    ) -> None:
        """Leave out entries without the field `name`, or with a value that is not `valid`.

        Args:
            name: of the field.
            valid: whether one value is.
            expected: for the message.
            sound: whether a whole column is valid; quicker than looking at each value.
        """
        self.drop(
            [row for row, entry in enumerate(self.entries) if name not in entry],
            lambda row: f"the field '{name}' is missing; expected {expected}",
        )
        if sound is not None and sound(self.column(name)):
            return
        self.drop(
            [row for row, entry in enumerate(self.entries) if not valid(entry[name])],
            lambda row: f"{name}: expected {expected}, got {_short(self.entries[row][name])}",
        )

    def allow(
        self, name: str, valid: Callable[[Any], bool], expected: str, sound: Sound | None = None
    ) -> None:
        """Leave out entries whose field `name` is there (and not null) but is not `valid`."""
        there = [row for row, entry in enumerate(self.entries) if entry.get(name) is not None]
        if sound is not None and sound([self.entries[row][name] for row in there]):
            return
        self.drop(
            [row for row in there if not valid(self.entries[row][name])],
            lambda row: f"{name}: expected {expected}, got {_short(self.entries[row][name])}",
        )

    def column(self, name: str) -> list[Any]:
        """The field of every entry; all must have it."""
        return list(map(itemgetter(name), self.entries))

    def require_objects(self) -> None:
        """Leave out entries that are no JSON objects."""
        self.drop(
            [row for row, entry in enumerate(self.entries) if not isinstance(entry, dict)],
            lambda row: f"expected an object {{...}}, got {_short(self.entries[row])}",
        )

    def require_unique_ids(self) -> None:
        """Leave out entries whose integer `id` an earlier entry has."""
        self.require("id", _is_int, "an integer", _are_ints)
        seen: set[int] = set(self.column("id"))
        if len(seen) == len(self.entries):
            return
        seen.clear()
        again = []
        for row, entry in enumerate(self.entries):
            if entry["id"] in seen:
                again.append(row)
            seen.add(entry["id"])
        self.drop(again, lambda row: "the id is there twice; give each entry its own")

    def require_known(self, name: str, known: Collection[int], expected: str) -> None:
        """Leave out entries whose integer field `name` is not in `known`."""
        self.require(name, _is_int, "an integer", _are_ints)
        if set(self.column(name)) <= set(known):
            return
        self.drop(
            [row for row, entry in enumerate(self.entries) if entry[name] not in known],
            lambda row: f"{name} {_short(self.entries[row][name])}: {expected}",
        )

    def _where(self, row: int) -> str:
        entry = self.entries[row]
        number = entry.get("id") if isinstance(entry, dict) else None
        name = f"{number!r:.40}" if number is not None else f"at place {row}"
        return f"{self._file}: {self._kind} {name}"


def check_images(entries: Sequence[Any], file: str) -> Checker:
    """Check COCO's `images`: fields, unique ids, harmless file names, sizes, known levels."""
    checker = Checker(entries, "image", file)
    checker.require_objects()
    checker.require_unique_ids()
    checker.require("file_name", lambda value: isinstance(value, str), "a file name")
    names = [path_problem(entry["file_name"]) for entry in checker.entries]
    checker.drop(
        [row for row, problem in enumerate(names) if problem is not None],
        lambda row: f"file_name: {names[row]}",
    )
    for side in ("width", "height"):
        checker.require(side, _is_size, "pixels, an integer above 0")
    checker.allow("level", lambda value: value in LEVELS, f"one of {', '.join(LEVELS)}")
    return checker


def check_annotations(
    entries: Sequence[Any],
    file: str,
    sizes: dict[int, tuple[int, int]],
    category_ids: Collection[int],
) -> tuple[Checker, NDArray[np.float64], int]:
    """Check COCO's `annotations` against the images and the categories.

    Args:
        entries: the raw list.
        file: for the messages.
        sizes: width and height by image id.
        category_ids: the ids of the SKUs.

    Returns:
        The checker; boxes (N, 4) xyxy in pixels of its entries, cut to their images; how many
        boxes were cut (by `CLIP_TOLERANCE` at most).
    """
    checker = Checker(entries, "annotation", file)
    checker.require_objects()
    checker.require_unique_ids()
    checker.require_known("image_id", sizes, "no image has this id")
    low, high = min(category_ids, default=0), max(category_ids, default=0)
    checker.require_known(
        "category_id", category_ids, f"no category has this id (they go from {low} to {high})"
    )
    checker.allow("area", _is_number, "pixels, a number >= 0", _are_numbers)
    checker.allow("visible", lambda value: _is_number(value) and value <= 1, "a fraction 0 to 1")
    checker.allow(
        "iscrowd",
        lambda value: value in (0, False),
        "0 (a crowd cannot be counted: annotate its items one by one)",
    )
    boxes, clipped = _check_boxes(checker, sizes)
    return checker, boxes, clipped


def _check_boxes(
    checker: Checker, sizes: dict[int, tuple[int, int]]
) -> tuple[NDArray[np.float64], int]:
    """Boxes (N, 4) xyxy of the entries whose bbox lies in its image, and how many were cut."""
    checker.require("bbox", _is_box, "[x, y, width, height], four finite numbers", _are_boxes)
    flat_boxes = list(chain.from_iterable(checker.column("bbox")))
    boxes = np.array(flat_boxes, dtype=np.float64).reshape(-1, 4)

    flat = np.flatnonzero((boxes[:, 2:] <= 0).any(axis=1)).tolist()
    stay = checker.drop(
        flat,
        lambda row: (
            "bbox: expected a width and a height above 0, "
            f"got [x, y, width, height] = {_short(checker.entries[row]['bbox'])}"
        ),
    )
    boxes = boxes[stay]

    # A millionth of a pixel: coarse enough for x + (x2 - x) to give x2 again after writing.
    boxes[:, 2:] = np.round(boxes[:, :2] + boxes[:, 2:], 6)
    boxes[:, :2] = np.round(boxes[:, :2], 6)
    limits = np.array([sizes[entry["image_id"]] for entry in checker.entries]).reshape(-1, 2)
    cut = np.concatenate([boxes[:, :2].clip(0, limits), boxes[:, 2:].clip(0, limits)], axis=1)
    far = (np.abs(cut - boxes) > CLIP_TOLERANCE).any(axis=1)
    far |= (cut[:, 2:] <= cut[:, :2]).any(axis=1)
    stay = checker.drop(np.flatnonzero(far).tolist(), lambda row: _outside(checker, row, limits))
    boxes, cut = boxes[stay], cut[stay]
    return cut, int((cut != boxes).any(axis=1).sum())


def _outside(checker: Checker, row: int, limits: NDArray[np.int64]) -> str:
    width, height = limits[row].tolist()
    return (
        f"bbox [x, y, width, height] = {_short(checker.entries[row]['bbox'])} "
        f"lies outside its image of {width}x{height} px"
    )


def _is_int(value: Any) -> bool:
    return type(value) is int


def _is_size(value: Any) -> bool:
    return type(value) is int and 0 < value < 2**31


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value < math.inf


def _is_box(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 4
        and all(type(n) in (int, float) and -LARGEST_PIXEL < n < LARGEST_PIXEL for n in value)
    )


# The same for a whole column at a time.


def _are_ints(values: Sequence[Any]) -> bool:
    return set(map(type, values)) <= {int}


def _are_numbers(values: Sequence[Any]) -> bool:
    array = _floats(values)
    return array is not None and bool(((array >= 0) & (array < np.inf)).all())


def _are_boxes(values: Sequence[Any]) -> bool:
    if not (set(map(type, values)) <= {list} and set(map(len, values)) <= {4}):
        return False
    array = _floats(list(chain.from_iterable(values)))
    return array is not None and bool((np.abs(array) < LARGEST_PIXEL).all())


def _floats(values: Sequence[Any]) -> NDArray[np.float64] | None:
    """The column as an array; None where it holds something else than numbers."""
    if not set(map(type, values)) <= {int, float}:
        return None
    try:
        return np.array(values, dtype=np.float64)
    except OverflowError:  # an integer beyond the largest float
        return None


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
