"""CVAT's own XML, `CVAT for images 1.1`: boxes (turned or not), polygons, masks, ellipses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final
from xml.etree.ElementTree import Element

from rpc.data.by_kind import Problem
from rpc.data.exports.found import ExportFiles, LabelFile
from rpc.data.exports.kinds import BAD_ITEM, NO_CLASS, NOT_AN_ITEM, POLYGON, ROTATED, Notes
from rpc.data.exports.labels import (
    Export,
    Item,
    LabelledPhoto,
    claimed_size,
    clean_name,
    split_of,
    split_of_path,
)
from rpc.data.exports.safe_xml import read_xml
from rpc.data.exports.shapes import box_around, ellipse_box, number, rotated_box
from rpc.data.exports.sniff import CVAT
from rpc.data.records import Box

_NO_ITEMS: Final = frozenset({"tag", "points", "polyline"})


def read_cvat(files: ExportFiles) -> Export:
    """All of CVAT's XML files of an export."""
    notes = Notes()
    classes: dict[str, Mapping[str, Any]] = {}
    photos: list[LabelledPhoto] = []
    for file in files.labels[CVAT]:
        root = read_xml(file.path)
        for label in root.iterfind("./meta//labels/label/name"):
            if name := clean_name(label.text or ""):
                classes.setdefault(name, {})
        photos += [_photo(files, file, image, notes) for image in root.iterfind("image")]
    return Export(
        layout="CVAT for images",
        root=files.root,
        files=tuple(file.path for file in files.labels[CVAT]),
        photos=tuple(photos),
        classes=classes,
        notes=notes,
    )


def _photo(files: ExportFiles, file: LabelFile, image: Element, notes: Notes) -> LabelledPhoto:
    name = image.get("name", "")
    where = f"{files.name(file.path)}: image {image.get('id', '?')} {name}"
    subset = image.get("subset", "")
    split = split_of(subset) or split_of_path(file.path, files.root) or subset
    place = files.index.find(name, _folders(file.path, subset), split)
    lost: list[Problem] = []
    place.tell(where, lost, notes)
    items: list[Item] = []
    for shape in image:
        if not isinstance(shape.tag, str) or shape.tag in _NO_ITEMS:
            notes.left_out.append(NOT_AN_ITEM.at(where, str(shape.tag)))
            continue
        sku = clean_name(shape.get("label", ""))
        if not sku:
            lost.append(NO_CLASS.at(where))
            continue
        try:
            items.append(Item(sku, _box(shape, where, notes)))
        except (ValueError, KeyError, TypeError) as error:
            lost.append(BAD_ITEM.at(where, f"{shape.tag}: {error}"))
    return LabelledPhoto(
        where=where,
        name=name,
        split=split,
        file=place.file,
        items=tuple(items),
        size=claimed_size(image.get("width"), image.get("height")),
        lost=tuple(lost),
    )


def _folders(path: Path, subset: str) -> list[Path]:
    here = path.parent
    return [here / "images" / subset, here / "images", here / subset, here]


def _box(shape: Element, where: str, notes: Notes) -> Box:
    read = _SHAPES.get(str(shape.tag))
    if read is None:
        raise ValueError("a shape that has no box")
    box = read(shape)
    degrees = number(shape.get("rotation") or 0)
    if shape.tag == "ellipse":
        notes.changed.append(POLYGON.at(where, "an ellipse"))
    elif shape.tag != "box":
        notes.changed.append(POLYGON.at(where, str(shape.tag)))
    elif degrees % 360:
        notes.changed.append(ROTATED.at(where, f"by {degrees:g} degrees"))
        return rotated_box(box, degrees)
    return box


def _values(shape: Element, *names: str) -> list[float]:
    return [number(shape.attrib[name]) for name in names]


def _of_box(shape: Element) -> Box:
    x1, y1, x2, y2 = _values(shape, "xtl", "ytl", "xbr", "ybr")
    return x1, y1, x2, y2


def _of_polygon(shape: Element) -> Box:
    return box_around([pair.split(",") for pair in shape.attrib["points"].split(";") if pair])


def _of_mask(shape: Element) -> Box:
    left, top, width, height = _values(shape, "left", "top", "width", "height")
    return left, top, left + width, top + height


def _of_ellipse(shape: Element) -> Box:
    x, y, rx, ry = _values(shape, "cx", "cy", "rx", "ry")
    return ellipse_box(x, y, rx, ry, number(shape.get("rotation") or 0))


_SHAPES: Final[Mapping[str, Callable[[Element], Box]]] = {
    "box": _of_box,
    "polygon": _of_polygon,
    "mask": _of_mask,
    "ellipse": _of_ellipse,
}
