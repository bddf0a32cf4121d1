"""Where a recognition system looked on a photo: its attention as colour, its parts as boxes.

Key: S x S pixels of the photo, N boxes, h x w cells.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from rpc.pictures.lettering import Lettering
from rpc.pictures.palette import SKU_COLOURS, ink_on

Rgb = NDArray[np.uint8]
_TEXT = 12  # px


def draw_looked_at(
    rgb: Rgb,
    boxes: NDArray[np.floating],
    names: Sequence[str],
    heat: NDArray[np.floating] | None,
    side: int,
) -> Rgb:
    """A photo with what a system looked at.

    Args:
        rgb: (S, S, 3).
        boxes: (N, 4) x1, y1, x2, y2 px of the photo; one that reaches out is cut at the edge.
        names: of the boxes.
        heat: (h, w) any range, the larger the more; None where there is none.
        side: of the picture, px.

    Returns:
        (side, side, 3).

    Raises:
        ValueError: not a name for each box, or the photo is no square.
    """
    if rgb.shape[0] != rgb.shape[1] or len(boxes) != len(names):
        raise ValueError(
            f"expected a square photo and a name for each box, got {rgb.shape}, {len(boxes)} "
            f"boxes and {len(names)} names"
        )
    scale = side / rgb.shape[0]
    large = np.asarray(cv2.resize(rgb, (side, side), interpolation=cv2.INTER_LINEAR), np.uint8)
    picture = Image.fromarray(large if heat is None else _heated(large, heat))
    draw, lettering = ImageDraw.Draw(picture), Lettering()
    for number, (box, name) in enumerate(zip(np.asarray(boxes) * scale, names, strict=True)):
        colour = SKU_COLOURS[number % len(SKU_COLOURS)]
        x1, y1, x2, y2 = (float(v) for v in np.clip(box, 0, side - 1))
        inset = min(3 * (number % 4), (x2 - x1) / 2, (y2 - y1) / 2)  # parts may lie on each other
        sides = (x1 + inset, y1 + inset, x2 - inset, y2 - inset)
        draw.rectangle(sides, outline=colour, width=3)
        text = lettering.plain(name)
        wide = lettering.width(text, _TEXT) + 6
        left, top = min(x1, side - wide), min(y1 + 15 * number, side - 15)
        draw.rectangle((left, top, left + wide, top + 15), fill=colour)
        font = lettering.font(text, _TEXT)
        draw.text((left + 3, top + 1), text, fill=ink_on(colour), font=font)
    return np.asarray(picture).copy()


def _heated(rgb: Rgb, heat: NDArray[np.floating]) -> Rgb:
    """The photo with the largest values red and the least blue; an even map leaves it plain."""
    values = np.nan_to_num(np.asarray(heat, np.float32))
    spread = float(values.max() - values.min())
    if spread == 0:
        return rgb
    unit = (255 * (values - values.min()) / spread).astype(np.uint8)
    size = (rgb.shape[1], rgb.shape[0])
    smooth = np.asarray(cv2.resize(unit, size, interpolation=cv2.INTER_CUBIC), np.uint8)
    colours = cv2.applyColorMap(smooth, cv2.COLORMAP_JET)[..., ::-1]
    return np.asarray((0.55 * rgb + 0.45 * colours), np.float32).astype(np.uint8)
