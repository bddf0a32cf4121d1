"""Pictures of co-localisation: the photo with its boxes, and the indicator map as heat over it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

Rgb = NDArray[np.uint8]
Colour = tuple[int, int, int]

TILE: Final = 220  # px, the side that photo and heat are fitted into
CAPTION: Final = 18
COLUMNS: Final = 4
FOUND: Final = (255, 60, 0)
TRUE: Final = (0, 200, 60)
PAPER: Final = (245, 245, 245)


def draw_found(
    rgb: Rgb,
    indicator: ArrayLike,
    box: Sequence[float] | None,
    truths: Sequence[Sequence[float]] = (),
    caption: str = "",
) -> Rgb:
    """A photo beside its heat: found box red, true boxes green.

    In the heat, red is far above 0 (the object), blue far below; the border between them is where
    the mask ends, before the largest part is taken.

    Args:
        rgb: photo (H, W, 3).
        indicator: P (h, w).
        box: found, xyxy in pixels of the photo; None draws none.
        truths: true boxes.
        caption: plain letters below.

    Returns:
        (TILE + CAPTION, 2 TILE, 3).
    """
    scale = TILE / max(rgb.shape[:2])
    size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
    photo = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    values = np.asarray(indicator, dtype=np.float64)
    reach = float(np.abs(values).max()) or 1.0
    levels = np.round(127.5 + 127.5 * values / reach).astype(np.uint8)
    steps = cv2.resize(levels, size, interpolation=cv2.INTER_NEAREST)
    colours = cv2.cvtColor(cv2.applyColorMap(steps, cv2.COLORMAP_JET), cv2.COLOR_BGR2RGB)
    heat = np.asarray(cv2.addWeighted(photo, 0.4, colours, 0.6, 0), np.uint8)
    for truth in truths:
        _outline(photo, truth, scale, TRUE)
    if box is not None:
        for picture in (photo, heat):
            _outline(picture, box, scale, FOUND)
    tile = np.full((TILE + CAPTION, 2 * TILE, 3), PAPER, np.uint8)
    for column, picture in enumerate((photo, heat)):
        tile[: size[1], column * TILE : column * TILE + size[0]] = picture
    text = caption.encode("ascii", "replace").decode("ascii")[:60]
    cv2.putText(
        tile, text, (3, TILE + 13), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (30, 30, 30), 1, cv2.LINE_AA
    )
    return tile


def sheet(tiles: Sequence[Rgb]) -> Rgb:
    """Tiles of one size in rows of `COLUMNS`.

    Raises:
        ValueError: there is no tile.
    """
    if not tiles:
        raise ValueError("sheet: expected 1 tile or more, got none")
    columns = min(COLUMNS, len(tiles))
    blank = np.full_like(tiles[0], PAPER[0])
    padded = [*tiles, *[blank] * (-len(tiles) % columns)]
    rows = [np.hstack(padded[i : i + columns]) for i in range(0, len(padded), columns)]
    return np.vstack(rows)


def _outline(
    picture: Rgb, box: Sequence[float], scale: float, colour: tuple[int, int, int]
) -> None:
    x1, y1, x2, y2 = (round(value * scale) for value in box)
    cv2.rectangle(picture, (x1, y1), (max(x1, x2 - 1), max(y1, y2 - 1)), colour, 2)
