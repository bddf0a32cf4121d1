"""The SKUs of a data set: the only place where category ids and labels meet.

`category_id` is the file's id: from 1 in RPC, gaps allowed. `label` is the 0-based index by
ascending category id: the row of a classifier, the column of a count matrix.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rpc.data.files import DataError

_FIELDS = ("id", "name", "supercategory", "family", "title")


@dataclass(frozen=True)
class Category:
    """One SKU.

    Attributes:
        id: the file's category id.
        name: unique in its data set, such as `1_puffed_food`.
        supercategory: the class of goods, as the file says it. RPC's are not ranges of ids.
        family: look-alikes that are easily confused share it.
        title: the name for people.
        extra: other fields of the file, kept and written back.
    """

    id: int
    name: str
    supercategory: str = ""
    family: str = ""
    title: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        if type(self.id) is not int or self.id < 0:
            raise DataError(f"category id: expected an integer >= 0, got {self.id!r:.80}")
        if not isinstance(self.name, str) or not self.name.strip():
            raise DataError(f"category {self.id}: expected a name, got {self.name!r:.80}")

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Category:
        """Category of a COCO entry; `supercategory`, `family`, `title` may be missing.

        The name is read in NFC, so that an accent written in two ways is one.

        Raises:
            DataError: no id or no name, or one of a wrong kind.
        """
        if not isinstance(fields, Mapping):
            raise DataError(f"category: expected an object, got {fields!r:.80}")
        for name in ("id", "name"):
            if name not in fields:
                raise DataError(f"category {dict(fields)!r:.80}: the field '{name}' is missing")
        texts = {name: str(fields.get(name) or "") for name in _FIELDS[2:]}
        extra = {key: value for key, value in fields.items() if key not in _FIELDS}
        name = fields["name"]
        if isinstance(name, str):  # a Mac's "é" is two signs: equal names must compare equal
            name = unicodedata.normalize("NFC", name)
        return cls(id=fields["id"], name=name, extra=extra, **texts)

    def to_dict(self) -> dict[str, Any]:
        """The COCO entry: `id`, `name` and what else is known."""
        known = {name: getattr(self, name) for name in _FIELDS}
        return {key: value for key, value in known.items() if value != ""} | dict(self.extra)


class Taxonomy:
    """K SKUs in ascending order of category id.

    Raises:
        DataError: no category at all, or an id or a name twice.
    """

    def __init__(self, categories: Iterable[Category]) -> None:
        self.categories: tuple[Category, ...] = tuple(sorted(categories, key=lambda c: c.id))
        if not self.categories:
            raise DataError("categories: expected at least one, got none")
        self._labels = {c.id: label for label, c in enumerate(self.categories)}
        _refuse_twice("id", [c.id for c in self.categories])
        _refuse_twice("name", [c.name for c in self.categories])

    def __len__(self) -> int:
        return len(self.categories)

    def __contains__(self, category_id: object) -> bool:
        return category_id in self._labels

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Taxonomy) and self.categories == other.categories

    def __hash__(self) -> int:
        return hash(self.categories)

    def __repr__(self) -> str:
        return f"Taxonomy({len(self)} SKUs: {', '.join(self.names[:3])}, ...)"

    def label(self, category_id: int) -> int:
        """0-based label of a category id.

        Raises:
            DataError: no SKU has this id.
        """
        try:
            return self._labels[category_id]
        except (KeyError, TypeError):
            raise DataError(
                f"category_id {category_id!r:.80} is not among the {len(self)} categories "
                f"(ids {self.categories[0].id} to {self.categories[-1].id})"
            ) from None

    def labels(self, category_ids: Iterable[int]) -> NDArray[np.int64]:
        """Labels (N,) of N category ids.

        Raises:
            DataError: no SKU has one of these ids.
        """
        wanted = list(category_ids)
        try:
            return np.array([self._labels[number] for number in wanted], dtype=np.int64)
        except (KeyError, TypeError):
            return np.array([self.label(number) for number in wanted], dtype=np.int64)  # says which

    def category(self, label: int) -> Category:
        """The SKU of a 0-based label.

        Raises:
            DataError: the label is not in 0 .. K-1.
        """
        if not 0 <= label < len(self):
            raise DataError(f"label {label}: expected 0 to {len(self) - 1}")
        return self.categories[label]

    def category_id(self, label: int) -> int:
        """The file's id of a 0-based label.

        Raises:
            DataError: the label is not in 0 .. K-1.
        """
        return self.category(label).id

    @property
    def ids(self) -> tuple[int, ...]:
        """Category ids by label."""
        return tuple(c.id for c in self.categories)

    @property
    def names(self) -> tuple[str, ...]:
        """SKU names by label."""
        return tuple(c.name for c in self.categories)

    def by_name(self, name: str) -> Category:
        """The SKU of this name.

        Raises:
            DataError: no SKU has this name.
        """
        wanted = unicodedata.normalize("NFC", name)
        for category in self.categories:
            if category.name == wanted:
                return category
        raise DataError(f"SKU {name!r:.80} is not among the {len(self)} categories")

    def to_list(self) -> list[dict[str, Any]]:
        """COCO's `categories`: plain dicts, for JSON and for a checkpoint."""
        return [category.to_dict() for category in self.categories]

    @classmethod
    def from_list(cls, entries: Iterable[Mapping[str, Any]]) -> Taxonomy:
        """Taxonomy of COCO's `categories`.

        Raises:
            DataError: an entry lacks a field, or an id or a name is there twice.
        """
        return cls([Category.from_dict(entry) for entry in entries])

    def difference(self, other: Taxonomy) -> str:
        """How `other` differs in ids and names, in half a line; empty where both agree."""
        if len(self) != len(other):
            return f"{len(self)} SKUs against {len(other)}"
        for mine, theirs in zip(self.categories, other.categories, strict=True):
            if (mine.id, mine.name) != (theirs.id, theirs.name):
                return f"SKU {mine.id} {mine.name!r:.60} against {theirs.id} {theirs.name!r:.60}"
        return ""


def _refuse_twice(what: str, values: list[Any]) -> None:
    seen = set()
    for value in values:
        if value in seen:
            raise DataError(f"categories: the {what} {value!r:.80} is there twice; make it unique")
        seen.add(value)
