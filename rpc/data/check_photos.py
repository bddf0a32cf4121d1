"""The photos of a store, each looked at: is it there, is it whole, do its boxes belong to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rpc.data.by_kind import Problem
from rpc.data.dataset import Dataset, ImageInfo
from rpc.data.entry_photo import (
    TURNED,
    TURNED_KIND,
    EntryFault,
    entry_fault,
    fits_upright,
    size_fault,
)
from rpc.data.files import DataError
from rpc.data.images import PhotoHeader, photo_header, read_image
from rpc.data.missing_photos import missing_photos
from rpc.data.parallel import Progress, map_in_threads
from rpc.data.photo_names import PhotoFolder
from rpc.data.records import Box
from rpc.data.store import Split, Store


@dataclass(frozen=True)
class _Photo:
    """One image to look at."""

    photos: PhotoFolder
    image: ImageInfo
    boxes: tuple[Box, ...]

    @property
    def where(self) -> str:
        return f"{self.photos.folder.name}/{self.image.file_name}"


@dataclass(frozen=True)
class _Seen:
    """The findings on one photo."""

    problem: Problem | None = None
    note: Problem | None = None


def look_at_photos(
    store: Store,
    datasets: Mapping[Split, Dataset],
    *,
    decode: bool,
    progress: Progress | None = None,
) -> tuple[list[Problem], list[Problem]]:
    """Look at the photo of every image.

    Args:
        store: where they are.
        datasets: the splits' usable images.
        decode: decode every photo, which finds truncated ones; otherwise read headers only.
        progress: called with the photos looked at and their total.

    Returns:
        Problems and notes.
    """
    problems: list[Problem] = []
    wanted: list[_Photo] = []
    for split, dataset in datasets.items():
        photos = store.photo_folder(split)
        missing = missing_photos(photos, dataset, exemplars=split == "train")
        problems += missing.problems()
        gone = {image.id for image in missing.images}
        wanted += [
            _Photo(photos, image, tuple(a.bbox for a in dataset.annotations_of(image.id)))
            for image in dataset.images
            if image.id not in gone
        ]
    seen = list(map_in_threads(_look_whole if decode else _look_header, wanted, progress))
    problems += [one.problem for one in seen if one.problem is not None]
    return problems, [one.note for one in seen if one.note is not None]


def _look_whole(photo: _Photo) -> _Seen:
    try:
        path = photo.photos.path(photo.image.file_name)
        rgb, header = read_image(path), photo_header(path)
    except DataError as error:
        return _unreadable(photo, error)
    fault = entry_fault(path, rgb, (photo.image.width, photo.image.height), photo.boxes)
    sure = fault is None and fits_upright(rgb, photo.boxes, header)
    return _seen(photo, fault, header, sure)


def _look_header(photo: _Photo) -> _Seen:
    try:
        header = photo_header(photo.photos.path(photo.image.file_name))
    except DataError as error:
        return _unreadable(photo, error)
    size = (photo.image.width, photo.image.height)
    return _seen(photo, size_fault(header, size, boxes=photo.boxes), header, False)


def _seen(photo: _Photo, fault: EntryFault | None, header: PhotoHeader, sure: bool) -> _Seen:
    if fault is not None:
        return _Seen(problem=fault.at(photo.where))
    if header.turn_keeps_size and photo.boxes and not sure:
        what = f"has an EXIF turn that keeps its size ({header.turn_text})"
        return _Seen(note=Problem(photo.where, what, TURNED_KIND, TURNED))
    said = (photo.image.width, photo.image.height)
    if said != (header.width, header.height):
        what = f"is {header.width}x{header.height} px upright, the JSON says {said[0]}x{said[1]}"
        kind = "photos are a pixel larger or smaller than the JSON says"
        return _Seen(note=Problem(photo.where, what, kind))
    return _Seen()


def _unreadable(photo: _Photo, error: DataError) -> _Seen:
    folder = photo.photos.folder
    what = str(error)
    for name in (folder / photo.image.file_name, folder):
        what = what.removeprefix(f"{name}: ")
    return _Seen(problem=Problem(photo.where, what))
