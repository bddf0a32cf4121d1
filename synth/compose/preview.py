"""A contact sheet to look at: composed scenes beside real trays."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from rpc.data.evenly_spaced import evenly_spaced
from rpc.data.files import DataError
from rpc.data.images import read_image
from rpc.data.photo_files import find_photos

Rgb = NDArray[np.uint8]

TILE = 400  # pixels a side of a picture on the sheet
_GAP = 6


def contact_sheet(left: Sequence[Rgb], right: Sequence[Rgb] = (), columns: int = 3) -> Rgb:
    """One picture with `left` in a block of `columns` and `right`, if any, in a block beside it.

    Raises:
        DataError: `left` is empty.
    """
    if not left:
        raise DataError("contact sheet: expected one picture or more, got none")
    blocks = [_block(images, columns) for images in (left, right) if images]
    height = max(block.shape[0] for block in blocks)
    parts = []
    for number, block in enumerate(blocks):
        if number:
            parts.append(np.zeros((height, 4 * _GAP, 3), dtype=np.uint8))
        below = height - block.shape[0]
        parts.append(np.pad(block, ((0, below), (0, 0), (0, 0)), constant_values=255))
    return np.concatenate(parts, axis=1)


def sample_photos(folder: str | Path, count: int) -> list[Rgb]:
    """Up to `count` photos, evenly over the sorted names of a folder.

    Raises:
        DataError: the folder is missing or holds no photo.
    """
    paths = find_photos(folder, "photos of real trays").photos
    return [read_image(paths[row]) for row in evenly_spaced(len(paths), count)]


def _block(images: Sequence[Rgb], columns: int) -> Rgb:
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    step = TILE + _GAP
    block = np.full((rows * step, columns * step, 3), 255, dtype=np.uint8)
    for number, image in enumerate(images):
        factor = TILE / max(image.shape[:2])
        size = tuple(max(1, round(n * factor)) for n in (image.shape[1], image.shape[0]))
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        y, x = (number // columns) * step, (number % columns) * step
        block[y : y + small.shape[0], x : x + small.shape[1]] = small
    return block
