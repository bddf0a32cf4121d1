"""A look at an export's photos: sizes, EXIF turns, boxes in pixels."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from PIL import Image

from rpc.data.by_kind import Problem
from rpc.data.exports.kinds import (
    CLIPPED,
    FLAT_BOX,
    LISTED_TWICE,
    OTHER_SIZE,
    OUTSIDE,
    TURNED,
    TWICE,
    UNREADABLE,
    Kind,
    Notes,
)
from rpc.data.exports.labelme import embedded_photo
from rpc.data.exports.labels import Export, Item, LabelledPhoto
from rpc.data.files import DataError
from rpc.data.images import image_size, read_image, read_photo
from rpc.data.parallel import Progress, map_in_threads
from rpc.data.records import Box

CLIP_SHARE: Final = 0.01  # of the photo's longer side: what may be cut off a box
CLIP_LEAST: Final = 2.0  # px, likewise
ROUNDING: Final = 0.5  # px: not worth telling

UNSURE_TURN: Final = Kind(
    "photos are turned by EXIF and the labels do not say how they saw them: boxes are taken as of "
    "the upright photo",
    "the photo is turned by EXIF and the labels do not say how they saw it: boxes are taken as of "
    "the upright photo",
    "look at some of them",
)


@dataclass(frozen=True)
class SeenPhoto:
    """A photo that can be taken, with its items in pixels of the upright photo."""

    labelled: LabelledPhoto
    width: int
    height: int
    suffix: str
    items: tuple[Item, ...]


@dataclass(frozen=True)
class _Look:
    """The findings on one photo: `seen` is None where it cannot be taken."""

    seen: SeenPhoto | None
    left_out: tuple[Problem, ...] = ()
    changed: tuple[Problem, ...] = ()


def look_at_photos(
    export: Export, notes: Notes, *, decode: bool = True, progress: Progress | None = None
) -> list[SeenPhoto]:
    """The photos of an export that can be taken; the others are told in `notes`.

    Args:
        export: what a reader gave.
        notes: where findings are added.
        decode: decode each photo, which finds truncated ones; otherwise read headers only.
        progress: called with the photos looked at and their total.
    """
    photos = _once(export.photos, notes)

    def look(photo: LabelledPhoto) -> _Look:
        return _look(photo, decode)

    seen = []
    for found in map_in_threads(look, photos, progress):
        notes.left_out += found.left_out
        notes.changed += found.changed
        if found.seen is not None:
            seen.append(found.seen)
    return seen


def _once(photos: Iterable[LabelledPhoto], notes: Notes) -> list[LabelledPhoto]:
    """The photos without those that the same split lists again."""
    taken: dict[tuple[str, Path], str] = {}
    kept = []
    for photo in photos:
        if photo.file is not None:
            key = (photo.split, photo.file)
            if key in taken:
                notes.left_out.append(LISTED_TWICE.at(photo.where, f"also as {taken[key]}"))
                continue
            taken[key] = photo.where
        kept.append(photo)
    return kept


def _look(photo: LabelledPhoto, decode: bool) -> _Look:
    if photo.lost:
        return _Look(None, photo.lost[:1])
    try:
        size, turn, suffix = _photo_frame(photo, decode)
    except DataError as error:
        prefix = f"{photo.file or photo.embedded_in}: "
        return _Look(None, (UNREADABLE.at(photo.where, str(error).removeprefix(prefix)),))
    changed: list[Problem] = []
    try:
        frame = _labelled_frame(photo, size, turn, changed)
        items = tuple(_placed(photo, item, frame, turn, size, changed) for item in photo.items)
    except _Lost as lost:
        return _Look(None, (lost.problem,))
    items = _without_twins(photo, items, changed)
    return _Look(SeenPhoto(photo, *size, suffix, items), changed=tuple(changed))


class _Lost(Exception):
    """A photo that cannot be taken."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def _photo_frame(photo: LabelledPhoto, decode: bool) -> tuple[tuple[int, int], int, str]:
    """Size of the upright photo, its EXIF orientation 1 to 8, and the suffix of its file."""
    if photo.embedded_in is not None:
        data = embedded_photo(photo.embedded_in)
        height, width = read_photo(data, "imageData").shape[:2]
        with Image.open(io.BytesIO(data)) as image:
            suffix = {"PNG": ".png", "WEBP": ".webp"}.get(image.format or "", ".jpg")
            return (width, height), _orientation(image), suffix
    assert photo.file is not None, "a photo that is missing is lost"
    width, height = image_size(photo.file)
    if decode:
        height, width = read_image(photo.file).shape[:2]
    with Image.open(photo.file) as image:
        return (width, height), _orientation(image), photo.file.suffix.lower()


