"""Photos to be taken again: those of SKUs without a sure cut-out, beside what was cut of them.

A SKU a row, with what speaks against its best cut-out: its photos with their boxes, below each what
was taken for the product, on magenta. People look at it, put the product on another ground, in
softer light or farther away, and import the new photos.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from rpc.data.files import DataError
from rpc.data.images import read_image, read_rgba, write_image
from rpc.data.records import Box
from synth.exemplar.sheet import BACKGROUND, DROPPED, TITLE, write_text

TILE: Final = 240  # px
CAPTION: Final = 16
COLUMNS: Final = 5  # photos of a SKU: more show the same fault
ROWS: Final = 6  # SKUs on a page
PATTERN: Final = "again_[0-9][0-9][0-9].jpg"

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Doubtful:
    """One photo to be looked at.

    Attributes:
        photo: the file.
        box: of the product, xyxy px.
        cutout: the PNG; None where nothing was cut.
        quality: of the mask, 0 to 1.
    """

    photo: Path
    box: Box
    cutout: Path | None
    quality: float


@dataclass(frozen=True)
class Again:
    """A SKU whose photos are not good enough.

    Attributes:
        category_id: its id.
        name: of the SKU.
        why: no usable cut-out, or only a doubtful one, and the reason.
        usable: a doubtful cut-out is used all the same.
        photos: in the order of the exemplars.
    """

    category_id: int
    name: str
    why: str
    usable: bool
    photos: tuple[Doubtful, ...]


def write_again(skus: Sequence[Again], folder: Path) -> list[Path]:
    """Write `again_001.jpg`, ... into `folder`, and remove older pages beyond them.

    Raises:
        DataError: a page cannot be written.
    """
    paths = []
    for number, start in enumerate(range(0, len(skus), ROWS), start=1):
        page = np.vstack([_row(sku) for sku in skus[start : start + ROWS]])
        paths.append(write_image(folder / f"again_{number:03d}.jpg", page, 90))
    for old in folder.glob(PATTERN):
        if old not in paths:
            old.unlink()
    return paths


def _row(sku: Again) -> Picture:
    """A title and up to `COLUMNS` photos over their cut-outs."""
    shown = sku.photos[:COLUMNS]
    blank = np.zeros((2 * TILE + CAPTION, TILE, 3), dtype=np.uint8)
    picture = np.hstack([_tile(one) for one in shown] + [blank] * (COLUMNS - len(shown)))
    title = np.zeros((2 * CAPTION, picture.shape[1], 3), dtype=np.uint8)
    more = f" (+{len(sku.photos) - COLUMNS} photos)" if len(sku.photos) > COLUMNS else ""
    state = "doubtful, used all the same" if sku.usable else "NO CUT-OUT"
    write_text(title, f"{sku.category_id} {sku.name}{more}: {state}: {sku.why}", TITLE, 0.5)
    return np.vstack([title, picture])


def _tile(one: Doubtful) -> Picture:
    try:
        photo = read_image(one.photo)
        x1, y1, x2, y2 = (round(value) for value in one.box)
        thick = max(1, round(max(photo.shape[:2]) / TILE))
        upper = _fitted(cv2.rectangle(photo.copy(), (x1, y1), (x2, y2), DROPPED, 2 * thick))
    except DataError:  # unreadable: the caption says so
        upper = np.zeros((TILE, TILE, 3), np.uint8)
    lower = np.zeros((TILE, TILE, 3), np.uint8)
    if one.cutout is not None:
        rgba = read_rgba(one.cutout)
        alpha = rgba[..., 3:].astype(np.float32) / 255
        flat = rgba[..., :3] * alpha + np.array(BACKGROUND, np.float32) * (1 - alpha)
        lower = _fitted(flat.round().astype(np.uint8))
    caption = np.zeros((CAPTION, TILE, 3), np.uint8)
    write_text(caption, f"q{one.quality:.2f} {one.photo.name}", DROPPED, 0.33)
    return np.vstack([upper, lower, caption])


def _fitted(picture: NDArray[Any]) -> Picture:
    """A picture (h, w, 3) made to fit a tile (TILE, TILE, 3)."""
    zoom = (TILE - 4) / max(picture.shape[:2])
    size = (max(1, round(picture.shape[1] * zoom)), max(1, round(picture.shape[0] * zoom)))
    small = cv2.resize(
        picture, size, interpolation=cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR
    )
    tile = np.zeros((TILE, TILE, 3), np.uint8)
    top, left = (TILE - size[1]) // 2, (TILE - size[0]) // 2
    tile[top : top + size[1], left : left + size[0]] = small
    return tile
