"""Key points of items, as COCO writes them: named by categories, placed by annotations.

A category names its points (`keypoints: ["logo", ...]`), an annotation of it places them
(`keypoints: [x, y, v, ...]`, v = 2 in sight, 1 hidden, 0 outside the photo or not marked).
Categories may name different points: a bottle's cap is on no carton. A set then has all of them,
each by its name, and an item that lacks one has it out of sight.

Key: P key points.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np

from rpc.data.dataset import Dataset
from rpc.data.entry_checker import LARGEST_PIXEL, short
from rpc.data.files import DataError
from rpc.data.records import Annotation
from rpc.data.taxonomy import Category

Points = tuple[tuple[float, float, float], ...]

_IN_SIGHT: Final = 2


def key_point_names(datasets: Iterable[Dataset]) -> tuple[str, ...]:
    """The names of all P points that any category of any of the data sets has.

    They come in the order in which they are met; empty where no category has points.

    Raises:
        DataError: a category's names are no list of different texts.
    """
    names: dict[str, None] = {}
    for data in datasets:
        for category in data.taxonomy.categories:
            names.update(dict.fromkeys(_names_of(category, data)))
    return tuple(names)


def key_points(data: Dataset, names: Sequence[str]) -> dict[int, Points]:
    """The points of every item by its annotation's id: P times x px, y px, 1 in sight or 0.

    Args:
        data: whose items they are.
        names: P of them, in the order that is wanted; see `key_point_names`.

    Raises:
        DataError: an item's points are not as many as its category names, not finite, or marked by
            something else than 0, 1 or 2.
    """
    places = {name: place for place, name in enumerate(names)}
    rows: dict[int, list[int | None]] = {
        category.id: [places.get(name) for name in _names_of(category, data)]
        for category in data.taxonomy.categories
    }
    found = {}
    for item in data.annotations:
        made = [(0.0, 0.0, 0.0)] * len(names)
        own = rows[item.category_id]
        for place, (x, y, mark) in zip(own, _triples(item, len(own), data), strict=False):
            if place is not None:
                made[place] = (x, y, float(mark == _IN_SIGHT))
        found[item.id] = tuple(made)
    return found


def _names_of(category: Category, data: Dataset) -> tuple[str, ...]:
    names = category.extra.get("keypoints")
    if names is None:
        return ()
    texts = isinstance(names, list) and all(isinstance(n, str) and n.strip() for n in names)
    if not texts or len(set(names)) < len(names):
        raise DataError(
            f"{data.path or 'data set'}: category {category.id}: keypoints: expected a list of "
            f"different names, got {short(names)}; correct the file"
        )
    return tuple(names)


def _triples(item: Annotation, count: int, data: Dataset) -> list[list[float]]:
    """The x, y, v of an item's points; empty where it has none marked."""
    numbers: Any = item.extra.get("keypoints")
    if numbers is None or numbers == []:
        return []
    where = f"{data.path or 'data set'}: annotation {item.id}: keypoints"
    if not isinstance(numbers, list) or len(numbers) != 3 * count:
        got = f"{len(numbers)} numbers" if isinstance(numbers, list) else short(numbers)
        raise DataError(
            f"{where}: expected x, y, v of each of the {count} points that category "
            f"{item.category_id} names, {3 * count} numbers; got {got}; correct the file"
        )
    if not all(type(n) in (int, float) and -LARGEST_PIXEL < n < LARGEST_PIXEL for n in numbers):
        raise DataError(f"{where}: expected finite numbers, got {short(numbers)}; correct the file")
    triples = np.asarray(numbers, np.float64).reshape(-1, 3)
    if not np.isin(triples[:, 2], (0, 1, 2)).all():
        raise DataError(
            f"{where}: expected v of 0 (outside), 1 (hidden) or 2 (in sight), got "
            f"{short(triples[:, 2].tolist())}; correct the file"
        )
    made: list[list[float]] = triples.tolist()
    return made
