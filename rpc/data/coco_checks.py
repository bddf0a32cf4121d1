"""Checks of a COCO/RPC JSON's entries, as columns: real RPC has 294,333 annotations in one file.

A `Checker` walks the raw entries of one list, notes a `Problem` for each damaged one and leaves
it out; what remains is safe to turn into records. Values in another form that can mean one thing
only are read as it, and a note says so. Nothing here raises.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rpc.data.coco_forms import (
    Id,
    IdNumbers,
    as_box,
    as_level,
    as_number,
    as_size,
    crowds_that_are_items,
)
from rpc.data.entry_checker import (
    Checker,
    are_boxes,
    are_numbers,
    is_box,
    is_number,
    is_size,
    short,
)
from rpc.data.levels import LEVELS

# How far a box may reach out of its image and is cut, not refused. Two pixels are rounding on any
# photo; so is 1 % of a side where boxes were written with few digits or on a smaller copy of the
# photo; and cutting off a tenth of a box moves no IoU across a threshold. More is another mistake.
CUT_PIXELS = 2.0
CUT_SHARE_OF_SIDE = 0.01  # as long as half of the box lies inside
CUT_SHARE_OF_BOX = 0.1
UNKNOWN_SIDE = 2**31 - 1  # px, of an image whose size is not known and not needed

SizeOf = Callable[[str], tuple[int, int] | None]


def check_images(entries: Sequence[Any], file: str, size_of: SizeOf | None = None) -> Checker:
    """Check COCO's `images`: fields, unique ids, sizes, known levels.

    File names are looked at where a photo is opened: scores need none.

    Args:
        entries: the raw list.
        file: for the messages.
        size_of: the size of a photo by its file name, for entries without one; None where it is
            not known, which gives `UNKNOWN_SIDE`. It may raise a ValueError with the reason.
    """
    checker = Checker(entries, "image", file)
    checker.require_objects()
    checker.require_unique_ids()
    _name_the_nameless(checker)
    checker.require("file_name", lambda value: isinstance(value, str), "a file name")
    if size_of is not None:
        _find_sizes(checker, size_of)
    for side in ("width", "height"):
        checker.require(side, is_size, "pixels, an integer above 0", read=as_size)
    levels = f"one of {', '.join(LEVELS)}"
    checker.allow("level", lambda value: value in LEVELS, levels, read=as_level)
    return checker


def _name_the_nameless(checker: Checker) -> None:
    """An empty file name where there is none: refused by whoever opens the photo."""
    rows = [row for row, entry in enumerate(checker.entries) if entry.get("file_name") is None]
    for row in rows:
        checker.entries[row] = {**checker.entries[row], "file_name": ""}
    if rows:
        checker.note(f"{len(rows):,} images have no file_name: their photos cannot be found")


def _find_sizes(checker: Checker, size_of: SizeOf) -> None:
    """Sizes of entries that have none, from their photos."""
    rows = [
        row
        for row, entry in enumerate(checker.entries)
        if not (entry.get("width") and entry.get("height"))
    ]
    failed: dict[int, str] = {}
    unknown = 0
    for row in rows:
        try:
            found = size_of(checker.entries[row]["file_name"])
        except ValueError as error:
            failed[row] = str(error)
            continue
        unknown += found is None
        width, height = found or (UNKNOWN_SIDE, UNKNOWN_SIDE)
        checker.entries[row] = {**checker.entries[row], "width": width, "height": height}
    if rows:
        found_ones = len(rows) - unknown - len(failed)
        parts = [f"{found_ones:,} sizes were read from the photos"] if found_ones else []
        parts += [f"{unknown:,} are not known, and boxes not held against them"] if unknown else []
        told = f": {'; '.join(parts)}" if parts else ""
        checker.note(f"{len(rows):,} images have no width and height{told}")
    checker.drop(list(failed), lambda row: f"has no width and height, and its photo: {failed[row]}")


def check_annotations(
    entries: Sequence[Any],
    file: str,
    sizes: dict[int, tuple[int, int]],
    category_ids: Collection[int],
    image_numbers: IdNumbers | None = None,
    category_numbers: IdNumbers | None = None,
    dropped_images: Collection[Id | None] = (),
) -> tuple[Checker, NDArray[np.float64], int]:
    """Check COCO's `annotations` against the images and the categories.

    Args:
        entries: the raw list.
        file: for the messages.
        sizes: width and height by image id.
        category_ids: the ids of the SKUs.
        image_numbers: by which the file's ids of images become those of `sizes`.
        category_numbers: by which the file's ids of categories become `category_ids`.
        dropped_images: ids of images that were left out: their items are, without a word.

    Returns:
        The checker; boxes (N, 4) xyxy in pixels of its entries, cut to their images; how many
        boxes were cut, see `CUT_SHARE_OF_SIDE`.
    """
    checker = Checker(entries, "annotation", file)
    checker.require_objects()
    checker.require_unique_ids(numbered=True)
    kept = {entry_id for entry_id in dropped_images if entry_id not in sizes}
    checker.leave_out_those_of("image_id", kept, image_numbers)
    checker.require_known("image_id", sizes, "no image has this id", image_numbers)
    low, high = min(category_ids, default=0), max(category_ids, default=0)
    checker.require_known(
        "category_id",
        category_ids,
        f"no category has this id (they go from {low} to {high})",
        category_numbers,
    )
    _forget_nan_areas(checker)
    checker.allow("area", is_number, "pixels, a number >= 0", are_numbers, as_number)
    checker.allow("visible", lambda value: is_number(value) and value <= 1, "a fraction 0 to 1")
    _check_crowds(checker)
    boxes, clipped = _check_boxes(checker, sizes)
    return checker, boxes, clipped


def _forget_nan_areas(checker: Checker) -> None:
    """Areas that pandas wrote as NaN are those of the boxes, as where there is none."""
    areas = [entry.get("area") for entry in checker.entries]
    rows = [row for row, area in enumerate(areas) if area != area]
    for row in rows:
        checker.entries[row] = {**checker.entries[row], "area": None}
    if rows:
        checker.note(f"the area of {len(rows):,} annotations is NaN: taken from their boxes")


def _check_crowds(checker: Checker) -> None:
    """Leave out crowds, but for the masks of single items that CVAT calls so."""
    marked = [row for row, entry in enumerate(checker.entries) if _is_crowd(entry.get("iscrowd"))]
    plain = [
        row for row in marked if checker.entries[row]["iscrowd"] in (1, "1", "1.0", "true", "True")
    ]
    items = crowds_that_are_items(checker.entries, plain) if plain else []
    for row in items:
        checker.entries[row] = {**checker.entries[row], "iscrowd": 0}
    if items:
        checker.note(
            f"{len(items):,} annotations with iscrowd 1 are read as one item each, as CVAT writes "
            "its masks"
        )
    crowds = sorted(set(marked) - set(items))
    checker.drop(
        crowds,
        lambda row: (
            f"iscrowd: expected 0, got {short(checker.entries[row]['iscrowd'])} (a crowd cannot be "
            "counted: annotate its items one by one; where it is one item, such as a mask painted "
            "in CVAT, write 0)"
        ),
    )


def _check_boxes(
    checker: Checker, sizes: dict[int, tuple[int, int]]
) -> tuple[NDArray[np.float64], int]:
    """Boxes (N, 4) xyxy of the entries whose bbox lies in its image, and how many were cut."""
    four = "[x, y, width, height], four finite numbers"
    checker.require("bbox", is_box, four, are_boxes, as_box)
    flat_boxes = list(chain.from_iterable(checker.column("bbox")))
    boxes = np.array(flat_boxes, dtype=np.float64).reshape(-1, 4)

    flat = np.flatnonzero((boxes[:, 2:] <= 0).any(axis=1)).tolist()
    stay = checker.drop(
        flat,
        lambda row: (
            "bbox: expected a width and a height above 0, "
            f"got [x, y, width, height] = {short(checker.entries[row]['bbox'])}"
        ),
    )
    boxes = boxes[stay]

    # A millionth of a pixel: coarse enough for x + (x2 - x) to give x2 again after writing.
    boxes[:, 2:] = np.round(boxes[:, :2] + boxes[:, 2:], 6)
    boxes[:, :2] = np.round(boxes[:, :2], 6)
    limits = np.array([sizes[entry["image_id"]] for entry in checker.entries]).reshape(-1, 2)
    cut = np.concatenate([boxes[:, :2].clip(0, limits), boxes[:, 2:].clip(0, limits)], axis=1)
    far = np.flatnonzero(~may_be_cut(boxes, cut, limits)).tolist()
    stay = checker.drop(far, lambda row: _outside(checker, row, limits))
    boxes, cut = boxes[stay], cut[stay]
    reach = np.abs(cut - boxes).max(axis=1, initial=0.0)
    clipped = int((reach > 0).sum())
    if clipped:
        checker.note(
            f"{clipped:,} boxes reach out of their image, by {reach.max():.3g} px at most, and are "
            "cut"
        )
    return cut, clipped


def may_be_cut(
    boxes: NDArray[np.float64], cut: NDArray[np.float64], limits: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Which boxes (N, 4) lie in their image, or reach out of it no further than is rounding."""
    out = np.abs(cut - boxes)
    left = (cut[:, 2:] - cut[:, :2]).prod(axis=1) / (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    sides = np.where(limits < UNKNOWN_SIDE, limits * CUT_SHARE_OF_SIDE, 0)
    near = (out <= np.concatenate([sides, sides], axis=1)).all(axis=1) & (left >= 0.5)
    near |= (out <= CUT_PIXELS).all(axis=1) | (left >= 1 - CUT_SHARE_OF_BOX)
    return np.asarray(near & (cut[:, 2:] > cut[:, :2]).all(axis=1))


def _outside(checker: Checker, row: int, limits: NDArray[np.int64]) -> str:
    width, height = limits[row].tolist()
    box = as_box(checker.entries[row]["bbox"]) or [0.0] * 4
    turned = max(box[0] + box[2] - height, box[1] + box[3] - width, -box[0], -box[1]) <= CUT_PIXELS
    hint = (
        f"; it would fit {height}x{width}: is the size that of the photo before its EXIF turn?"
        if turned
        else ""
    )
    return (
        f"bbox [x, y, width, height] = {short(checker.entries[row]['bbox'])} "
        f"lies outside its image of {width}x{height} px{hint}"
    )


def _is_crowd(value: Any) -> bool:
    return bool(value) and value not in ("0", "0.0", "false", "False")
