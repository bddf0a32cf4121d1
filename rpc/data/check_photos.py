"""The photos of a store, each looked at: is it there, is it whole, do its boxes belong to it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from rpc.data.by_kind import Problem, told_in_one_line
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


def require_exemplars(store: Store, names: Collection[str] | None = None) -> None:
    """Refuse a store in which a SKU has no usable exemplar, before any work is done.

    Exemplars are looked at by their headers; those with an EXIF turn that keeps the size are
    decoded. Single bad ones pass, as long as their SKU has others: whoever reads them says so.

    Args:
        store: with exemplars.
        names: of the SKUs that matter; None for all.

    Raises:
        DataError: all photos of a SKU are missing, cannot be read, or are not those that its boxes
            were drawn on.
    """
    train = store.split("train")
    ids = {c.id for c in train.taxonomy.categories if names is None or c.name in names}
    photos = store.photo_folder("train")
    missing = missing_photos(photos, train, exemplars=True)
    gone = {image.id for image in missing.images}
    wanted = {
        image.id: _Photo(photos, image, tuple(a.bbox for a in train.annotations_of(image.id)))
        for image in train.images
        if image.id not in gone
        and any(a.category_id in ids for a in train.annotations_of(image.id))
    }
    seen = map_in_threads(_look_quickly, list(wanted.values()), None)
    bad = {image_id: one.problem for image_id, one in zip(wanted, seen, strict=True) if one.problem}
    listed = {a.category_id for a in train.annotations} & ids
    lost = listed - {
        a.category_id for a in train.annotations if a.image_id not in gone and a.image_id not in bad
    }
    if lost:
        told = told_in_one_line([*missing.problems(), *(p for p in bad.values() if p is not None)])
        first = train.taxonomy.category(train.taxonomy.label(min(lost))).name
        raise DataError(
            f"{store.root}: {len(lost)} of {len(listed)} SKUs have no usable exemplar, such as "
            f"{first!r:.80}: {told}"
        )


def _look_quickly(photo: _Photo) -> _Seen:
    """By the header, and whole where only the pixels show a turn."""
    seen = _look_header(photo)
    turned = seen.note is not None and seen.note.kind == TURNED_KIND
    return _look_whole(photo) if turned and len(photo.boxes) == 1 else seen


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
