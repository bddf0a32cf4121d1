"""Mistaken orders and shifts of ids: which other entry each id may have stood for.

Ids go wrong in few ways: counted from another number, given by place in a list, and the list sorted
otherwise (by name, by the id as text). Each way is a map from what an id says to what it meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from rpc.metrics.suspicions.sample import IntArray

NONE: Final = -1  # an id that would stand for no entry
Meant = tuple[str, IntArray]  # how it is said, and the entry (K,) that each one's id meant

_DIGITS = re.compile(r"(\d+)")


def other_meanings(
    ids: Sequence[int],
    names: Sequence[str],
    shifts: Iterable[int],
    *,
    ids_are: str,
    entries: str,
) -> Iterator[Meant]:
    """Ways in which the ids of K entries may have been mistaken, the plainest first.

    Args:
        ids: of the entries, each once.
        names: of the entries.
        shifts: what to try adding to the ids.
        ids_are: how ids are called, such as `category ids`.
        entries: how entries are called, such as `SKUs`.
    """
    place = {number: entry for entry, number in enumerate(ids)}
    seen = {tuple(range(len(ids)))}  # as given
    tried = [
        (
            f"{ids_are} that are {abs(shift):,} too {'low' if shift > 0 else 'high'}",
            np.array([place.get(number + shift, NONE) for number in ids], dtype=np.int64),
        )
        for shift in dict.fromkeys(shifts)
    ]
    tried += list(_by_place(ids, names, ids_are, entries))
    for said, meant in tried:
        key = tuple(meant.tolist())
        if key not in seen and (meant != NONE).any():
            seen.add(key)
            yield said, meant


def _by_place(
    ids: Sequence[int], names: Sequence[str], ids_are: str, entries: str
) -> Iterator[Meant]:
    """Places in lists of several orders, counted from 0 or 1, or among the ids themselves."""
    number = np.asarray(ids, dtype=np.int64)
    ranks = np.argsort(np.argsort(number, kind="stable"), kind="stable")
    counted = {
        "counted from 0": number,
        "counted from 1": number - 1,
        "turned into ids": ranks,
        "turned into ids one place too late": ranks - 1,
        "turned into ids one place too early": ranks + 1,
    }
    for said, order in _orders(ids, names).items():
        for how, at in counted.items():
            inside = (at >= 0) & (at < len(order))
            meant = np.where(inside, order[at.clip(0, len(order) - 1)], NONE)
            yield f"{ids_are} that are places in the list of {entries} {said}, {how}", meant


def _orders(ids: Sequence[int], names: Sequence[str]) -> Mapping[str, IntArray]:
    def order(key: Sequence[object]) -> IntArray:
        return np.array(sorted(range(len(ids)), key=key.__getitem__), dtype=np.int64)  # type: ignore[arg-type]

    return {
        "by id": order(list(ids)),
        "as the file has it": np.arange(len(ids)),
        "by name": order(list(names)),
        "by name, capitals alike": order([name.casefold() for name in names]),
        "by name with its numbers": order([_natural(name) for name in names]),
        "by the id as text": order([str(number) for number in ids]),
        "by falling id": order([-number for number in ids]),
    }


def _natural(name: str) -> list[tuple[int, int, str]]:
    parts = _DIGITS.split(name.casefold())
    return [(1, int(part[:18]), "") if part.isdecimal() else (0, 0, part) for part in parts]
