"""Data sets for recognition told apart by their files, and read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from rpc.data.class_sets.aircraft import find_aircraft, read_aircraft
from rpc.data.class_sets.cars import is_cars, read_cars
from rpc.data.class_sets.class_folders import (
    DOGS_FILES,
    LabelledPhoto,
    numbered_lines,
    photos_by_class,
    read_class_photos,
)
from rpc.data.class_sets.class_set import ClassSet, checked
from rpc.data.class_sets.cub_parts import read_boxes, read_points
from rpc.data.class_sets.flowers import is_flowers, read_flowers
from rpc.data.files import DataError, safe_join
from rpc.data.records import Box

LAYOUTS: Final[Mapping[str, str]] = {
    "CUB-200-2011": "images.txt, ...",
    "Stanford Dogs": "train_list.mat, ...",
    "Stanford Cars": "cars_train_annos.mat, ... or cars_annos.mat",
    "FGVC-Aircraft": "images_variant_train.txt, ...",
    "Oxford 102 Flowers": "setid.mat, ...",
    "a folder per class": "train/<class>/ and test/<class>/, with or without val/<class>/",
    "a store in RPC's shape": "instances_train.json, ...",
}


def read_class_set(root: str | Path) -> ClassSet:
    """Read a data set in one of the `LAYOUTS`; for stores see `rpc.data.class_sets.store_crops`.

    Validation photos are there where the data set has some of its own; see
    `ClassSet.with_validation`.

    Raises:
        DataError: none of the layouts; a list is missing, damaged or contradicts another; a photo
            is missing; a path leads out of the folder; nothing can be learned or measured.
    """
    root = Path(root)
    if not root.is_dir():
        raise DataError(f"{root}: no such folder; expected a data set of photos by class")
    cub = next((f for f in (root, root / "CUB_200_2011") if (f / "images.txt").exists()), None)
    aircraft = find_aircraft(root)
    if cub is not None:
        found = _cub(cub)
    elif any((f / name).exists() for f in (root, root / "lists") for name in DOGS_FILES):
        found = _dogs(root)
    elif is_cars(root):
        found = read_cars(root)
    elif aircraft is not None:
        found = read_aircraft(aircraft)
    elif is_flowers(root):
        found = read_flowers(root)
    elif (root / "train").is_dir():
        found = _folders(root)
    else:
        known = "; ".join(f"{name} ({files})" for name, files in LAYOUTS.items())
        raise DataError(f"{root}: not a data set that is known: expected one of {known}")
    return checked(found, root)


def _cub(root: Path) -> ClassSet:
    plain = read_class_photos(root)
    images = numbered_lines(root / "images.txt")
    boxes = read_boxes(root, images)
    parts, points = read_points(root, images)
    number = {f"images/{name}": image for image, name in images.items()}

    def full(photo: LabelledPhoto) -> LabelledPhoto:
        image = number[photo.name]
        return replace(photo, box=boxes.get(image), points=points.get(image, ()))

    train, test = tuple(map(full, plain.gallery)), tuple(map(full, plain.queries))
    return ClassSet(plain.name, plain.classes, train, (), test, points=parts, mirrored=True)


def _dogs(root: Path) -> ClassSet:
    plain = read_class_photos(root)
    folder = root / "Annotation"

    def boxed(photo: LabelledPhoto) -> LabelledPhoto:
        inner = Path(photo.name).relative_to(Path(photo.name).parts[0]).with_suffix("")
        return replace(photo, box=_first_box(safe_join(folder, inner.as_posix())))

    train, test = plain.gallery, plain.queries
    if folder.is_dir():
        train, test = tuple(map(boxed, train)), tuple(map(boxed, test))
    return ClassSet(plain.name, plain.classes, train, (), test, mirrored=True)


def _first_box(path: Path) -> Box:
    """The first object's box of an annotation of Stanford Dogs (Pascal VOC's XML).

    Four numbers are all that is wanted: they are searched for, and no XML is interpreted.

    Raises:
        DataError: the file is missing, or has no box.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise DataError(f"{path}: missing; unpack annotation.tar of Stanford Dogs again") from error
    sides = [re.search(rf"<{name}>\s*(\d+)\s*<", text) for name in ("xmin", "ymin", "xmax", "ymax")]
    if not all(sides):
        raise DataError(f"{path}: holds no box (xmin, ymin, xmax, ymax)")
    x1, y1, x2, y2 = (float(found[1]) for found in sides if found is not None)
    return x1, y1, x2, y2


def _folders(root: Path) -> ClassSet:
    plain = read_class_photos(root)
    has_val = (root / "val").is_dir()
    val = photos_by_class(root, "val", plain.classes) if has_val else ()
    splits = "photos of train/, val/ and test/" if has_val else "photos of train/ and test/"
    return ClassSet(plain.name, plain.classes, plain.gallery, val, plain.queries, splits=splits)
