"""The entries of one list of a COCO/RPC JSON, checked column by column."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rpc.data.by_kind import Problem
from rpc.data.coco_forms import Id, IdNumbers, as_id

LARGEST_PIXEL = 1e9  # beyond it float arithmetic on boxes is no longer exact

Sound = Callable[[Sequence[Any]], bool]
Read = Callable[[Any], Any]


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
        self.notes: list[Problem] = []
        self.dropped: set[Id | None] = set()  # ids of entries that were left out
        self.ids: IdNumbers | None = None  # of the entries; None where all ids are plain
        self._kind = kind
        self._file = file

    def drop(self, bad: Sequence[int], what: Callable[[int], str]) -> NDArray[np.bool_]:
        """Leave out the rows `bad` with the message `what(row)`; returns which rows stay (N,)."""
        stay = np.ones(len(self.entries), dtype=bool)
        if len(bad):
            entries = (self.entries[row] for row in bad)
            self.dropped |= {as_id(e.get("id")) for e in entries if isinstance(e, dict)} - {None}
            self.problems += [Problem(self._where(row), what(row)) for row in bad]
            stay[np.asarray(bad)] = False
            self.entries = [entry for entry, keep in zip(self.entries, stay, strict=True) if keep]
        return stay

    def require(
        self,
        name: str,
        valid: Callable[[Any], bool],
        expected: str,
        sound: Sound | None = None,
        read: Read | None = None,
    ) -> None:
        """Leave out entries without the field `name`, or with a value that is not `valid`.

        Args:
            name: of the field.
            valid: whether one value is.
            expected: for the message.
            sound: whether a whole column is valid; quicker than looking at each value.
            read: the value that is meant by one in another form; None where it means nothing.
        """
        self.drop(
            [row for row, entry in enumerate(self.entries) if name not in entry],
            lambda row: f"the field '{name}' is missing; expected {expected}",
        )
        if sound is not None and sound(self.column(name)):
            return
        if read is not None:
            self.understand(name, valid, read)
        self.drop(
            [row for row, entry in enumerate(self.entries) if not valid(entry[name])],
            lambda row: f"{name}: expected {expected}, got {short(self.entries[row][name])}",
        )

    def allow(
        self,
        name: str,
        valid: Callable[[Any], bool],
        expected: str,
        sound: Sound | None = None,
        read: Read | None = None,
    ) -> None:
        """`require` of a field that may be missing or null."""
        there = [row for row, entry in enumerate(self.entries) if entry.get(name) is not None]
        if sound is not None and sound([self.entries[row][name] for row in there]):
            return
        if read is not None:
            self.understand(name, valid, read)
        self.drop(
            [row for row in there if not valid(self.entries[row][name])],
            lambda row: f"{name}: expected {expected}, got {short(self.entries[row][name])}",
        )

    def column(self, name: str) -> list[Any]:
        """The field of every entry; all must have it."""
        return list(map(itemgetter(name), self.entries))

    def require_objects(self) -> None:
        """Leave out entries that are no JSON objects."""
        self.drop(
            [row for row, entry in enumerate(self.entries) if not isinstance(entry, dict)],
            lambda row: f"expected an object {{...}}, got {short(self.entries[row])}",
        )

    def note(self, what: str) -> None:
        """Tell something that does no harm."""
        self.notes.append(Problem(self._file, what))

    def understand(self, name: str, valid: Callable[[Any], bool], read: Read) -> None:
        """Replace values of a field that are not `valid` by what `read` makes of them; told."""
        changed = []
        for row, entry in enumerate(self.entries):
            raw = entry.get(name)
            if raw is not None and not valid(raw) and (value := read(raw)) is not None:
                self.entries[row] = {**entry, name: value}
                changed.append((raw, value))
        if changed:
            raw, value = changed[0]
            self.note(
                f"{name} of {len(changed):,} {self._kind}s is written in another form, such as "
                f"{short(raw)}: read as {short(value)}"
            )

    def require_unique_ids(self, numbered: bool = False) -> None:
        """Leave out entries whose `id` an earlier entry has, or that is none.

        Args:
            numbered: give entries without an id a free one, as nothing refers to an annotation's.
        """
        ids = [entry.get("id") for entry in self.entries]
        if not are_ints(ids):
            self.ids = IdNumbers(ids)
            if numbered:
                self._number([row for row, one in enumerate(ids) if one is None], self.ids)
            self.understand("id", is_int, self.ids.of)
        self.require("id", is_int, "an integer", are_ints)
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

    def leave_out_those_of(
        self, name: str, dropped: Collection[Id | None], ids: IdNumbers | None
    ) -> None:
        """Leave out entries that refer to one that was left out, which has been told."""
        if dropped:
            meant = as_id if ids is None else ids.of
            self.entries = [e for e in self.entries if meant(e.get(name)) not in dropped]

    def require_known(
        self, name: str, known: Collection[int], expected: str, ids: IdNumbers | None
    ) -> None:
        """Leave out entries whose field `name` is not in `known`.

        Args:
            name: of the field.
            known: numbers of what it may refer to.
            expected: for the message.
            ids: by which the file's own ids become those numbers; None where they are plain.
        """
        raw = [entry.get(name) for entry in self.entries]
        if ids is not None or not are_ints(raw):
            self.require(name, lambda value: value is not None, "an id")
            numbers = IdNumbers(known) if ids is None else ids
            raw = self.column(name)
            self.drop(
                [row for row, one in enumerate(raw) if numbers.of(one) is None],
                lambda row: f"{name} {short(raw[row])}: {expected}",
            )
            self.understand(name, lambda one: is_int(one) and numbers.of(one) == one, numbers.of)
            raw = self.column(name)
        if set(raw) <= set(known):
            return
        self.drop(
            [row for row, entry in enumerate(self.entries) if entry[name] not in known],
            lambda row: f"{name} {short(self.entries[row][name])}: {expected}",
        )

    def _number(self, rows: Sequence[int], numbers: IdNumbers) -> None:
        """Ids for the entries that have none, from behind all others."""
        first = max(*numbers.numbers, *numbers.texts.values(), 0, 0) + 1
        for number, row in enumerate(rows, start=first):
            self.entries[row] = {**self.entries[row], "id": number}
        if rows:
            self.note(f"{len(rows):,} {self._kind}s have no id: numbered from {first}")

    def _where(self, row: int) -> str:
        entry = self.entries[row]
        number = entry.get("id") if isinstance(entry, dict) else None
        name = f"{number!r:.40}" if number is not None else f"at place {row}"
        return f"{self._file}: {self._kind} {name}"


def is_int(value: Any) -> bool:
    """Whether a value is a plain integer."""
    return type(value) is int


def is_size(value: Any) -> bool:
    """Whether a value is pixels of a side."""
    return type(value) is int and 0 < value < 2**31


def is_number(value: Any) -> bool:
    """Whether a value is a finite number >= 0."""
    return type(value) in (int, float) and 0 <= value < math.inf


def is_box(value: Any) -> bool:
    """Whether a value is a list of four finite numbers."""
    return (
        isinstance(value, list)
        and len(value) == 4
        and all(type(n) in (int, float) and -LARGEST_PIXEL < n < LARGEST_PIXEL for n in value)
    )


# The same for a whole column at a time.


def are_ints(values: Sequence[Any]) -> bool:
    """Whether all of a column are plain integers."""
    return set(map(type, values)) <= {int}


def are_numbers(values: Sequence[Any]) -> bool:
    """Whether all of a column are finite numbers >= 0."""
    array = _floats(values)
    return array is not None and bool(((array >= 0) & (array < np.inf)).all())


def are_boxes(values: Sequence[Any]) -> bool:
    """Whether all of a column are lists of four finite numbers."""
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


def short(value: Any) -> str:
    """A value for a message."""
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
