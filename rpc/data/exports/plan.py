"""A look at an export's photos: sizes, EXIF turns, boxes in pixels."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rpc.data.by_kind import Problem
from rpc.data.coco_checks import may_be_cut
from rpc.data.entry_photo import drawn_before_turn, turned_box
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
from rpc.data.images import PhotoHeader, Rgb, photo_header, read_photo, read_with_notes
from rpc.data.importer import copy_suffix
from rpc.data.parallel import Progress, map_in_threads

ROUNDING: Final = 0.5  # px: not worth telling

UNSURE_TURN: Final = Kind(
    "photos are turned by EXIF and the labels do not say how they saw them: boxes are taken as of "
    "the upright photo",
    "the photo is turned by EXIF and the labels do not say how they saw it: boxes are taken as of "
    "the upright photo",
    "look at some of them",
)
UPRIGHT_AFTER_ALL: Final = Kind(
    "photos have the size in the labels that they have before their EXIF turn, but their boxes fit "
    "the upright ones and are taken so",
    "the labels say the size before the EXIF turn, but the boxes fit the upright photo and are "
    "taken so",
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
    changed: list[Problem] = []
    try:
        header, rgb, suffix = _open(photo, decode, changed)
    except DataError as error:
        prefix = f"{photo.file or photo.embedded_in}: "
        return _Look(None, (UNREADABLE.at(photo.where, str(error).removeprefix(prefix)),))
    try:
        turned = _drawn_before_turn(photo, header, rgb, changed)
        items = _placed(photo, header, turned, changed)
    except _Lost as lost:
        return _Look(None, (lost.problem,))
    items = _without_twins(photo, items, changed)
    seen = SeenPhoto(photo, header.width, header.height, suffix, items)
    return _Look(seen, changed=tuple(changed))


class _Lost(Exception):
    """A photo that cannot be taken."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def _open(
    photo: LabelledPhoto, decode: bool, changed: list[Problem]
) -> tuple[PhotoHeader, Rgb | None, str]:
    """Header of a photo, its pixels where they are wanted, and the suffix of its file."""
    if photo.embedded_in is not None:
        data = embedded_photo(photo.embedded_in)
        rgb = read_photo(data, "imageData")
        with Image.open(io.BytesIO(data)) as image:
            suffix = {"PNG": ".png", "WEBP": ".webp"}.get(image.format or "", ".jpg")
        # labelme itself applies the turn and writes upright pixels.
        return PhotoHeader(rgb.shape[1], rgb.shape[0]), rgb, suffix
    assert photo.file is not None, "a photo that is missing is lost"
    header, suffix = photo_header(photo.file), copy_suffix(photo.file)
    if not decode:
        return header, None, suffix
    read = read_with_notes(photo.file)
    kinds = [f"photos: {note.partition(', the')[0]}" for note in read.notes]
    changed += [Problem(photo.where, n, k) for n, k in zip(read.notes, kinds, strict=True)]
    return header, read.rgb, suffix


def _drawn_before_turn(
    photo: LabelledPhoto, header: PhotoHeader, rgb: Rgb | None, changed: list[Problem]
) -> bool:
    """Whether boxes were drawn on the pixels before the EXIF turn, and have to be turned.

    Raises:
        _Lost: the photo has another size than the labels say.
    """
    upright, said = (header.width, header.height), photo.size
    before = said is not None and _same(said, header.stored) and not _same(said, upright)
    if said is not None and photo.unit == "fractions" and not _same(said, upright):
        # A scaled photo is known by the longer side.
        before = header.turn >= 5 and (said[0] > said[1]) != (upright[0] > upright[1])
    elif said is not None and not before and not _same(said, upright):
        what = f"{upright[0]}x{upright[1]} px, the labels say {said[0]}x{said[1]}"
        raise _Lost(OTHER_SIZE.at(photo.where, what))
    if header.turn == 1 or not photo.items:
        return False
    seen = _seen_on_pixels(photo, header, rgb)
    if said is None or header.turn_keeps_size:
        if seen is None:
            changed.append(UNSURE_TURN.at(photo.where, header.turn_text))
        before = bool(seen)
    elif before and seen is False:
        before = False
        changed.append(UPRIGHT_AFTER_ALL.at(photo.where))
    if before:
        changed.append(TURNED.at(photo.where, header.turn_text))
    return before


def _seen_on_pixels(photo: LabelledPhoto, header: PhotoHeader, rgb: Rgb | None) -> bool | None:
    """Whether the photo itself says that boxes are of the pixels before the turn; None if nothing.

    Boxes that lie in one of the two frames alone say it; so does the contrast of one product.
    """
    if photo.unit != "pixels":
        return None
    reach = max(i.box[2] for i in photo.items), max(i.box[3] for i in photo.items)
    in_upright = reach[0] <= header.width + 1 and reach[1] <= header.height + 1
    in_stored = reach[0] <= header.stored[0] + 1 and reach[1] <= header.stored[1] + 1
    if in_upright != in_stored:
        return in_stored
    if len(photo.items) != 1 or rgb is None:
        return None
    return drawn_before_turn(rgb, photo.items[0].box, header)


def _placed(
    photo: LabelledPhoto, header: PhotoHeader, turned: bool, changed: list[Problem]
) -> tuple[Item, ...]:
    """The items with their boxes in pixels of the upright photo, cut to it.

    Raises:
        _Lost: a box has no size, or lies outside the photo.
    """
    if not photo.items:
        return ()
    size = (header.width, header.height)
    scale = (header.stored if turned else size) if photo.unit == "fractions" else (1, 1)
    boxes = np.array([item.box for item in photo.items]) * (*scale, *scale)
    flat = (boxes[:, 2:] <= boxes[:, :2]).any(axis=1)
    if flat.any():
        raise _Lost(FLAT_BOX.at(photo.where, _text(photo, boxes, int(flat.argmax()))))
    if turned:
        boxes = np.array([turned_box(tuple(box), header) for box in boxes.tolist()])
    limits = np.array([size] * len(boxes))
    cut = np.concatenate([boxes[:, :2].clip(0, limits), boxes[:, 2:].clip(0, limits)], axis=1)
    inside = may_be_cut(boxes, cut, limits)
    if not inside.all():
        what = f"{_text(photo, boxes, int(inside.argmin()))}, the photo is {size[0]}x{size[1]} px"
        raise _Lost(OUTSIDE.at(photo.where, what))
    for row in np.flatnonzero(np.abs(cut - boxes).max(axis=1) > ROUNDING).tolist():
        changed.append(CLIPPED.at(photo.where, _text(photo, boxes, row)))
    rounded = cut.round(4).tolist()
    return tuple(
        Item(item.sku, (x1, y1, x2, y2), item.extra)
        for item, (x1, y1, x2, y2) in zip(photo.items, rounded, strict=True)
    )


def _text(photo: LabelledPhoto, boxes: NDArray[np.float64], row: int) -> str:
    """An item in words."""
    x1, y1, x2, y2 = boxes[row].tolist()
    return f"{photo.items[row].sku} {x1:g}, {y1:g} to {x2:g}, {y2:g}"


def _same(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether sizes agree but for the rounding of a side."""
    return abs(one[0] - other[0]) <= 1 and abs(one[1] - other[1]) <= 1


def _without_twins(
    photo: LabelledPhoto, items: tuple[Item, ...], changed: list[Problem]
) -> tuple[Item, ...]:
    once = {(item.sku, item.box): item for item in reversed(items)}
    if len(once) < len(items):
        changed += [TWICE.at(photo.where)] * (len(items) - len(once))
    return tuple(reversed(once.values()))
