"""A picture rotated by any angle, all of it kept.

Key: h x w pixels before, H x W after.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Rgb = NDArray[np.uint8]


def rotated(picture: Rgb, degrees: float, fill: int = 255) -> Rgb:
    """The picture (h, w, 3) rotated counterclockwise, in the smallest (H, W, 3) that holds it.

    Quarter turns move pixels and change none; other angles interpolate.

    Args:
        picture: what is rotated.
        degrees: by so much.
        fill: grey level of the corners.
    """
    quarters, rest = divmod(degrees, 90)
    straight = np.ascontiguousarray(np.rot90(picture, int(quarters)))
    if rest == 0:
        return straight
    height, width = straight.shape[:2]
    angle = np.radians(rest)
    cos, sin = np.cos(angle), np.sin(angle)
    wide = int(np.ceil(width * cos + height * sin))
    high = int(np.ceil(width * sin + height * cos))
    motion = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), rest, 1)
    motion[:, 2] += [(wide - width) / 2, (high - height) / 2]
    grey = (fill, fill, fill)
    found = cv2.warpAffine(straight, motion, (wide, high), borderValue=grey)
    return np.asarray(found, dtype=np.uint8)
