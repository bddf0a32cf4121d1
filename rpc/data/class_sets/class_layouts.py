"""Data sets for recognition told apart by their files, and read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from rpc.data.class_sets.aircraft import find_aircraft, read_aircraft
from rpc.data.class_sets.cars import is_cars, read_cars
from rpc.data.class_sets.class_folders import class_titles, photos_by_class
from rpc.data.class_sets.class_set import ClassSet, checked
from rpc.data.class_sets.cub import find_cub, read_cub
from rpc.data.class_sets.dogs import is_dogs, read_dogs
from rpc.data.class_sets.flowers import is_flowers, read_flowers
from rpc.data.class_sets.pets import find_pets, read_pets
from rpc.data.files import DataError

LAYOUTS: Final[Mapping[str, str]] = {
    "CUB-200-2011": "images.txt, ...",
    "Stanford Dogs": "train_list.mat, ...",
    "Stanford Cars": "cars_train_annos.mat, ... or cars_annos.mat",
    "FGVC-Aircraft": "images_variant_train.txt, ...",
    "Oxford 102 Flowers": "setid.mat, ...",
    "Oxford-IIIT Pets": "annotations/trainval.txt, ...",
    "a folder per class": "train/<class>/ and test/<class>/, with or without val/<class>/",
    "a store in RPC's shape": "instances_train.json, ...",
}


class UnknownLayout(DataError):
    """A folder that holds none of the layouts."""


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
    cub, pets, aircraft = find_cub(root), find_pets(root), find_aircraft(root)
    if cub is not None:
        found = read_cub(cub)
    elif is_dogs(root):
        found = read_dogs(root)
    elif pets is not None:
        found = read_pets(pets)
    elif is_cars(root):
        found = read_cars(root)
    elif aircraft is not None:
        found = read_aircraft(aircraft)
    elif is_flowers(root):
        found = read_flowers(root)
    elif (root / "train").is_dir() or (root / "test").is_dir():
        found = _folders(root)
    else:
        known = "; ".join(f"{name} ({files})" for name, files in LAYOUTS.items())
        raise UnknownLayout(f"{root}: not a data set that is known: expected one of {known}")
    return checked(found, root)


def _folders(root: Path) -> ClassSet:
    classes = class_titles(root, ("train", "test"))
    splits = ["train", "test"] + (["val"] if (root / "val").is_dir() else [])
    photos = {split: photos_by_class(root, split, classes) for split in splits}
    told = "photos of train/, val/ and test/" if "val" in photos else "photos of train/ and test/"
    name = root.resolve().name
    val = photos.get("val", ())
    return ClassSet(name, classes, photos["train"], val, photos["test"], splits=told)
