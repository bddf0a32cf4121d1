"""Boxes to crops of one product each: the same margin for exemplars and for queries.

Key: H x W pixels of a photo, h x w of a crop, N boxes.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Rgb = NDArray[np.uint8]
MARGIN: Final = 0.04  # of a box's sides: the outline of a product tells it from its neighbours


def crop_products(rgb: Rgb, boxes: NDArray[np.floating], margin: float = MARGIN) -> list[Rgb]:
    """Crops (h, w, 3) of a photo (H, W, 3), each of its own size, at least one pixel a side.

    Args:
        rgb: the photo.
        boxes: (N, 4) xyxy in pixels; what lies outside of the photo is left out.
        margin: share of a box's sides that is added on each side.

    Raises:
        ValueError: a box is not finite.
    """
    height, width = rgb.shape[:2]
    array = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    if not np.isfinite(array).all():
        raise ValueError("boxes: expected finite corners")
    crops = []
    for x1, y1, x2, y2 in array:
        mx, my = margin * (x2 - x1), margin * (y2 - y1)
        left = min(int(max(x1 - mx, 0)), width - 1)
        top = min(int(max(y1 - my, 0)), height - 1)
        right = max(int(np.ceil(min(x2 + mx, width))), left + 1)
        bottom = max(int(np.ceil(min(y2 + my, height))), top + 1)
        crops.append(rgb[top:bottom, left:right])
    return crops
