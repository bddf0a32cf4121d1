"""Pictures of a retrieval to look at: what SCDA selects, and what queries find."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from rpc.features.backbones.feature_maps import FeatureMaps
from rpc.pictures.framed import paste_framed
from rpc.pictures.lettering import Lettering
from rpc.pictures.palette import INK, MISSED, PAPER, RIGHT
from rpc.pipelines.retrieval.photos import ClassPhotos
from rpc.retrieval.descriptors.mask_picture import draw_mask
from rpc.retrieval.descriptors.selection import object_mask

Rgb = NDArray[np.uint8]

TILE: Final = 170  # px
GAP: Final = 8
TEXT: Final = 14
BORDER: Final = 4
_paste = partial(paste_framed, tile=TILE, border=BORDER)


def mask_sheet(
    data: ClassPhotos, maps: FeatureMaps, rows: Sequence[int], lettering: Lettering
) -> Rgb:
    """Photos of queries, and below each SCDA's mask of the last map with its box."""
    columns = []
    for row in rows:
        rgb = data.queries[row].read()
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
        _paste(sheet, (GAP, top + TEXT + 4), query.read())
        for place, index in enumerate(nearest[row].tolist(), start=1):
            answer = data.gallery[index]
            left = 3 * GAP + place * step
            _write(sheet, (left, top), data.classes[answer.label], lettering)
            colour = RIGHT if answer.label == query.label else MISSED
            _paste(sheet, (left, top + TEXT + 4), answer.read(), colour)
    return np.asarray(sheet).copy()


def _write(sheet: Image.Image, at: tuple[int, int], title: str, lettering: Lettering) -> None:
    text = lettering.fit(lettering.plain(title), TEXT - 2, TILE)
    ImageDraw.Draw(sheet).text(at, text, fill=INK, font=lettering.font(text, TEXT - 2))
