"""labelme's JSON, one a photo: rectangles, polygons, circles, and photos inside the JSON."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from rpc.data.by_kind import Problem
from rpc.data.exports.found import ExportFiles
from rpc.data.exports.kinds import (
    BAD_FILE,
    BAD_ITEM,
    EMBEDDED,
    GROUPED,
    NO_CLASS,
    NOT_AN_ITEM,
    POLYGON,
    Notes,
)
from rpc.data.exports.labels import (
    Export,
    Item,
    LabelledPhoto,
    claimed_size,
    clean_name,
    split_of_path,
)
from rpc.data.exports.photo_index import Place
from rpc.data.exports.shapes import box_around, joined, number
from rpc.data.exports.sniff import LABELME
from rpc.data.files import DataError, read_json
from rpc.data.records import Box

_NO_ITEMS: Final = frozenset({"point", "points", "line", "linestrip"})


def read_labelme(files: ExportFiles) -> Export:
    """All labelme files of an export."""
    notes = Notes()
    photos = []
    for file in files.labels[LABELME]:
        name = files.name(file.path)
        try:
            value = read_json(file.path)
        except DataError as error:
            notes.left_out.append(BAD_FILE.at(name, str(error).removeprefix(f"{file.path}: ")))
            continue
        if not isinstance(value.get("shapes"), list):
            notes.left_out.append(BAD_FILE.at(name, "it has no list 'shapes'"))
            continue
        photos.append(_photo(files, file.path, value, notes))
    names = dict.fromkeys(item.sku for photo in photos for item in photo.items)
    return Export(
        layout="labelme",
        root=files.root,
        files=tuple(file.path for file in files.labels[LABELME]),
        photos=tuple(photos),
        classes={name: {} for name in names},
        notes=notes,
    )


def embedded_photo(path: Path) -> bytes:
    """The bytes of the photo that a labelme file holds.

    Raises:
        DataError: it holds none, or not as base64.
    """
    data = read_json(path).get("imageData")
    if not isinstance(data, str) or not data:
        raise DataError(f"{path}: holds no imageData")
    try:
        return base64.b64decode(data, validate=False)
    except (binascii.Error, ValueError) as error:
        raise DataError(f"{path}: imageData: not base64: {error}") from error


def _photo(files: ExportFiles, path: Path, value: Mapping[str, Any], notes: Notes) -> LabelledPhoto:
    where = files.name(path)
    split = split_of_path(path, files.root)
    place = files.index.find(value.get("imagePath"), [path.parent], split)
    beside = files.index.by_stem(path.stem, path.parent)
    if place.file is None and beside is not None:
        place = Place(beside)
    is_embedded = place.file is None and bool(value.get("imageData"))
    lost: list[Problem] = []
    if is_embedded:
        notes.changed.append(EMBEDDED.at(where))
    else:
        place.tell(where, lost, notes)
    named = value.get("imagePath")
    return LabelledPhoto(
        where=where,
        name=named if isinstance(named, str) and not is_embedded else f"{path.stem}.jpg",
        split=split,
        file=place.file,
        items=tuple(_items(value["shapes"], where, lost, notes)),
        size=claimed_size(value.get("imageWidth"), value.get("imageHeight")),
        lost=tuple(lost),
        embedded_in=path if is_embedded else None,
    )


def _items(shapes: Sequence[Any], where: str, lost: list[Problem], notes: Notes) -> list[Item]:
    """One item a shape; shapes of one group and label are parts of one item."""
    groups: dict[object, list[Item]] = {}
    for place, shape in enumerate(shapes):
        if not isinstance(shape, dict):
            lost.append(BAD_ITEM.at(where, f"a shape {shape!r:.40}"))
            continue
        kind = str(shape.get("shape_type") or "polygon")
        if kind in _NO_ITEMS:
            notes.left_out.append(NOT_AN_ITEM.at(where, kind))
            continue
        sku = clean_name(shape.get("label"))
        if not sku:
            lost.append(NO_CLASS.at(where))
            continue
        try:
            box = _box(kind, shape["points"])
        except (ValueError, KeyError, TypeError) as error:
            lost.append(BAD_ITEM.at(where, f"{kind} {sku}: {error}"))
            continue
        if kind != "rectangle":
            notes.changed.append(POLYGON.at(where, kind))
        group = shape.get("group_id")
        key = place if group is None else (str(group), sku)
        groups.setdefault(key, []).append(Item(sku, box))
    for parts in groups.values():
        if len(parts) > 1:
            notes.changed.append(GROUPED.at(where, f"{len(parts)} shapes of {parts[0].sku}"))
    return [Item(parts[0].sku, joined([p.box for p in parts])) for parts in groups.values()]


def _box(kind: str, points: Sequence[Sequence[object]]) -> Box:
    if kind != "circle":
        if len(points) < 2:
            raise ValueError(f"expected two points or more, got {len(points)}")
        return box_around(points)
    (x, y), (edge_x, edge_y) = ((number(a), number(b)) for a, b in points)
    radius = ((x - edge_x) ** 2 + (y - edge_y) ** 2) ** 0.5
    return x - radius, y - radius, x + radius, y + radius
