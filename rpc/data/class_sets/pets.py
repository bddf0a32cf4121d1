"""Oxford-IIIT Pets (Parkhi et al. 2012) as published: breeds of cats and dogs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from rpc.data.class_sets.class_folders import LabelledPhoto
from rpc.data.class_sets.class_set import ClassSet
from rpc.data.class_sets.list_lines import list_lines
from rpc.data.exports.safe_xml import read_xml
from rpc.data.files import DataError, safe_join
from rpc.data.records import Box
from rpc.structures import mask_to_box

PETS: Final = "Oxford-IIIT Pets"
SPLITS: Final = ("trainval.txt", "test.txt")
SPECIES: Final = {"1": "cat", "2": "dog"}
OBJECT: Final = 1  # of a trimap; 2 is background, 3 between the two
_LINE: Final = re.compile(r"(\S+)_\d+ (\d+) ([12]) \d+")


def find_pets(root: Path) -> Path | None:
    """The folder with `images/` and `annotations/`: `root`, or `oxford-iiit-pet` in it."""
    for folder in (root, root / "oxford-iiit-pet"):
        if any((folder / "annotations" / name).is_file() for name in SPLITS):
            return folder
    return None


def read_pets(root: Path) -> ClassSet:
    """Read `images/<Breed>_<number>.jpg` and `annotations/{trainval,test}.txt`; breeds are classes.

    A line of a list is the photo's name without its suffix, the class (1 to 37), the species (1
    cat, 2 dog) and the breed among its species; `list.txt`, both lists in one, is not needed. Heads
    are read from `annotations/xmls/`, which has most training photos and no test photo; they are
    no boxes of the animal (`trimap_box` gives those). Species are the families.

    Raises:
        DataError: a list is missing or damaged, names a photo twice, or gives a class two breeds
            or species.
    """
    lists = [_list(root / "annotations" / name) for name in SPLITS]
    train, test = lists
    if both := sorted(train.keys() & test.keys()):
        raise DataError(
            f"{root / 'annotations'}: {both[0]} is in both {' and '.join(SPLITS)} ({len(both)} "
            "such photos): it would be learned from and tested on; take both from one download"
        )
    breeds: dict[int, tuple[str, str]] = {}
    for name, (number, breed, species) in (train | test).items():
        if breeds.setdefault(number, (breed, species)) != (breed, species):
            raise DataError(
                f"{root / 'annotations'}: {name}: class {number} is {breed!r} ({species}) here and "
                f"{breeds[number][0]!r} ({breeds[number][1]}) elsewhere; take the lists anew"
            )
    order = sorted(breeds)
    label = {number: place for place, number in enumerate(order)}
    made = [
        tuple(_photo(root, name, label[number]) for name, (number, _, _) in split.items())
        for split in lists
    ]
    return ClassSet(
        PETS,
        tuple(breeds[number][0] for number in order),
        made[0],
        (),
        made[1],
        families=tuple(breeds[number][1] for number in order),
        mirrored=True,
        splits="official training and validation photos together, and test photos",
    )


def trimap_box(photo: Path) -> Box | None:
    """The animal on a photo of `images/`: tight on its trimap's object; None without a trimap.

    Raises:
        DataError: the trimap is damaged, or shows no object.
    """
    path = photo.parent.parent / "annotations" / "trimaps" / f"{photo.stem}.png"
    if not path.is_file():
        return None
    try:
        with Image.open(path) as opened:
            box = mask_to_box(np.asarray(opened.convert("L")) == OBJECT)
    # Pillow fails in many ways on a damaged file.
    except Exception as error:
        raise DataError(f"{path}: not an image; unpack annotations.tar.gz again") from error
    if box is None:
        raise DataError(f"{path}: a trimap without an object (value {OBJECT})")
    x1, y1, x2, y2 = box
    return float(x1), float(y1), float(x2), float(y2)


def _photo(root: Path, name: str, label: int) -> LabelledPhoto:
    file = f"images/{name}.jpg"
    xml = safe_join(root, f"annotations/xmls/{name}.xml")
    head = _head(xml) if xml.is_file() else None
    return LabelledPhoto(safe_join(root, file), label, name=file, head=head)


def _head(path: Path) -> Box:
    note = read_xml(path)
    try:
        x1, y1, x2, y2 = (
            float(note.findtext(f"object/bndbox/{side}", ""))
            for side in ("xmin", "ymin", "xmax", "ymax")
        )
    except ValueError as error:
        raise DataError(f"{path}: holds no box (xmin, ymin, xmax, ymax) of a head") from error
    return x1 - 1, y1 - 1, x2, y2  # VOC counts pixels from 1, and the last one is inside


def _list(path: Path) -> dict[str, tuple[int, str, str]]:
    """Class, breed and species by photo."""
    lines = list_lines(
        path,
        "Oxford-IIIT Pets needs annotations/trainval.txt and annotations/test.txt as they are "
        "published",
    )
    found: dict[str, tuple[int, str, str]] = {}
    for place, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = _LINE.fullmatch(line.strip())
        name = line.partition(" ")[0]
        if parts is None or name in found:
            raise DataError(
                f"{path}: line {place}: expected a photo <Breed>_<number> that is there once, its "
                f"class, species (1 or 2) and breed, got {line!r:.80}"
            )
        found[name] = (int(parts[2]), parts[1], SPECIES[parts[3]])
    return found
