"""Pictures of a retrieval to look at: what SCDA selects, and what queries find."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from rpc.data.class_folders import ClassPhotos
from rpc.data.images import read_image
from rpc.features.feature_maps import FeatureMaps
from rpc.reporting.lettering import Lettering
from rpc.reporting.palette import INK, MISSED, PAPER, RIGHT, Colour
from rpc.retrieval.mask_picture import draw_mask
from rpc.retrieval.selection import object_mask

Rgb = NDArray[np.uint8]

TILE: Final = 170  # px
GAP: Final = 8
TEXT: Final = 14
BORDER: Final = 4


def mask_sheet(
    data: ClassPhotos, maps: FeatureMaps, rows: Sequence[int], lettering: Lettering
) -> Rgb:
    """Photos of queries, and below each SCDA's mask of the last map with its box."""
    columns = []
    for row in rows:
        rgb = read_image(data.queries[row].path)
        mask = object_mask(maps(rgb)[0])
        columns.append((data.classes[data.queries[row].label], rgb, draw_mask(rgb, mask)))
    across = 8
    step = TILE + GAP
    block = TEXT + GAP + 2 * step
    lines = -(-len(columns) // across)
    sheet = Image.new("RGB", (across * step + GAP, lines * block + GAP), PAPER)
    for place, (title, photo, masked) in enumerate(columns):
        left, top = GAP + place % across * step, GAP + place // across * block
        _write(sheet, (left, top), title, lettering)
        _paste(sheet, (left, top + TEXT + 4), photo)
        _paste(sheet, (left, top + TEXT + 4 + step), masked)
    return np.asarray(sheet).copy()


def answer_sheet(
    data: ClassPhotos, nearest: NDArray[np.integer[Any]], rows: Sequence[int], lettering: Lettering
) -> Rgb:
    """A query a line, and right of it its first five answers: green right, red wrong."""
    step, height = TILE + GAP, TILE + TEXT + 2 * GAP
    sheet = Image.new("RGB", (6 * step + 3 * GAP, len(rows) * height + GAP), PAPER)
    for line, row in enumerate(rows):
        query = data.queries[row]
        top = GAP + line * height
        _write(sheet, (GAP, top), data.classes[query.label], lettering)
        _paste(sheet, (GAP, top + TEXT + 4), read_image(query.path))
        for place, index in enumerate(nearest[row].tolist(), start=1):
            answer = data.gallery[index]
            left = 3 * GAP + place * step
            _write(sheet, (left, top), data.classes[answer.label], lettering)
            colour = RIGHT if answer.label == query.label else MISSED
            _paste(sheet, (left, top + TEXT + 4), read_image(answer.path), colour)
    return np.asarray(sheet).copy()


def evenly(count: int, most: int) -> list[int]:
    """Up to `most` indices, evenly over `count`."""
    places = np.linspace(0, count - 1, min(most, count)).round().astype(int)
    return [int(place) for place in np.unique(places)]


def _paste(sheet: Image.Image, at: tuple[int, int], rgb: Rgb, colour: Colour | None = None) -> None:
    room = TILE - 2 * BORDER
    scale = room / max(rgb.shape[:2])
    size = (max(round(rgb.shape[1] * scale), 1), max(round(rgb.shape[0] * scale), 1))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = Image.fromarray(np.asarray(cv2.resize(rgb, size, interpolation=how), dtype=np.uint8))
    if colour is not None:
        corner = (at[0] + size[0] + 2 * BORDER - 1, at[1] + size[1] + 2 * BORDER - 1)
        ImageDraw.Draw(sheet).rectangle((*at, *corner), fill=colour)
    sheet.paste(small, (at[0] + BORDER, at[1] + BORDER))


def _write(sheet: Image.Image, at: tuple[int, int], title: str, lettering: Lettering) -> None:
    text = lettering.fit(lettering.plain(title), TEXT - 2, TILE)
    ImageDraw.Draw(sheet).text(at, text, fill=INK, font=lettering.font(text, TEXT - 2))
