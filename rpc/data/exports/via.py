"""VIA (VGG Image Annotator 1 and 2): region data as JSON or CSV, and project files."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rpc.data.by_kind import Problem
from rpc.data.exports.found import ExportFiles, LabelFile
from rpc.data.exports.kinds import (
    BAD_FILE,
    BAD_ITEM,
    NO_CLASS,
    NOT_AN_ITEM,
    POLYGON,
    SEVERAL_CLASSES,
    Notes,
)
from rpc.data.exports.labels import Export, Item, LabelledPhoto, clean_name, split_of_path
from rpc.data.exports.shapes import box_around, ellipse_box, number
from rpc.data.exports.sniff import VIA
from rpc.data.exports.tables import read_rows
from rpc.data.files import DataError
from rpc.data.records import Box

_CLASS_KEYS: Final = ("label", "class", "name", "sku", "product", "type", "category", "object")
_NO_ITEMS: Final = frozenset({"point", "line"})


@dataclass(frozen=True)
class _Region:
    shape: Any
    attributes: Any


@dataclass(frozen=True)
class _Photo:
    """One photo of a VIA file; a region that is no object keeps its value as its shape."""

    file: LabelFile
    name: object
    regions: tuple[_Region, ...]


def read_via(files: ExportFiles, class_attribute: str | None = None) -> Export:
    """All VIA files of an export.

    Args:
        files: of the export.
        class_attribute: the region attribute that names the SKU; found where there is one alone,
            or one of a telling name (`label`, `class`, ...).

    Raises:
        DataError: the attribute is not told apart, or no region has it.
    """
    notes = Notes()
    photos = [photo for file in files.labels[VIA] for photo in _photos(files, file, notes)]
    key = class_attribute or _class_key(files, photos)
    made = [_labelled(files, photo, key, notes) for photo in photos]
    names = dict.fromkeys(item.sku for photo in made for item in photo.items)
    return Export(
        layout="VIA",
        root=files.root,
        files=tuple(file.path for file in files.labels[VIA]),
        photos=tuple(made),
        classes={name: {} for name in names},
        notes=notes,
    )


def _photos(files: ExportFiles, file: LabelFile, notes: Notes) -> Iterator[_Photo]:
    if file.path.suffix.lower() == ".csv":
        yield from _of_csv(files, file, notes)
        return
    entries = file.value.get("_via_img_metadata", file.value)
    for key, entry in entries.items():
        if not isinstance(entry, dict):
            notes.left_out.append(BAD_FILE.at(f"{files.name(file.path)}: {key:.80}", "no object"))
            continue
        regions = entry.get("regions")
        values = list(regions.values()) if isinstance(regions, dict) else regions
        if not isinstance(values, list):
            values = [f"regions: {values!r:.40}"] if values else []
        yield _Photo(file, entry.get("filename"), tuple(map(_region, values)))


def _region(value: Any) -> _Region:
    if not isinstance(value, dict):
        return _Region(value, {})
    return _Region(value.get("shape_attributes"), value.get("region_attributes"))


def _of_csv(files: ExportFiles, file: LabelFile, notes: Notes) -> Iterator[_Photo]:
    """The rows of a CSV, which has one a region, as photos."""
    gathered: dict[str, list[_Region]] = {}
    for line, row in read_rows(file.path):
        regions = gathered.setdefault(row.get("filename", ""), [])
        try:
            shape = json.loads(row.get("region_shape_attributes") or "{}")
            attributes = json.loads(row.get("region_attributes") or "{}")
        except (ValueError, RecursionError) as error:
            regions.append(_Region(f"line {line}: {error}", {}))
            continue
        if shape:  # a photo without regions has a row of its own
            regions.append(_Region(shape, attributes))
    for name, found in gathered.items():
        yield _Photo(file, name, tuple(found))


def _class_key(files: ExportFiles, photos: Sequence[_Photo]) -> str:
    """The region attribute that names the class."""
    used: Counter[str] = Counter(
        key
        for photo in photos
        for region in photo.regions
        if isinstance(region.attributes, dict)
        for key, value in region.attributes.items()
        if value not in ("", None, {}, "undefined")
    )
    if len(used) < 2:
        return next(iter(used), "")
    telling = [key for key in used if key.strip().lower() in _CLASS_KEYS]
    if len(telling) == 1:
        return str(telling[0])
    listed = ", ".join(f"{key!r:.40} ({times} regions)" for key, times in used.most_common(8))
    raise DataError(
        f"{files.root}: the VIA regions have several attributes: {listed}; say which one names the "
        "product with --class-attribute"
    )


def _labelled(files: ExportFiles, photo: _Photo, key: str, notes: Notes) -> LabelledPhoto:
    path = photo.file.path
    where = f"{files.name(path)}: {photo.name!r:.120}"
    split = split_of_path(path, files.root)
    folders = [path.parent, path.parent / "images"]
    place = files.index.find(photo.name, folders, split)
    lost: list[Problem] = []
    place.tell(where, lost, notes)
    items: list[Item] = []
    for region in photo.regions:
        _take(region, key, where, items, lost, notes)
    return LabelledPhoto(
        where=where,
        name=str(photo.name or ""),
        split=split,
        file=place.file,
        items=tuple(items),
        lost=tuple(lost),
    )


def _take(
    region: _Region, key: str, where: str, items: list[Item], lost: list[Problem], notes: Notes
) -> None:
    shape = region.shape
    if not isinstance(shape, dict):
        lost.append(BAD_ITEM.at(where, f"a region {shape!r:.80}"))
        return
    kind = str(shape.get("name"))
    if kind in _NO_ITEMS:
        notes.left_out.append(NOT_AN_ITEM.at(where, kind))
        return
    names = _class_names(region.attributes, key)
    if len(names) != 1:
        lost.append((SEVERAL_CLASSES if names else NO_CLASS).at(where, ", ".join(names)))
        return
    try:
        items.append(Item(names[0], _box(kind, shape)))
    except (ValueError, KeyError, TypeError) as error:
        lost.append(BAD_ITEM.at(where, f"{kind}: {error}"))
        return
    if kind != "rect":
        notes.changed.append(POLYGON.at(where, kind))


def _class_names(attributes: object, key: str) -> list[str]:
    """The class of a region: a text, or the ticked ones of several boxes."""
    value = attributes.get(key) if isinstance(attributes, dict) else None
    if isinstance(value, dict):
        return [name for one, ticked in value.items() if ticked and (name := clean_name(one))]
    name = clean_name(value)
    return [name] if name and name != "undefined" else []


def _box(kind: str, shape: Mapping[str, Any]) -> Box:
    if kind == "rect":
        x, y = number(shape["x"]), number(shape["y"])
        return x, y, x + number(shape["width"]), y + number(shape["height"])
    if kind in ("polygon", "polyline"):
        return box_around(zip(shape["all_points_x"], shape["all_points_y"], strict=True))
    x, y = number(shape["cx"]), number(shape["cy"])
    if kind == "circle":
        radius = number(shape["r"])
        return x - radius, y - radius, x + radius, y + radius
    if kind == "ellipse":
        theta = number(shape.get("theta") or 0) * 57.29577951308232  # radians
        return ellipse_box(x, y, number(shape["rx"]), number(shape["ry"]), theta)
    raise ValueError("a shape that is not known")
