"""PASCAL VOC (Everingham et al.) as published: of each class the photos that show it."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from pathlib import Path
from typing import Final
from xml.etree.ElementTree import Element

from rpc.data.class_sets.object_sets import MARKS, Mark, ObjectPhoto, ObjectSet
from rpc.data.entry_photo import read_entry_photo
from rpc.data.exports.safe_xml import read_xml
from rpc.data.files import DataError, safe_join
from rpc.data.records import Box

SPLITS: Final = ("train", "val", "trainval", "test")
LISTS: Final = "ImageSets/Main"
_LABELS: Final = ("1", "0", "-1")


def find_voc(root: Path) -> Path | None:
    """The folder with `JPEGImages/` and `ImageSets/Main/`: `root`, or one a year in it.

    Years lie in `root` or in `root/VOCdevkit`.

    Raises:
        DataError: there are several years.
    """
    places = [root, *sorted(root.glob("VOC20*")), *sorted(root.glob("VOCdevkit/VOC20*"))]
    found = [p for p in places if (p / "JPEGImages").is_dir() and (p / LISTS).is_dir()]
    if len(found) > 1 and root not in found:
        names = ", ".join(p.name for p in found)
        raise DataError(f"{root}: holds {names}; say the folder of one of them")
    return found[0] if found else None


def read_voc_sets(root: Path, split: str, leave_out: Collection[Mark] = ()) -> list[ObjectSet]:
    """Of each class the photos with the label 1 in `ImageSets/Main/<class>_<split>.txt`.

    The label -1 says that the class is not there, 0 that all its objects are difficult: neither is
    in the set. Boxes are those of the class in `Annotations/<photo>.xml`; VOC counts pixels from
    1, and the last one is inside.

    Args:
        root: as `find_voc` gives it.
        split: one of `SPLITS`.
        leave_out: objects with one of these marks have no box here, and photos that show no other
            object of the class are left out: with both marks the papers' usual exclusion of
            photos that hold difficult or truncated objects alone.

    Raises:
        DataError: there is no list of the split, a list or an annotation is damaged or contradicts
            the other, or a photo is missing.
    """
    ending = f"_{split}.txt"
    lists = sorted(p for p in (root / LISTS).iterdir() if p.name.endswith(ending))
    if not lists:
        raise DataError(
            f"{root / LISTS}: no list <class>{ending}; expected one a class for the split {split}"
        )
    sets = []
    for path in lists:
        title = path.name.removesuffix(ending)
        photos = [_photo(root, name, title, leave_out) for name in _shown(path)]
        sets.append(ObjectSet(title, tuple(photo for photo in photos if photo is not None)))
    return sets


def _shown(path: Path) -> list[str]:
    """The photos of a list with the label 1."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as text: {error}") from error
    shown = []
    for place, line in enumerate(lines, start=1):
        words = line.split()
        if not words:
            continue
        if len(words) != 2 or words[1] not in _LABELS:
            raise DataError(
                f"{path}: line {place}: expected a photo and 1, 0 or -1, got {line!r:.80}"
            )
        if words[1] == "1":
            shown.append(words[0])
    return shown


def _photo(root: Path, name: str, title: str, leave_out: Collection[Mark]) -> ObjectPhoto | None:
    """One photo; None where all its objects of the class are left out."""
    file = f"JPEGImages/{name}.jpg"
    path, xml = safe_join(root, file), safe_join(root, f"Annotations/{name}.xml")
    if not path.is_file():
        raise DataError(f"{path}: missing; unpack the data set again")
    note = read_xml(xml)
    things = [one for one in note.iterfind("object") if (one.findtext("name") or "") == title]
    if not things:
        raise DataError(f"{xml}: holds no {title}, which {LISTS} says is on the photo")
    kept = [one for one in things if not (_marks(one) & set(leave_out))]
    if not kept:
        return None
    read = partial(read_entry_photo, path, _size(note, xml))
    return ObjectPhoto(read, file, tuple(_box(one, xml) for one in kept))


def _marks(thing: Element) -> set[str]:
    return {mark for mark in MARKS if (thing.findtext(mark) or "0").strip() == "1"}


def _box(thing: Element, path: Path) -> Box:
    try:
        x1, y1, x2, y2 = (
            float(thing.findtext(f"bndbox/{side}", "")) for side in ("xmin", "ymin", "xmax", "ymax")
        )
    except ValueError as error:
        raise DataError(f"{path}: an object without a box (xmin, ymin, xmax, ymax)") from error
    if not (x2 >= x1 and y2 >= y1):
        raise DataError(f"{path}: a box whose sides are exchanged: {x1:g} {y1:g} {x2:g} {y2:g}")
    return x1 - 1, y1 - 1, x2, y2


def _size(note: Element, path: Path) -> tuple[int, int] | None:
    words = note.findtext("size/width"), note.findtext("size/height")
    if None in words:
        return None
    try:
        width, height = (int(word or "") for word in words)
    except ValueError as error:
        raise DataError(f"{path}: a size that is no number: {words}") from error
    return width, height
