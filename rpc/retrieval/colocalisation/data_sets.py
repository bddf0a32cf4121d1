"""Sets of photos of any data set that is read here: a set a class, or all photos as one."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Final, Literal, get_args

from rpc.data.class_sets.class_folders import LabelledPhoto
from rpc.data.class_sets.class_layouts import UnknownLayout, read_class_set
from rpc.data.class_sets.class_set import ClassSet
from rpc.data.class_sets.object_discovery import find_object_discovery, read_object_discovery
from rpc.data.class_sets.object_sets import Mark, ObjectPhoto, ObjectSet
from rpc.data.class_sets.pets import PETS, trimap_box
from rpc.data.class_sets.store_crops import is_store
from rpc.data.class_sets.voc_sets import find_voc, read_voc_sets
from rpc.data.files import DataError
from rpc.data.store import Store
from rpc.data.taxonomy import Category
from rpc.retrieval.colocalisation.photo_sets import LEAST, Photo, PhotoSet, store_sets

DataSplit = Literal["train", "val", "trainval", "test"]
DATA_SPLITS: Final[tuple[DataSplit, ...]] = get_args(DataSplit)


def data_sets(
    root: str | Path,
    split: DataSplit = "train",
    *,
    as_one: bool = False,
    leave_out: Collection[Mark] = (),
) -> tuple[list[PhotoSet], list[str]]:
    """The sets of a data set, told by its files, with true boxes where it has some.

    Stores (see `store_sets`), PASCAL VOC, Object Discovery, and all that `read_class_set` reads.

    Args:
        root: its folder.
        split: which photos; Object Discovery has no splits, and all its photos are taken.
        as_one: all photos as one set.
        leave_out: marks of objects of PASCAL VOC, see `read_voc_sets`.

    Returns:
        The sets, and lines for the user: what was left out, and why.

    Raises:
        DataError: none of the layouts, something in it is missing or damaged, or no set is left.
    """
    root = Path(root)
    voc = None if is_store(root) or not root.is_dir() else find_voc(root)
    if leave_out and voc is None:
        raise DataError(f"{root}: no PASCAL VOC: only its objects are marked as {leave_out}")
    if is_store(root):
        if split == "trainval":
            raise DataError(f"{root}: a store has no split trainval; expected train, val or test")
        return store_sets(Store.open(root), split, as_one=as_one)
    if voc is not None:
        found = read_voc_sets(voc, split, leave_out)
    elif folders := find_object_discovery(root) if root.is_dir() else []:
        found = read_object_discovery(folders)
    else:
        found = _of_classes(root, split)
    if as_one:
        found = [_joined(root.resolve().name, found)]
    return _photo_sets(root, split, found)


def _of_classes(root: Path, split: DataSplit) -> list[ObjectSet]:
    try:
        data = read_class_set(root)
    except UnknownLayout as error:
        raise DataError(
            f"{error}; PASCAL VOC (JPEGImages/, ImageSets/Main/); Object Discovery "
            "(Airplane100/GroundTruth/, ...)"
        ) from error
    photos = {
        "train": data.train,
        "val": data.val,
        "trainval": (*data.train, *data.val),
        "test": data.test,
    }[split]
    by_class: dict[int, list[ObjectPhoto]] = {}
    for photo in photos:
        by_class.setdefault(photo.label, []).append(_object_photo(photo, data))
    return [ObjectSet(data.classes[n], tuple(by_class[n])) for n in sorted(by_class)]


def _object_photo(photo: LabelledPhoto, data: ClassSet) -> ObjectPhoto:
    box = trimap_box(photo.path) if data.name == PETS else photo.box_read
    return ObjectPhoto(photo.read, photo.name, () if box is None else (box,))


def _joined(name: str, sets: list[ObjectSet]) -> ObjectSet:
    """One set of all photos; one that is in several has the boxes of all."""
    photos: dict[str, ObjectPhoto] = {}
    for photo in (photo for one in sets for photo in one.photos):
        seen = photos.get(photo.name)
        boxes = photo.boxes if seen is None else (*seen.boxes, *photo.boxes)
        photos[photo.name] = ObjectPhoto(photo.read, photo.name, boxes)
    return ObjectSet(name, tuple(photos.values()))


def _photo_sets(root: Path, split: str, found: list[ObjectSet]) -> tuple[list[PhotoSet], list[str]]:
    few = [
        f"{one.name}: {len(one.photos)} photos, left out ({LEAST} or more are needed)"
        for one in found
        if len(one.photos) < LEAST
    ]
    sets = []
    for number, one in enumerate(found, start=1):
        if len(one.photos) >= LEAST:
            photos = tuple(Photo(p.name, p.read, p.boxes) for p in one.photos)
            sets.append(PhotoSet(Category(number, one.name), photos))
    if not sets:
        raise DataError(f"{root}: no class has {LEAST} photos in {split}")
    return sets, few
