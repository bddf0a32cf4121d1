"""A picture fitted into its place on a sheet, with a coloured frame where it says something."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from rpc.pictures.palette import Colour


def paste_framed(
    sheet: Image.Image,
    at: tuple[int, int],
    rgb: NDArray[np.uint8],
    colour: Colour | None = None,
    *,
    tile: int,
    border: int,
) -> None:
    """Paste a picture undistorted into the upper left of a square place of the sheet.

    Args:
        sheet: is drawn on.
        at: left and top of the place, px.
        rgb: (h, w, 3) of any size.
        colour: of the frame; None for no frame, the picture stays where it would be in one.
        tile: side of the place, px.
        border: width of the frame, px.
    """
    scale = (tile - 2 * border) / max(rgb.shape[:2])
    size = (max(round(rgb.shape[1] * scale), 1), max(round(rgb.shape[0] * scale), 1))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = Image.fromarray(np.asarray(cv2.resize(rgb, size, interpolation=how), dtype=np.uint8))
    if colour is not None:
        corner = (at[0] + size[0] + 2 * border - 1, at[1] + size[1] + 2 * border - 1)
        ImageDraw.Draw(sheet).rectangle((*at, *corner), fill=colour)
    sheet.paste(small, (at[0] + border, at[1] + border))
