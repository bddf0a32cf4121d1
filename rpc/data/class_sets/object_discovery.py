"""Object Discovery (Rubinstein et al. 2013) as published: photos of a search, masks beside them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Final

from rpc.data.class_sets.object_sets import ObjectPhoto, ObjectSet
from rpc.data.entry_photo import read_entry_photo
from rpc.data.files import DataError
from rpc.data.images import read_image
from rpc.data.photo_files import find_photos
from rpc.data.records import Box
from rpc.data.system_files import is_system_folder
from rpc.structures import mask_to_box

MASKS: Final = "GroundTruth"
LEAST: Final = 128  # of 255: a mask's edge may be soft


def find_object_discovery(root: Path) -> list[Path]:
    """The folders of classes (`Airplane100`, ...), each with `GroundTruth/`; empty where none is.

    They lie in `root` or in `root/Data`; or `root` is one of them.
    """
    if (root / MASKS).is_dir():
        return [root]
    for place in (root, root / "Data"):
        if place.is_dir():
            inner = sorted(p for p in place.iterdir() if not is_system_folder(p.name))
            if found := [p for p in inner if (p / MASKS).is_dir()]:
                return found
    return []


def read_object_discovery(folders: list[Path]) -> list[ObjectSet]:
    """Of each class its photos, with the box that is tight on the whole mask.

    A photo whose mask is empty was found by the search and does not show the object: it is in the
    set, as noise, without a box, and does not count in CorLoc.

    Raises:
        DataError: a photo has no mask or one of another size, or a file is damaged.
    """
    return [ObjectSet(folder.resolve().name, tuple(_photos(folder))) for folder in folders]


def _photos(folder: Path) -> list[ObjectPhoto]:
    masks = {p.stem: p for p in find_photos(folder / MASKS, "masks of the object").photos}
    made = []
    for path in find_photos(folder, "photos of the object").photos:
        if path.stem not in masks:
            raise DataError(
                f"{path}: has no mask {MASKS}/{path.stem}.png; take both from one download"
            )
        mask = read_image(masks[path.stem]).max(axis=2) >= LEAST
        read = partial(read_entry_photo, path, (mask.shape[1], mask.shape[0]))
        box = mask_to_box(mask)
        boxes: tuple[Box, ...] = ()
        if box is not None:
            x1, y1, x2, y2 = map(float, box)
            boxes = ((x1, y1, x2, y2),)
        made.append(ObjectPhoto(read, f"{folder.resolve().name}/{path.name}", boxes))
    return made
