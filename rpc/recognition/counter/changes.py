"""Crops and boxes changed by chance, as a detector and a tray change them: what training sees.

Key: N boxes, H x W pixels of a photo, S the side of a crop.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rpc.structures import box_areas, box_iou, clip_boxes

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Cover:
    """A plain disc or plate over a crop's middle, in pixels of the crop.

    A disc is 30 to 84 % of the crop's side wide, a plate 30 to 66 %.

    On trays, products show faces that no exemplar shows, plain bottoms above all: the name has to
    be read off what is left around them.

    Attributes:
        disc: else a plate.
        centre: (2,) x, y.
        half: (2,) half its width and height before it is turned.
        angle: degrees.
        colour: (3,) RGB.
        shade: brightness at the left and the right edge of the crop.
    """

    disc: bool
    centre: FloatArray
    half: FloatArray
    angle: float
    colour: FloatArray
    shade: tuple[float, float]

    @classmethod
    def drawn(cls, side: int, rng: np.random.Generator) -> Cover:
        """One by chance, for a crop of (S, S)."""
        centre = side * (0.5 + rng.normal(0, 0.1, 2).clip(-0.12, 0.12))
        disc = bool(rng.random() < 0.6)
        most = 0.42 if disc else 0.33  # a plate's corners reach farther
        half = side * rng.uniform(0.15, most, 2) * [1, rng.uniform(0.7, 1.0)]
        grey = rng.uniform(90, 250)
        colour = (grey + rng.normal(0, 6, 3)).clip(0, 255)
        if disc:
            half[1] = half[0] * rng.uniform(0.75, 1.0)
        angle = rng.uniform(0, 180)
        return cls(
            disc, centre, half, angle, colour, (rng.uniform(0.9, 1.1), rng.uniform(0.9, 1.1))
        )

    def over(self, crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The crop (S, S, 3) with the cover on it."""
        side = crop.shape[0]
        mask = np.zeros((side, side), np.float32)
        place = (tuple(self.centre), tuple(2 * self.half), self.angle)
        if self.disc:
            cv2.ellipse(mask, place, 1.0, -1)
        else:
            cv2.fillConvexPoly(mask, cv2.boxPoints(place).astype(np.int32), 1.0)
        soft = np.asarray(cv2.GaussianBlur(mask, (0, 0), 1.0), np.float32)[..., None]
        shade = np.linspace(*self.shade, side)[None, :, None]
        plate = (self.colour * shade).clip(0, 255)
        return np.asarray(crop * (1 - soft) + plate * soft, dtype=np.float32).astype(np.uint8)


def jitter_boxes(
    boxes: FloatArray, width: int, height: int, rng: np.random.Generator, strength: float = 0.035
) -> FloatArray:
    """Boxes (N, 4) as a detector gives them: each side moved by a share of the box's size.

    The detector's sides on val trays of the drawn stores are off by 2.2 to 3.8 % (standard
    deviation); more than that would hide how large an item is.
    """
    array = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    sides = np.tile(array[:, 2:] - array[:, :2], 2)
    moved = array + sides * rng.normal(0, strength, array.shape).clip(-0.15, 0.15)
    return clip_boxes(moved, width, height)


def stray_boxes(
    boxes: FloatArray, count: int, width: int, height: int, rng: np.random.Generator
) -> FloatArray:
    """Boxes (M, 4), M <= `count`, that frame no item: a part of one, two at once, or the bare tray.

    None of them has an IoU above 0.4 with any of the N `boxes`.
    """
    array = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    if len(array) == 0:
        return np.zeros((0, 4))
    picked = array[rng.integers(len(array), size=count)]
    sides = picked[:, 2:] - picked[:, :2]
    scale = np.exp(rng.uniform(np.log(0.35), np.log(2.0), (count, 1)))
    centre = (picked[:, :2] + picked[:, 2:]) / 2 + rng.normal(0, 0.45, (count, 2)) * sides
    stray = np.concatenate([centre - sides * scale / 2, centre + sides * scale / 2], axis=1)
    stray = clip_boxes(stray, width, height)
    clear = (box_iou(stray, array).max(axis=1) < 0.4) & (box_areas(stray) > 64)
    return np.asarray(stray[clear])
