"""Pairs of pictures side by side, with a line of text beneath: what looks alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from rpc.pictures.lettering import Lettering
from rpc.pictures.palette import FAINT, INK, PAPER

SIDE: Final = 200  # px of a picture
GAP: Final = 16
TEXT: Final = 15
FOOT: Final = 50
COLUMNS: Final = 2  # pairs beside each other


@dataclass(frozen=True, eq=False)
class Pair:
    """Two pictures that are to be compared.

    Attributes:
        pictures: two of them, RGBA (H, W, 4) uint8: cut-outs with their soft edges.
        title: the line beneath.
        note: a second line, faint.
    """

    pictures: tuple[NDArray[np.uint8], NDArray[np.uint8]]
    title: str
    note: str = ""


def draw_pairs(pairs: Sequence[Pair]) -> NDArray[np.uint8]:
    """A sheet of pairs, RGB (H, W, 3).

    Raises:
        ValueError: no pair, or a picture is not (H, W, 4) uint8.
    """
    if not pairs:
        raise ValueError("pairs: expected one or more")
    lettering = Lettering(None)
    columns = min(COLUMNS, len(pairs))
    wide, high = 2 * SIDE + 3 * GAP, SIDE + GAP + FOOT
    rows = -(-len(pairs) // columns)
    sheet = Image.new("RGB", (columns * wide, rows * high), PAPER)
    draw = ImageDraw.Draw(sheet)
    for number, pair in enumerate(pairs):
        left, top = number % columns * wide, number // columns * high
        for place, picture in enumerate(pair.pictures):
            tile = _tile(picture)
            corner = (left + GAP + place * (SIDE + GAP), top + GAP)
            sheet.paste(tile, corner, tile)
        for line, (text, colour) in enumerate(((pair.title, INK), (pair.note, FAINT))):
            shown = lettering.fit(lettering.plain(text), TEXT, wide - 2 * GAP)
            at = (left + GAP, top + SIDE + GAP + 14 + 20 * line)
            draw.text(at, shown, fill=colour, font=lettering.font(shown, TEXT), anchor="lm")
    return np.asarray(sheet).copy()


def _tile(picture: NDArray[np.uint8]) -> Image.Image:
    """A picture fitted into `SIDE` x `SIDE`, in its middle."""
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 4 or not picture.size:
        raise ValueError(
            f"pairs: expected pictures (H, W, 4) uint8, got {picture.shape} {picture.dtype}"
        )
    scale = SIDE / max(picture.shape[:2])
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    fitted = Image.fromarray(cv2.resize(picture, size, interpolation=how))
    tile = Image.new("RGBA", (SIDE, SIDE))
    tile.paste(fitted, ((SIDE - size[0]) // 2, (SIDE - size[1]) // 2))
    return tile
