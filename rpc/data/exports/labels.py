"""An export in memory: photos with their labelled items, whatever tool wrote them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from rpc.data.by_kind import Problem
from rpc.data.exports.kinds import Notes
from rpc.data.records import Box
from rpc.data.shown_names import title_of

Unit = Literal["pixels", "fractions"]

_SPLIT_WORDS: Final = {
    "train": "train", "training": "train", "trainval": "train", "exemplars": "train",
    "val": "val", "valid": "val", "validation": "val", "dev": "val",
    "test": "test", "testing": "test",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Item:
    """One labelled item.

    Attributes:
        sku: name of its class.
        box: x1, y1, x2, y2 in the unit of its photo.
        extra: fields that the store keeps (`point_xy`, `visible`, ...).
    """

    sku: str
    box: Box
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class LabelledPhoto:
    """One photo of an export.

    Attributes:
        where: the entry, for messages.
        name: of the photo, as the export writes it.
        split: `train`, `val`, `test`, another name of the export's, or empty.
        file: the photo; None where it is inside `embedded_in`.
        items: what can be taken; in `pixels` or `fractions` of the photo's sides.
        size: width and height as the export says them; None where it does not.
        unit: of the items' boxes.
        lost: why items could not be taken; such a photo is left out.
        embedded_in: a labelme file that holds the photo itself.
        extra: fields of the image that the store keeps (`level`, `camera`, ...).
    """

    where: str
    name: str
    split: str
    file: Path | None
    items: tuple[Item, ...]
    size: tuple[int, int] | None = None
    unit: Unit = "pixels"
    lost: tuple[Problem, ...] = ()
    embedded_in: Path | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Export:
    """All of an export.

    Attributes:
        layout: its name, such as `Roboflow COCO`.
        root: its folder.
        files: the label files that were read.
        photos: in the order of the label files.
        classes: names in the order of the export, with the fields that the store keeps.
        notes: findings while reading.
    """

    layout: str
    root: Path
    files: tuple[Path, ...]
    photos: tuple[LabelledPhoto, ...]
    classes: Mapping[str, Mapping[str, Any]]
    notes: Notes


def clean_name(value: object) -> str:
    """A class name as text: composed Unicode, nothing that steers a terminal, no space around.

    Empty where there is none. Halves of surrogate pairs, which JSON can hold and no file, are
    written out.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return title_of(str(value).encode("utf-8", "backslashreplace").decode("utf-8"))


def split_of(*names: str) -> str:
    """The split that the first telling name says: `valid`, `instances_val2017`; empty if none."""
    for name in names:
        for word in re.split(r"[^a-z]+", name.lower()):
            if word in _SPLIT_WORDS:
                return _SPLIT_WORDS[word]
    return ""


def split_of_path(path: Path, root: Path) -> str:
    """The split that a path's folders below the root say, the innermost first."""
    return split_of(*reversed(path.relative_to(root).parts[:-1]))


def whole_number(value: object) -> int | None:
    """A whole number, also where it is written as `3.0` or `"3"`; None for anything else."""
    if isinstance(value, str) and re.fullmatch(r"\s*\d{1,15}\s*", value):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if value == value // 1 and abs(value) < 2**53 else None


def pixels(value: object) -> int:
    """A photo's side that an export says; 0 where it says none that can be."""
    number = whole_number(value)
    return number if number is not None and 0 < number < 2**31 else 0


def claimed_size(width: object, height: object) -> tuple[int, int] | None:
    """Width and height; None where one of them is not said."""
    size = pixels(width), pixels(height)
    return size if all(size) else None
