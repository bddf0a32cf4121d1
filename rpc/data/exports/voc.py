"""Pascal VOC's XML, one a photo: `Annotations/` and `JPEGImages/`, or beside the photos.

Pixels are taken as they are written. VOC's own devkit counts them from 1, labelImg, CVAT and
Roboflow from 0: a box may lie one pixel off.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final
from xml.etree.ElementTree import Element

from rpc.data.by_kind import Problem
from rpc.data.exports.found import ExportFiles
from rpc.data.exports.kinds import (
    BAD_FILE,
    BAD_ITEM,
    NO_CLASS,
    OTHER_NAME,
    POLYGON,
    ROTATED,
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
from rpc.data.exports.safe_xml import read_xml
from rpc.data.exports.shapes import box_around, number, rotated_box
from rpc.data.exports.sniff import VOC
from rpc.data.files import DataError
from rpc.data.records import Box

_PHOTO_FOLDERS: Final = ("JPEGImages", "images", "Images", "imgs")
_LISTS: Final = {"train": "train", "val": "val", "test": "test", "trainval": "train"}


def read_voc(files: ExportFiles) -> Export:
    """All VOC files of an export."""
    notes = Notes()
    splits = _listed_splits(files)
    photos = []
    for file in files.labels[VOC]:
        try:
            root = read_xml(file.path)
        except DataError as error:
            what = str(error).removeprefix(f"{file.path}: ")
            notes.left_out.append(BAD_FILE.at(files.name(file.path), what))
            continue
        split = splits.get(file.path.stem) or split_of_path(file.path, files.root)
        photos.append(_photo(files, file.path, root, split, notes))
    names = dict.fromkeys(item.sku for photo in photos for item in photo.items)
    return Export(
        layout="Pascal VOC",
        root=files.root,
        files=tuple(file.path for file in files.labels[VOC]),
        photos=tuple(photos),
        classes={name: {} for name in names},
        notes=notes,
    )


def _listed_splits(files: ExportFiles) -> dict[str, str]:
    """The split by the photo's stem, as the lists of `ImageSets/Main/` say."""
    splits: dict[str, str] = {}
    lists = [p for p in files.others if p.parent.name == "Main" and p.stem in _LISTS]
    for path in sorted(lists, key=lambda p: p.stem == "trainval"):
        try:
            lines = path.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError):
            continue
        for line in lines:
            if words := line.split():
                splits.setdefault(words[0], _LISTS[path.stem])
    return splits


def _photo(
    files: ExportFiles, path: Path, root: Element, split: str, notes: Notes
) -> LabelledPhoto:
    where = files.name(path)
    name = (root.findtext("filename") or "").strip()
    place = _place(files, path, name, split)
    lost: list[Problem] = []
    place.tell(where, lost, notes)
    items = []
    for thing in root.iterfind("object"):
        sku = clean_name(thing.findtext("name") or "")
        if not sku:
            lost.append(NO_CLASS.at(where))
            continue
        try:
            items.append(Item(sku, _box(thing, where, notes)))
        except (ValueError, TypeError) as error:
            lost.append(BAD_ITEM.at(where, f"{sku}: {error}"))
    return LabelledPhoto(
        where=where,
        name=place.file.name if place.file is not None else name,
        split=split,
        file=place.file,
        items=tuple(items),
        size=claimed_size(root.findtext("size/width"), root.findtext("size/height")),
        lost=tuple(lost),
    )


def _place(files: ExportFiles, path: Path, name: str, split: str) -> Place:
    """The photo of the XML's own name, as VOC's readers take it; else the one that it names.

    Copied and renamed photos leave an old `filename` behind.
    """
    here = path.parent
    folders = [here, *(base / one for base in (here, here.parent) for one in _PHOTO_FOLDERS)]
    for folder in folders:
        photo = files.index.by_stem(path.stem, folder)
        if photo is None:
            continue
        stale = name and Path(name.replace("\\", "/")).stem != photo.stem
        return Place(photo, OTHER_NAME if stale else None, f"{name!r:.120}" if stale else "")
    return files.index.find(name or path.stem, folders, split)


def _box(thing: Element, where: str, notes: Notes) -> Box:
    corners = thing.find("bndbox")
    if corners is not None:
        x1, y1, x2, y2 = (number(corners.findtext(k)) for k in ("xmin", "ymin", "xmax", "ymax"))
        return x1, y1, x2, y2
    turned = thing.find("robndbox")
    if turned is not None:
        x, y, width, height, angle = (number(turned.findtext(k)) for k in _TURNED)
        notes.changed.append(ROTATED.at(where, f"by {math.degrees(angle):.0f} degrees"))
        upright = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
        return rotated_box(upright, math.degrees(angle))
    outline = thing.find("polygon")
    if outline is None:
        raise ValueError("it has no bndbox")
    notes.changed.append(POLYGON.at(where))
    return box_around(_points(outline))


_TURNED: Final = ("cx", "cy", "w", "h", "angle")


def _points(outline: Element) -> list[tuple[object, object]]:
    """The points of `<x1>`, `<y1>`, `<x2>`, ... or of `<pt><x/><y/></pt>`."""
    pairs = [(point.findtext("x"), point.findtext("y")) for point in outline.iterfind("pt")]
    values = {one.tag: one.text for one in outline}
    place = 1
    while f"x{place}" in values:
        pairs.append((values[f"x{place}"], values.get(f"y{place}")))
        place += 1
    return list(pairs)
