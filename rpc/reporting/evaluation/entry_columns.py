"""The entries of a COCO results list as columns, checked: what is wrong is named by its entry."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from rpc.data import DataError
from rpc.structures.boxes import FloatArray

FIELDS = ("image_id", "category_id", "bbox", "score")
ITEM_SCORE = "item_score"  # a file has it in all entries or in none


class UnknownIdError(DataError):
    """An entry is about an image or SKU that the data set does not have."""


class EntryColumns:
    """Some entries, checked column by column: a loop over each value only where one is wrong.

    Args:
        entries: what the file has; anything.
        first: place of the first one in the file.
        where: the file, for messages.

    Raises:
        DataError: an entry is no object or lacks a field.
    """

    def __init__(self, entries: Sequence[Any], first: int, where: str) -> None:
        self._first, self._where = first, where
        try:
            self._columns = {name: [entry[name] for entry in entries] for name in FIELDS}
            self._columns[ITEM_SCORE] = [entry.get(ITEM_SCORE) for entry in entries]
        except (KeyError, TypeError, IndexError):
            self._refuse_incomplete(entries)

    def places(
        self,
        name: str,
        known: Mapping[int, int],
        problem: str,
        understand: Callable[[object], int | None],
    ) -> NDArray[np.int64]:
        """The places (M,) of the ids `name`.

        Args:
            name: of the field.
            known: places by plain id.
            problem: what to say of an id that has no place.
            understand: the place of an id in another form; None where it has none.
        """
        ids = self._columns[name]
        if set(map(type, ids)) <= {int} and known.keys() >= set(ids):
            return np.array([known[value] for value in ids], dtype=np.int64)
        places = [understand(value) for value in ids]
        if None in places:
            number = places.index(None)
            raise UnknownIdError(f"{self._entry(number)}: {name} {ids[number]!r:.40} {problem}")
        return np.array(places, dtype=np.int64)

    def boxes(self) -> FloatArray:
        """Boxes (M, 4) x, y, width, height in pixels."""
        values = self._columns["bbox"]
        self._require("bbox", _is_box, "[x, y, width, height] in pixels", _are_boxes)
        boxes = np.array(list(chain.from_iterable(values)), dtype=np.float64).reshape(-1, 4)
        good = np.asarray(np.isfinite(boxes).all(axis=1) & (boxes[:, 2:] >= 0).all(axis=1))
        expected = "finite numbers [x, y, width, height], width and height >= 0"
        self._require_good("bbox", good, expected)
        return boxes

    def scores(self) -> FloatArray:
        """Scores (M,)."""
        return self._fractions("score")

    def item_scores(self, in_file: bool | None) -> FloatArray | None:
        """Item scores (M,); None where no entry has one.

        Args:
            in_file: whether the entries before these have them; None where there are none before.
        """
        there = np.array([value is not None for value in self._columns[ITEM_SCORE]], np.bool_)
        wanted = bool(there[:1].all()) if in_file is None else in_file
        if (there != wanted).any():
            number = int(np.flatnonzero(there != wanted)[0])
            raise DataError(
                f"{self._entry(number)}: {ITEM_SCORE} is {'missing' if wanted else 'there'}, and "
                f"the entries before {'have' if wanted else 'lack'} it; expected it in all or none"
            )
        return self._fractions(ITEM_SCORE) if wanted else None

    def _fractions(self, name: str) -> FloatArray:
        expected = "a number 0 to 1"
        self._require(name, _is_number, expected, _are_numbers)
        values = np.array(self._columns[name], dtype=np.float64)
        good = (values >= 0) & (values <= 1)  # false for NaN
        self._require_good(name, good, f"{expected}{_scale_of(values)}")
        return values

    def _require(
        self,
        name: str,
        valid: Callable[[Any], bool],
        expected: str,
        sound: Callable[[Sequence[Any]], bool],
    ) -> None:
        values = self._columns[name]
        if not sound(values):
            good = np.array([valid(value) for value in values], dtype=np.bool_)
            self._require_good(name, good, expected)

    def _require_good(self, name: str, good: NDArray[np.bool_], expected: str) -> None:
        if not good.all():
            number = int(np.flatnonzero(~good)[0])
            value = self._columns[name][number]
            raise DataError(
                f"{self._entry(number)}: {name}: expected {expected}, got {value!r:.80}"
            )

    def _refuse_incomplete(self, entries: Sequence[Any]) -> NoReturn:
        for number, entry in enumerate(entries):
            if not isinstance(entry, Mapping):
                raise DataError(f"{self._entry(number)}: expected an object, got {entry!r:.60}")
            for name in FIELDS:
                if name not in entry:
                    raise DataError(
                        f"{self._entry(number)}: the field '{name}' is missing; "
                        f"expected {', '.join(FIELDS)}"
                    )
        raise AssertionError("an entry could not be read, and each has its fields")

    def _entry(self, number: int) -> str:
        return f"{self._where}: entry {self._first + number}"


def _scale_of(scores: FloatArray) -> str:
    """Half a sentence on what scores outside 0 to 1 may be; empty where it is not plain."""
    known = scores[np.isfinite(scores)]
    if not len(known) or ((known < 0) | (known > 1)).mean() < 0.1:
        return ""
    low, high = float(known.min()), float(known.max())
    seen = f" (here they go from {low:.4g} to {high:.4g}"
    if low < 0:
        return f"{seen}, as logits do: write 1 / (1 + exp(-score)))"
    for most, what in ((100, "percent"), (255, "a byte"), (1000, "per mille")):
        if high <= most and np.median(known) > most / 100:
            return f"{seen}, as {what}: divide by {most})"
    return ""


def _is_number(value: object) -> bool:
    # Whole numbers beyond the range of a float would overflow later on.
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return isinstance(value, float) or abs(value) < 10**15


def _is_box(value: object) -> bool:
    return isinstance(value, list | tuple) and len(value) == 4 and all(map(_is_number, value))


# The same for a whole column, quicker. Where they say False, each value is looked at.


def _are_numbers(values: Sequence[Any]) -> bool:
    return set(map(type, values)) <= {float} or (
        set(map(type, values)) <= {float, int} and -(10**15) < min(values) <= max(values) < 10**15
    )


def _are_boxes(values: Sequence[Any]) -> bool:
    shaped = set(map(type, values)) <= {list, tuple} and set(map(len, values)) <= {4}
    return shaped and _are_numbers(list(chain.from_iterable(values)))
