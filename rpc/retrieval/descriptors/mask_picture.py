"""A mask drawn over its photo: to see what was selected.

Key: H x W pixels, h x w cells.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from rpc.retrieval.descriptors.selection import Mask, resized_mask

Rgb = NDArray[np.uint8]

DIMMED = 0.35  # of the brightness of what was not selected
EDGE = (255, 60, 60)
BOX = (60, 120, 255)


def draw_mask(rgb: Rgb, mask: Mask, *, box: bool = True) -> Rgb:
    """The photo with everything but the mask dimmed, the mask's edge and its tight box.

    Args:
        rgb: (H, W, 3) uint8.
        mask: (h, w), enlarged to the photo by its nearest cell.
        box: draw the box too.

    Returns:
        (H, W, 3) uint8, a new picture; dimmed as a whole where the mask is empty.
    """
    height, width = rgb.shape[:2]
    full = resized_mask(mask, height, width)
    picture = np.where(full[:, :, None], rgb, (rgb * DIMMED).astype(np.uint8))
    thickness = max(min(height, width) // 150, 1)
    edges, _ = cv2.findContours(full.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(picture, edges, -1, EDGE, thickness)
    if box and full.any():
        rows, columns = np.flatnonzero(full.any(axis=1)), np.flatnonzero(full.any(axis=0))
        corners = (int(columns[0]), int(rows[0])), (int(columns[-1]), int(rows[-1]))
        cv2.rectangle(picture, *corners, BOX, thickness)
    return picture