def _orientation(image: Image.Image) -> int:
    value: Any = image.getexif().get(0x0112, 1)
    return value if value in range(1, 9) else 1


def _labelled_frame(
    photo: LabelledPhoto, size: tuple[int, int], turn: int, changed: list[Problem]
) -> int:
    """The turn that brings boxes upright: the photo's, or 1 where they are upright already."""
    raw = (size[1], size[0]) if turn >= 5 else size
    said = photo.size
    if said is not None and said not in (size, raw) and photo.unit == "pixels":
        what = f"{size[0]}x{size[1]} px, the labels say {said[0]}x{said[1]}"
        raise _Lost(OTHER_SIZE.at(photo.where, what))
    if turn == 1 or not photo.items:
        return 1
    if said is not None and raw != size:
        # In fractions, a scaled photo is known by the ratio of its sides.
        lies = (said[0] > said[1]) == (raw[0] > raw[1])
        if lies:
            changed.append(TURNED.at(photo.where))
        return turn if lies else 1
    changed.append(UNSURE_TURN.at(photo.where))
    return 1


def _placed(
    photo: LabelledPhoto,
    item: Item,
    turn: int,
    photo_turn: int,
    size: tuple[int, int],
    changed: list[Problem],
) -> Item:
    """The item with its box in pixels of the upright photo, cut to it."""
    width, height = (size[1], size[0]) if turn >= 5 else size
    x1, y1, x2, y2 = item.box
    if photo.unit == "fractions":
        x1, y1, x2, y2 = x1 * width, y1 * height, x2 * width, y2 * height
    x1, y1, x2, y2 = _turned((x1, y1, x2, y2), turn, (width, height))
    told = f"{item.sku} {x1:g}, {y1:g} to {x2:g}, {y2:g}"
    if not (x1 < x2 and y1 < y2):
        raise _Lost(FLAT_BOX.at(photo.where, told))
    cut = (max(x1, 0.0), max(y1, 0.0), min(x2, float(size[0])), min(y2, float(size[1])))
    off = max(abs(a - b) for a, b in zip(cut, (x1, y1, x2, y2), strict=True))
    limit = max(CLIP_LEAST, CLIP_SHARE * max(size))
    if off > limit or cut[0] >= cut[2] or cut[1] >= cut[3]:
        raise _Lost(OUTSIDE.at(photo.where, f"{told}, the photo is {size[0]}x{size[1]} px"))
    if off > ROUNDING:
        changed.append(CLIPPED.at(photo.where, told))
    left, top, right, bottom = (round(value, 4) for value in cut)
    return replace(item, box=(left, top, right, bottom))


def _turned(box: Box, turn: int, raw: tuple[int, int]) -> Box:
    """A box on the photo as stored, on the photo turned upright by its EXIF orientation."""
    width, height = raw
    corners = [(box[0], box[1]), (box[2], box[3])]
    moved = [
        {
            1: (x, y),
            2: (width - x, y),
            3: (width - x, height - y),
            4: (x, height - y),
            5: (y, x),
            6: (height - y, x),
            7: (height - y, width - x),
            8: (y, width - x),
        }[turn]
        for x, y in corners
    ]
    if turn == 1:
        return box  # a box that is the wrong way round stays so, and is told
    (xa, ya), (xb, yb) = moved
    return min(xa, xb), min(ya, yb), max(xa, xb), max(ya, yb)


def _without_twins(
    photo: LabelledPhoto, items: tuple[Item, ...], changed: list[Problem]
) -> tuple[Item, ...]:
    once = {(item.sku, item.box): item for item in reversed(items)}
    if len(once) < len(items):
        changed += [TWICE.at(photo.where)] * (len(items) - len(once))
    return tuple(reversed(once.values()))
