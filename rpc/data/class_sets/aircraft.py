"""FGVC-Aircraft (Maji et al. 2013) as published: variants, with families and boxes."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from rpc.data.class_sets.class_folders import LabelledPhoto
from rpc.data.class_sets.class_set import ClassSet
from rpc.data.class_sets.list_lines import list_lines
from rpc.data.files import DataError, safe_join
from rpc.data.images import image_size
from rpc.data.records import Box

AIRCRAFT: Final = "FGVC-Aircraft"
SIDES: Final = ("train", "val", "test")
BANNER: Final = 20  # px at the foot of every photo with its author's name: to be cut off


def find_aircraft(root: Path) -> Path | None:
    """The folder with the lists: `root`, or `data` in it or in `fgvc-aircraft-2013b`."""
    folders = (root, root / "data", root / "fgvc-aircraft-2013b" / "data")
    lists = (f"images_variant_{side}.txt" for side in SIDES)
    names = ("variants.txt", *lists)
    return next((f for f in folders if any((f / name).is_file() for name in names)), None)


def read_aircraft(root: Path) -> ClassSet:
    """Read `images/`, `images_variant_{train,val,test}.txt`, `variants.txt`.

    Families and boxes are read where `images_family_*.txt` and `images_box.txt` are there.

    Raises:
        DataError: a list is missing or damaged or names an unknown variant; a photo is missing.
    """
    classes = tuple(_lines(root / "variants.txt"))
    index = {name: label for label, name in enumerate(classes)}
    boxes = _boxes(root / "images_box.txt")
    families = [""] * len(classes)
    made = []
    for side in SIDES:
        path = root / f"images_variant_{side}.txt"
        variants = _pairs(path)
        if unknown := sorted(set(variants.values()) - index.keys()):
            raise DataError(f"{path}: variant {unknown[0]!r:.80} is not in variants.txt")
        labels = {image: index[variant] for image, variant in variants.items()}
        made.append(tuple(_photo(root, image, label, boxes) for image, label in labels.items()))
        family_list = root / f"images_family_{side}.txt"
        for image, family in (_pairs(family_list) if family_list.is_file() else {}).items():
            if image in labels:
                families[labels[image]] = family
    train, val, test = made
    return ClassSet(
        AIRCRAFT,
        classes,
        train,
        val,
        test,
        families=tuple(families) if any(families) else (),
        mirrored=True,
        splits="official training, validation and test photos",
    )


def _photo(root: Path, image: str, label: int, boxes: dict[str, Box]) -> LabelledPhoto:
    name = f"images/{image}.jpg"
    path = safe_join(root, name)
    width, height = image_size(path)
    crop = (0.0, 0.0, float(width), float(max(height - BANNER, 1)))
    return LabelledPhoto(path, label, crop, boxes.get(image), name=name)


def _boxes(path: Path) -> dict[str, Box]:
    """Boxes by photo; MATLAB counts pixels from 1, and the last one is inside."""
    found: dict[str, Box] = {}
    for image, text in (_pairs(path) if path.is_file() else {}).items():
        try:
            x1, y1, x2, y2 = (float(word) for word in text.split())
        except ValueError as error:
            raise DataError(f"{path}: {image}: expected 4 numbers, got {text!r:.80}") from error
        found[image] = (x1 - 1, y1 - 1, x2, y2)
    return found


def _pairs(path: Path) -> dict[str, str]:
    """The lines `<photo> <text>` of a list."""
    found: dict[str, str] = {}
    for line in _lines(path):
        image, _, text = line.partition(" ")
        if not text.strip() or image in found:
            raise DataError(
                f"{path}: expected a photo that is there once and a text after it, got {line!r:.80}"
            )
        found[image] = text.strip()
    return found


def _lines(path: Path) -> list[str]:
    lines = list_lines(
        path,
        "FGVC-Aircraft needs variants.txt and images_variant_train, ..val, ..test.txt as they are "
        "published",
    )
    return [line.strip() for line in lines if line.strip()]
