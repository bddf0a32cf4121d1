"""The images and SKUs that the entries of a results file mean, however they name them.

Tools write an image's id as 7, 7.0 or "7", as the text that it is in the truth, or as the photo's
file name, with or without folder and suffix; some make a number of that name. A SKU may be named
by its name. What means one image or SKU alone is understood, and counted for the report.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import PureWindowsPath
from typing import TypeVar

from rpc.data import Dataset
from rpc.data.coco_forms import as_id

Key = TypeVar("Key")

# How an entry names what it means, for the note.
BY_FORM = "by its id in another form"
BY_FILE = "by its file name"
BY_NUMBER = "by the number in its file name"
BY_NAME = "by its name"


class EntryNames:
    """Rows of images and labels of SKUs by what entries call them.

    Args:
        dataset: the images and SKUs that the results are about.
        numbered_files: whether whole numbers are those in the file names, not the images' ids:
            a guess for a whole file, never for one of its entries.
    """

    def __init__(self, dataset: Dataset, *, numbered_files: bool = False) -> None:
        self._dataset = dataset
        self._numbered = numbered_files
        self._told: dict[tuple[str, str], tuple[int, object, str]] = {}
        self.images = {image.id: row for row, image in enumerate(dataset.images)}
        self.skus = {number: label for label, number in enumerate(dataset.taxonomy.ids)}
        if numbered_files:
            self.images = {}

    def row(self, raw: object) -> int | None:
        """The row of the image that is meant; None where none or several may be."""
        if self._numbered:
            meant = self._numbers.get(raw) if type(raw) is int else None
            return self._tell("image", BY_NUMBER, raw, meant)
        if type(raw) is int:
            return self.images.get(raw)
        one = as_id(raw)
        number = one if isinstance(one, int) else self._text_id(one)
        by_id = None if number is None else self.images.get(number)
        by_file = self._file(raw) if isinstance(raw, str) else None
        if by_id is not None and by_file is not None and by_id != by_file:
            return None
        if by_id is not None:
            return self._tell("image", BY_FORM, raw, by_id)
        return self._tell("image", BY_FILE, raw, by_file)

    def label(self, raw: object) -> int | None:
        """The label of the SKU that is meant; None where none is."""
        if type(raw) is int:
            return self.skus.get(raw)
        one = as_id(raw)
        number = one if isinstance(one, int) else self._dataset.category_names.get(str(one), -1)
        if one is not None and number in self.skus:
            return self._tell("SKU", BY_FORM, raw, self.skus[number])
        name = unicodedata.normalize("NFC", raw) if isinstance(raw, str) else None
        return self._tell("SKU", BY_NAME, raw, self._names.get(name) if name else None)

    def notes(self, where: str) -> tuple[str, ...]:
        """Lines for the report on what was understood."""
        told = self._order_of_texts(where)
        return told + tuple(
            f"{where}: {count:,} entries name their {what} {how}, such as {raw!r:.80}: {meant}."
            for (what, how), (count, raw, meant) in self._told.items()
        )

    def _order_of_texts(self, where: str) -> tuple[str, ...]:
        """A warning where the truth has texts for ids and the results have numbers."""
        found = []
        for what, texts in (
            ("SKU", self._dataset.category_names),
            ("image", self._dataset.image_names),
        ):
            if texts and (what, BY_FORM) not in self._told and (what, BY_FILE) not in self._told:
                text, number = next(iter(texts.items()))
                found.append(
                    f"{where}: the truth has texts for the ids of its {what}s; the numbers of the "
                    f"results are read in the order of these texts: {number} is {text!r:.80}."
                )
        return tuple(found)

    @property
    def may_be_numbered(self) -> bool:
        """Whether every file name is a number of its own, which results may name images by."""
        return len(self._numbers) == len(self._dataset) > 0

    def _tell(self, what: str, how: str, raw: object, place: int | None) -> int | None:
        if place is None:
            return None
        count, first, meant = self._told.get((what, how), (0, raw, ""))
        if not count:
            meant = (
                f"image {self._dataset.images[place].id}"
                if what == "image"
                else f"category {self._dataset.taxonomy.ids[place]}"
            )
        self._told[what, how] = (count + 1, first, meant)
        return place

    def _text_id(self, one: object) -> int | None:
        return self._dataset.image_names.get(one) if isinstance(one, str) else None

    def _file(self, raw: str) -> int | None:
        """The row of the one image whose file is called so: all of its path, or less of it."""
        path = _path(raw)
        for names, name in zip(self._files, (path.as_posix(), path.name, path.stem), strict=True):
            rows = names.get(name, ())
            if len(rows) == 1:
                return rows[0]
            if rows:
                return None
        return None

    @cached_property
    def _files(self) -> tuple[Mapping[str, list[int]], ...]:
        """Rows by path, by name and by name without suffix."""
        paths = [_path(image.file_name) for image in self._dataset.images]
        stems = _rows((path.stem, row) for row, path in enumerate(paths))
        names = _rows((path.name, row) for row, path in enumerate(paths))
        whole = _rows((path.as_posix(), row) for row, path in enumerate(paths))
        for name, rows in stems.items():  # "a.7" may be the stem of "a.7.jpg"
            names.setdefault(name, rows)
        return whole, names, stems

    @cached_property
    def _numbers(self) -> dict[object, int]:
        """Rows by the number that a file name is; those that two files share left out."""
        numbers = _rows(
            (int(stem), row)
            for row, image in enumerate(self._dataset.images)
            if (stem := _path(image.file_name).stem).isascii() and stem.isdigit() and len(stem) < 19
        )
        return {number: rows[0] for number, rows in numbers.items() if len(rows) == 1}

    @cached_property
    def _names(self) -> dict[str, int]:
        return {
            unicodedata.normalize("NFC", name): label
            for label, name in enumerate(self._dataset.taxonomy.names)
        }


def _path(name: str) -> PureWindowsPath:
    return PureWindowsPath(unicodedata.normalize("NFC", name))


def _rows(pairs: Iterable[tuple[Key, int]]) -> dict[Key, list[int]]:
    found: dict[Key, list[int]] = {}
    for key, row in pairs:
        found.setdefault(key, []).append(row)
    return found
