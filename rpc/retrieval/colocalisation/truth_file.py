"""True boxes of photos or video frames from one file of COCO, to measure CorLoc by."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from rpc.data.dataset import read_dataset
from rpc.data.files import DataError
from rpc.data.records import Box
from rpc.retrieval.colocalisation.photo_sets import Photo, PhotoSet


@dataclass(frozen=True)
class Truth:
    """The true boxes of an image, of all categories, and the size that they belong to."""

    boxes: tuple[Box, ...]
    size: tuple[int, int]


def with_truths(photos: PhotoSet, path: str | Path, *, frames: bool = False) -> PhotoSet:
    """The set with true boxes of a COCO file, such as `boxes.json` of an earlier run, corrected.

    An image is the photo of its name, whatever folder and suffix it is named with; with `frames`,
    of a video, by the number that its name ends in, counted from 0 (`frame_000012`). An image
    that the file lists without a box does not show the object, and one that it does not list is
    unknown: neither counts in CorLoc.

    Raises:
        DataError: the file is damaged, names an image twice, or names none of the set; on reading
            a photo: it has another size than the file says.
    """
    truths: dict[str, Truth] = {}
    data = read_dataset(path)
    for image in data.images:
        key = _key(image.file_name, frames)
        if key in truths:
            raise DataError(f"{path}: lists {image.file_name} twice; keep one of the two")
        boxes = tuple(item.bbox for item in data.annotations_of(image.id))
        truths[key] = Truth(boxes, (image.width, image.height))
    made = [_with(photo, truths.get(_key(photo.name, frames)), path) for photo in photos.photos]
    if not any(photo.truths for photo in made):
        names = ", ".join(image.file_name for image in data.images[:3])
        raise DataError(
            f"{path}: has a box on none of the {len(made)} images of {photos.category.name}, such "
            f"as {photos.photos[0].name}; it has {names or 'no image'}: name them alike, and of a "
            "video take more --frames where few are labelled"
        )
    return replace(photos, photos=tuple(made))


def _with(photo: Photo, truth: Truth | None, path: str | Path) -> Photo:
    if truth is None:
        return photo
    read = partial(_read, photo, truth.size, path)
    return Photo(photo.name, read, truth.boxes)


def _read(photo: Photo, size: Sequence[int], path: str | Path) -> NDArray[np.uint8]:
    rgb = photo.read()
    if rgb.shape[1::-1] != tuple(size):
        raise DataError(
            f"{photo.name}: is {rgb.shape[1]}x{rgb.shape[0]} px, {path} says {size[0]}x{size[1]}: "
            "its boxes belong to another size; write them anew"
        )
    return rgb


def _key(name: str, frames: bool) -> str:
    stem = PurePosixPath(name.replace("\\", "/")).stem
    number = _frame(stem) if frames else None
    return stem if number is None else str(number)


def _frame(name: str) -> int | None:
    found = re.search(r"(\d+)$", PurePosixPath(name).stem)
    return int(found[1]) if found else None
