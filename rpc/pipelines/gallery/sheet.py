"""A picture of a search: the query, and beside it the exemplars that are most like it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from rpc.data.files import DataError
from rpc.data.images import read_image
from rpc.pictures.lettering import Lettering
from rpc.pictures.palette import FAINT, INK, PAPER, RIGHT
from rpc.retrieval.gallery.gallery import Hit

Rgb = NDArray[np.uint8]
TILE: Final = 190  # px
GAP: Final = 10
TEXT: Final = 15


def draw_hits(
    query: Rgb, hits: Sequence[Hit], pictures: Path, lettering: Lettering, accepted: bool | None
) -> Rgb:
    """One row: the query's crop (h, w, 3), then each answer's nearest exemplar.

    Args:
        query: the crop that was searched.
        hits: best first.
        pictures: folder of the gallery's pictures; one that is not there leaves its place empty.
        lettering: the fonts.
        accepted: whether the first answer passed the open-set threshold; None where there is none.
    """
    step = TILE + GAP
    sheet = Image.new("RGB", (GAP + (1 + len(hits)) * step, TILE + 3 * TEXT + 3 * GAP), PAPER)
    pen = ImageDraw.Draw(sheet)
    _tile(sheet, GAP, query)
    told = {None: "query", True: "query", False: "query: not in the gallery"}[accepted]
    _text(pen, GAP, 0, told, lettering)
    for place, hit in enumerate(hits, start=1):
        left = GAP + place * step
        try:
            _tile(sheet, left, read_image(pictures / hit.photo.picture))
        except (DataError, OSError):
            _text(pen, left, -3, "no picture", lettering, FAINT)
        colour = RIGHT if place == 1 and accepted else INK
        _text(pen, left, 0, f"{place}. {hit.score:.3f}", lettering, colour)
        _text(pen, left, 1, hit.sku.title or hit.sku.name, lettering)
    return np.asarray(sheet).copy()


def _tile(sheet: Image.Image, left: int, rgb: Rgb) -> None:
    scale = TILE / max(rgb.shape[:2])
    size = (max(round(rgb.shape[1] * scale), 1), max(round(rgb.shape[0] * scale), 1))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    place = (left + (TILE - size[0]) // 2, GAP + (TILE - size[1]) // 2)
    sheet.paste(Image.fromarray(small), place)


def _text(
    pen: ImageDraw.ImageDraw,
    left: int,
    line: int,
    text: str,
    lettering: Lettering,
    colour: tuple[int, int, int] = INK,
) -> None:
    told = lettering.fit(lettering.plain(text), TEXT, TILE)
    top = 2 * GAP + TILE + line * (TEXT + 5)
    pen.text((left, top), told, fill=colour, font=lettering.font(told, TEXT))
