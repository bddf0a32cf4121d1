"""Sets of photos that share an object: a folder, the exemplars of a store, the frames of a video.

Pixels are read one photo at a time, when they are asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rpc.data.entry_photo import read_entry_photo
from rpc.data.files import DataError
from rpc.data.photo_files import find_photos
from rpc.data.store import Split, Store
from rpc.data.taxonomy import Category
from rpc.data.video import VideoFrames

Rgb = NDArray[np.uint8]
Box = tuple[float, float, float, float]

LEAST = 2  # photos: what is common to one alone cannot be told


@dataclass(frozen=True)
class Photo:
    """One photo of a set.

    Attributes:
        name: relative to the source, for results and errors.
        read: gives its pixels, RGB (H, W, 3).
        truths: the true boxes xyxy, empty where unknown.
    """

    name: str
    read: Callable[[], Rgb] = field(repr=False)
    truths: tuple[Box, ...] = ()


@dataclass(frozen=True)
class PhotoSet:
    """Photos that share an object.

    Attributes:
        category: what it is called in results.
        photos: two or more.

    Raises:
        DataError: one photo alone, or none.
    """

    category: Category
    photos: tuple[Photo, ...]

    def __post_init__(self) -> None:
        if len(self.photos) < LEAST:
            photos = "1 photo" if len(self.photos) == 1 else f"{len(self.photos)} photos"
            raise DataError(
                f"{self.category.name}: {photos}; what is common shows in {LEAST} or more: "
                "add photos of the same object"
            )


def folder_set(folder: str | Path) -> PhotoSet:
    """The photos of a folder as one set, named after it.

    Raises:
        DataError: the folder is missing, or holds fewer than two photos.
    """
    folder = Path(folder)
    paths = find_photos(folder, "photos of one kind of object").photos
    return PhotoSet(
        Category(1, folder.resolve().name or "object"),
        tuple(Photo(path.name, _reader(path)) for path in paths),
    )


def store_sets(
    store: Store, split: Split = "train", *, as_one: bool = False
) -> tuple[list[PhotoSet], list[str]]:
    """A store's photos: of each SKU a set of its exemplars, or all photos of a split as one set.

    Photos of `val` and `test` show several SKUs and are one set in any case. Where a photo has
    several boxes, each is true.

    Returns:
        The sets, and a line for each SKU left out because it has fewer than two photos.

    Raises:
        DataError: the store is damaged, or no set is left.
    """
    dataset = store.split(split)
    rows: dict[int, list[Photo]] = {}
    for image in dataset.images:
        items = dataset.annotations_of(image.id)
        photo = Photo(
            image.file_name,
            _reader(store.image_path(split, image), (image.width, image.height)),
            tuple(item.bbox for item in items),
        )
        of_sku = split == "train" and not as_one
        for key in {item.category_id for item in items} if of_sku else {0}:
            rows.setdefault(key, []).append(photo)
    names = {c.id: c for c in store.taxonomy.categories} | {0: Category(1, store.root.name)}
    few = [
        f"{names[key].name}: {len(photos)} photo, left out (2 or more are needed)"
        for key, photos in sorted(rows.items())
        if len(photos) < LEAST
    ]
    sets = [
        PhotoSet(names[key], tuple(photos))
        for key, photos in sorted(rows.items())
        if len(photos) >= LEAST
    ]
    if not sets:
        raise DataError(
            f"{store.root}: no SKU has {LEAST} photos in {split}; add photos, or take all as one "
            "set (--one-set)"
        )
    return sets, few


def video_set(path: str | Path, most: int = 60) -> tuple[PhotoSet, VideoFrames]:
    """Frames of a video as one set, in their order; they are held in memory.

    Raises:
        DataError: not a readable video, or one with a single frame.
    """
    frames = VideoFrames.open(path, most)
    photos = [
        Photo(f"frame_{number:06d}", _held(rgb))
        for number, rgb in zip(frames.numbers, frames, strict=True)
    ]
    return PhotoSet(Category(1, Path(path).stem), tuple(photos)), frames


def _reader(path: Path, size: tuple[int, int] | None = None) -> Callable[[], Rgb]:
    return lambda: read_entry_photo(path, size)


def _held(rgb: Rgb) -> Callable[[], Rgb]:
    return lambda: rgb
