"""The photo of an entry: read by whoever means its boxes, and refused where they are of another.

Boxes belong to the photo that was labelled. It may have been replaced by a larger original since,
or the labels were made on the pixels as they lie in the file, before the turn that EXIF asks for.
A wrong size shows both; where a turn keeps the size (180 degrees, square photos), the contrast of
a photo of one product shows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rpc.data.by_kind import Problem
from rpc.data.files import DataError
from rpc.data.images import PhotoHeader, photo_header, read_image
from rpc.data.product_box import find_product_box
from rpc.data.records import Box
from rpc.structures.boxes import box_iou

Rgb = NDArray[np.uint8]  # (H, W, 3)
Size = tuple[int, int]  # width, height in pixels

ROUNDING: Final = 1  # px by which a side may differ: no box is wrong by more
SAME_SHAPE: Final = 0.01  # by which the ratios of two sides may differ on a scaled photo
SURE_IOU: Final = 0.5  # of a box with what stands out, to say that it is meant
FAR_IOU: Final = 0.25  # below it the box means something else

UNTURN: Final = (
    "remove the EXIF turn from these files (exiftool -Orientation=1 -n FILES), or export the "
    "labels again with the turn applied"
)
TURNED_KIND: Final = "photos have an EXIF turn that keeps their size"
TURNED: Final = (
    "look at one with its boxes: where they were drawn before the turn they lie elsewhere, then "
) + UNTURN


@dataclass(frozen=True)
class EntryFault:
    """A reason why the boxes of an entry are not those of its photo.

    Attributes:
        what: what the file and the JSON say.
        kind: of which fault, as it follows a number.
        remedy: what to do.
    """

    what: str
    kind: str
    remedy: str

    def at(self, where: str) -> Problem:
        """The fault as a problem of a photo."""
        return Problem(where, self.what, self.kind, self.remedy)


def read_entry_photo(path: str | Path, size: Size | None, boxes: Sequence[Box] = ()) -> Rgb:
    """Read the photo that an entry's boxes were drawn on, upright.

    Args:
        path: of the file.
        size: width and height that the entry claims; None where it claims none.
        boxes: those of the entry, x1, y1, x2, y2; a single one is held against the contrast of a
            photo whose EXIF turn keeps the size.

    Returns:
        RGB (H, W, 3) uint8.

    Raises:
        DataError: the photo is missing or damaged, has another size than the entry says, or its
            box lies where the product is before the photo's EXIF turn.
    """
    rgb = read_image(path)
    fault = entry_fault(path, rgb, size, boxes)
    if fault is not None:
        raise DataError(f"{path}: {fault.what}; {fault.remedy}")
    return rgb


def entry_fault(
    path: str | Path, rgb: Rgb, size: Size | None, boxes: Sequence[Box] = ()
) -> EntryFault | None:
    """The fault of an entry whose photo was read as `rgb`; None where it has none."""
    height, width = rgb.shape[:2]
    if size is not None and not _same(size, (width, height)):
        return size_fault(photo_header(path), size, rgb, boxes)
    if len(boxes) != 1 or not (header := photo_header(path)).turn_keeps_size:
        return None
    if drawn_before_turn(rgb, boxes[0], header) is not True:
        return None
    return EntryFault(
        f"its box fits the photo before its EXIF turn ({header.turn_text}), not the upright one",
        "boxes fit the photo before its EXIF turn, not the upright one",
        UNTURN,
    )


def fits_upright(rgb: Rgb, boxes: Sequence[Box], header: PhotoHeader) -> bool:
    """Whether it is sure that a single box was drawn on the upright photo."""
    return (
        len(boxes) == 1
        and header.turn_keeps_size
        and drawn_before_turn(rgb, boxes[0], header) is False
    )


def size_fault(
    header: PhotoHeader, size: Size, rgb: Rgb | None = None, boxes: Sequence[Box] = ()
) -> EntryFault | None:
    """The fault of an entry by the photo's header; None where the sizes agree.

    Args:
        header: of the photo.
        size: width and height that the entry claims.
        rgb: the upright photo, where it is decoded.
        boxes: of the entry.
    """
    upright = (header.width, header.height)
    if _same(size, upright):
        return None
    said = f"is {upright[0]}x{upright[1]} px upright, the JSON says {size[0]}x{size[1]}"
    if _same(size, header.stored):
        return _before_turn(said, header, rgb, boxes)
    if _same(size, (upright[1], upright[0])):
        return EntryFault(
            f"{said}: width and height are exchanged",
            "photos have width and height exchanged in the JSON",
            "exchange them if the boxes fit the upright photo; else it was turned after it was "
            "labelled: put the labelled files back",
        )
    across, down = upright[0] / size[0], upright[1] / size[1]
    if abs(across / down - 1) <= SAME_SHAPE:
        times = _times(across)
        return EntryFault(
            f"{said}: {times} as large",
            f"photos are {times} as large as the JSON says",
            "the boxes belong to another size of this photo: write the sizes and boxes anew, or "
            "put the labelled files back",
        )
    return EntryFault(
        f"{said}: another picture",
        "photos have another size than the JSON says",
        "the boxes belong to another picture: put the labelled files back, or write the sizes and "
        "boxes anew",
    )


def turned_box(box: Box, header: PhotoHeader) -> Box:
    """The place on the upright photo of a box that was drawn on the pixels as the file has them."""
    x1, y1, x2, y2 = box
    width, height = header.stored
    left, right = (x1, x2), (width - x2, width - x1)
    top, bottom = (y1, y2), (height - y2, height - y1)
    (a, c), (b, d) = {
        2: (right, top),
        3: (right, bottom),
        4: (left, bottom),
        5: (top, left),
        6: (bottom, left),
        7: (bottom, right),
        8: (top, right),
    }.get(header.turn, (left, top))
    return a, b, c, d


def _before_turn(
    said: str, header: PhotoHeader, rgb: Rgb | None, boxes: Sequence[Box]
) -> EntryFault:
    """The fault of a size that is the photo's before its EXIF turn."""
    what = f"{said}: the size of the photo before its EXIF turn ({header.turn_text})"
    kind = "photos have in the JSON the size before their EXIF turn"
    before = _reaches_out(boxes, header)
    if before is None and rgb is not None and len(boxes) == 1:
        before = drawn_before_turn(rgb, boxes[0], header)
    if before is None:
        return EntryFault(
            what,
            kind,
            "where the boxes fit the upright photo, exchange width and height in the JSON; where "
            f"they were drawn before the turn, {UNTURN}",
        )
    if before:
        return EntryFault(
            f"{what}, and its boxes fit that, too", f"{kind}, and boxes of it", UNTURN
        )
    return EntryFault(
        f"{what}; its boxes fit the upright photo",
        f"{kind}, but boxes of the upright one",
        "exchange width and height in the JSON",
    )


def _reaches_out(boxes: Sequence[Box], header: PhotoHeader) -> bool | None:
    """Whether the boxes lie in the photo before its turn alone; None where they lie in both."""
    if any(x2 > header.width + 1 or y2 > header.height + 1 for _, _, x2, y2 in boxes):
        return True
    return None


def drawn_before_turn(rgb: Rgb, box: Box, header: PhotoHeader) -> bool | None:
    """Whether the box means the product before or after the turn; None where that is not sure."""
    found, quality = find_product_box(rgb)
    if quality == 0:
        return None
    as_is, turned = box_iou([found], [box, turned_box(box, header)])[0].tolist()
    if turned >= SURE_IOU and as_is <= FAR_IOU:
        return True
    return False if as_is >= SURE_IOU and turned <= FAR_IOU else None


def _same(one: Size, other: Size) -> bool:
    return all(abs(a - b) <= ROUNDING for a, b in zip(one, other, strict=True))


def _times(factor: float) -> str:
    """A factor in words: `twice`, `half`, `1.33 times`."""
    for value, word in ((2.0, "twice"), (0.5, "half")):
        if abs(factor / value - 1) <= SAME_SHAPE:
            return word
    return f"{factor:.3g} times"
