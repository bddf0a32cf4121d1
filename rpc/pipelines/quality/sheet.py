"""A sheet to look at: trays of each set, and of each its busiest patch with every pixel seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from rpc.pictures.lettering import Lettering
from rpc.pictures.palette import INK, PAPER

Rgb = NDArray[np.uint8]

TILES: Final = 6  # of each set
TILE: Final = 256  # px
GAP: Final = 6
TITLE: Final = 30


def draw_sheet(sets: Mapping[str, Sequence[tuple[Rgb, Rgb]]], lettering: Lettering) -> Rgb:
    """One block a set: its name, a row of trays, and below each a patch of it, pixels enlarged.

    Args:
        sets: by name up to `TILES` pairs of a photo (H, W, 3) and a square patch of it.
        lettering: the fonts.
    """
    step = TILE + GAP
    block = TITLE + 2 * step
    sheet = Image.new("RGB", (TILES * step + GAP, block * len(sets)), PAPER)
    pen = ImageDraw.Draw(sheet)
    for number, (name, pairs) in enumerate(sets.items()):
        top = number * block
        text = lettering.fit(lettering.plain(name), 18, TILES * step)
        pen.text((GAP, top + 5), text, fill=INK, font=lettering.font(text, 18))
        for column, (photo, patch) in enumerate(pairs[:TILES]):
            left = GAP + column * step
            sheet.paste(Image.fromarray(_small(photo)), (left, top + TITLE))
            large = cv2.resize(patch, (TILE, TILE), interpolation=cv2.INTER_NEAREST)
            sheet.paste(Image.fromarray(large), (left, top + TITLE + step))
    return np.asarray(sheet).copy()


def _small(photo: Rgb) -> Rgb:
    scale = TILE / max(photo.shape[:2])
    size = (max(round(photo.shape[1] * scale), 1), max(round(photo.shape[0] * scale), 1))
    return np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
