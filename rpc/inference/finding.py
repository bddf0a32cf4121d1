"""A detector's way from photos to detections, around whatever runs its network.

Key: H x W pixels of a photo, h x w of a picture as the network sees it, N detections.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from rpc.inference.dense_head import Found
from rpc.inference.letterbox import Rgb, letterbox
from rpc.structures import Detections, clip_boxes, order_corners

# Pictures (h, w, 3) of one shape, to what is found on each, in its own pixels.
FindsOnPictures = Callable[[Sequence[Rgb]], Sequence[Found]]


def find_on_photos(
    photos: Sequence[Rgb], image_size: tuple[int, int], find: FindsOnPictures
) -> list[Detections]:
    """All detections of each photo (H, W, 3), best score first; equal shapes are seen at once.

    Photos of different shapes are not padded to one another: what a photo shows does not depend on
    its neighbours.

    Args:
        photos: RGB, uint8.
        image_size: longest that the longer and the shorter side of a photo become, px.
        find: sees pictures of one shape.

    Raises:
        ValueError: one of them is not an RGB photo.
    """
    for rgb in photos:
        if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8:
            raise ValueError(f"photo: expected (H, W, 3) uint8, got {rgb.shape} {rgb.dtype}")
    boxed = [letterbox(rgb, *image_size) for rgb in photos]
    rows_of: dict[tuple[int, ...], list[int]] = {}
    for row, (picture, _) in enumerate(boxed):
        rows_of.setdefault(picture.shape, []).append(row)
    found = [Detections.empty()] * len(photos)
    for rows in rows_of.values():
        for row, answer in zip(rows, find([boxed[r][0] for r in rows]), strict=True):
            found[row] = _inside(answer, boxed[row][1], photos[row].shape[:2])
    return found


def _inside(found: Found, scale: float, shape: tuple[int, ...]) -> Detections:
    """From pixels of the picture to boxes inside the photo, best first."""
    corners, scores, labels = found
    inside = clip_boxes(order_corners(corners / scale), shape[1], shape[0])
    kept = Detections(inside, scores, labels)
    sides = inside[:, 2:] - inside[:, :2]
    kept = kept.select((sides > 1).all(axis=1))
    return kept.select(np.argsort(-kept.scores, kind="stable"))
