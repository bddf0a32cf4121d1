"""A tray photo taken apart: the empty tray, and each item for itself.

Key: H x W pixels of the clip's pictures, N items.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from rpc.structures.boxes import FloatArray

Rgb = NDArray[np.uint8]
Picture = NDArray[np.float32]

DIFFERS: Final = 12.0  # of 255: so much an item differs from the empty tray
AROUND: Final = 3  # px around a box that are filled in as well: shadows


@dataclass(frozen=True, eq=False)
class Stage:
    """The pictures of a clip.

    Attributes:
        empty: (H, W, 3) float, the empty tray, 0 to 255.
        full: (H, W, 3) float, the photo with all items.
        masks: (N, H, W) float 0 to 1: where each item is.
    """

    empty: Picture
    full: Picture
    masks: Picture

    def __len__(self) -> int:
        return len(self.masks)

    def place(self, item: int) -> tuple[float, float]:
        """The middle of an item, x and y in pixels."""
        rows, columns = np.nonzero(self.masks[item] > 0.5)
        if not len(rows):
            return self.empty.shape[1] / 2, self.empty.shape[0] / 2
        return float(columns.mean()), float(rows.mean())


def stage_of(photo: Rgb, boxes: FloatArray, *, side: int = 320, margin: float = 0.0) -> Stage:
    """Take a photo apart.

    Args:
        photo: (any, any, 3) of a tray.
        boxes: (N, 4) of its items, xyxy.
        side: px of the long side of the clip's pictures.
        margin: how much of the surroundings the camera sees on each side, as a fraction of the
            photo's long side: the empty tray, mirrored.
    """
    long_side = max(photo.shape[:2])
    scale = side / (long_side * (1 + 2 * margin))
    size = [round(photo.shape[1] * scale), round(photo.shape[0] * scale)]
    full = cv2.resize(photo, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    places = boxes * scale
    empty = _filled(full, places)
    masks = _masks(full, empty, places)
    pad = round(margin * long_side * scale)
    if pad:
        empty, full = (_mirrored(one, pad) for one in (empty, full))
        masks = np.pad(masks, ((0, 0), (pad, pad), (pad, pad)))
        inside = np.zeros(empty.shape[:2], bool)
        inside[pad:-pad, pad:-pad] = True
        full = np.where(inside[..., None], full, empty)
    return Stage(empty, full, masks)


def _mirrored(picture: Picture, pad: int) -> Picture:
    wider = cv2.copyMakeBorder(picture, pad, pad, pad, pad, cv2.BORDER_REFLECT)
    return np.asarray(wider, np.float32)


def _filled(full: Picture, places: FloatArray) -> Picture:
    """The empty tray: what lies around the items, spread into their places, with its texture."""
    known = np.ones(full.shape[:2], np.float32)
    for x1, y1, x2, y2 in places.round().astype(int).tolist():
        known[max(y1 - AROUND, 0) : y2 + AROUND, max(x1 - AROUND, 0) : x2 + AROUND] = 0
    smooth = np.zeros_like(full)
    missing = np.ones(full.shape[:2], np.float32)
    for sigma in (6.0, 24.0, 96.0):  # near neighbours first, then farther ones
        weight = cv2.GaussianBlur(known, (0, 0), sigma)
        spread = cv2.GaussianBlur(full * known[..., None], (0, 0), sigma)
        trust = np.minimum(weight / 0.05, 1) * missing
        smooth += trust[..., None] * spread / np.maximum(weight, 1e-6)[..., None]
        missing = missing - trust
    smooth += missing[..., None] * np.median(full[known > 0] if known.any() else full, axis=0)
    texture = (full - cv2.GaussianBlur(full, (0, 0), 3.0)) * known[..., None]
    texture = np.ascontiguousarray(texture[::-1, ::-1])
    soft = cv2.GaussianBlur(known, (0, 0), 1.5)[..., None] * known[..., None]
    return np.asarray(soft * full + (1 - soft) * (smooth + texture), np.float32)


def _masks(full: Picture, empty: Picture, places: FloatArray) -> Picture:
    """Where each item is; where boxes overlap, a pixel is of the smaller one."""
    owner = np.full(full.shape[:2], -1)
    areas = (places[:, 2] - places[:, 0]) * (places[:, 3] - places[:, 1])
    for item in np.argsort(-areas, kind="stable"):
        x1, y1, x2, y2 = places[item].round().astype(int).tolist()
        owner[max(y1, 0) : y2, max(x1, 0) : x2] = item
    differs = (np.abs(full - empty).max(axis=2) > DIFFERS).astype(np.uint8)
    differs = cv2.morphologyEx(differs, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    return np.array(
        [
            cv2.GaussianBlur(((owner == item) & (differs > 0)).astype(np.float32), (0, 0), 0.7)
            for item in range(len(places))
        ],
        np.float32,
    ).reshape(-1, *full.shape[:2])
