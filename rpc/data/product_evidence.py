"""Signs on a photo that what was taken for the product is not all of it, or more than it.

Both are measured around a guess, a mask or a box, without knowing the truth: sharp detail that
goes on just outside it (the rest of a bottle whose label was found, the rim of clear glass, an
outline of white on white), and a part within it that is the ground in shadow.

Key: h, w a working copy of the part of a photo around the guess.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from rpc.structures import mask_to_box

BoolMask = NDArray[np.bool_]
Plane = NDArray[np.float32]

EDGE_SIDE: Final = 200  # px of the guess's longer side where edges are looked for
EDGE_AROUND: Final = 0.9  # of that side: how far around it
EDGE_NEAR: Final = (0.03, 0.2)  # of that side: from where to where an edge outside counts
EDGE_LEAST: Final = 0.45  # CIELAB; fainter detail cannot be told from noise and JPEG
EDGE_NOISE: Final = 5.0  # times the median detail outside the guess
SHADOW_SIDE: Final = 128
SHADOW_AROUND: Final = 0.35
SHADOW_DEPTH: Final = (-3.4, -0.15)  # log of the light left: from a fifth of the grey level to .93
SHADOW_COLOUR: Final = (0.1, 0.08)  # spread of the channels' logs, and more of it the darker
SHADOW_SMOOTH: Final = 0.25  # most change of the log from pixel to pixel
SHADOW_OUTLINE: Final = 0.05  # of the outline that a part must hold to count as a shadow


@dataclass(frozen=True)
class Guess:
    """Pixels of a photo that were taken for the product.

    Attributes:
        mask: (h, w), where they are.
        left: of the mask's first column, px of the photo.
        top: of its first row.
        zoom: pixels of the mask per pixel of the photo.
    """

    mask: BoolMask = field(repr=False)
    left: float = 0.0
    top: float = 0.0
    zoom: float = 1.0

    @classmethod
    def of_box(cls, box: Sequence[float]) -> Guess:
        """A box xyxy, as if the product filled it."""
        x1, y1, x2, y2 = box
        return cls(np.ones((max(1, round(y2 - y1)), max(1, round(x2 - x1))), bool), x1, y1)

    def box(self) -> tuple[float, float, float, float] | None:
        """Tight box xyxy on the photo; None where the mask is empty."""
        tight = mask_to_box(self.mask)
        if tight is None:
            return None
        x1, y1, x2, y2 = (float(value) / self.zoom for value in tight)
        return x1 + self.left, y1 + self.top, x2 + self.left, y2 + self.top

    def surroundings(
        self, rgb: NDArray[np.uint8], around: float, side: int
    ) -> tuple[NDArray[np.uint8], BoolMask]:
        """The part of a photo (H, W, 3) around the guess, and the mask there: (h, w, 3), (h, w).

        Args:
            rgb: the photo.
            around: how far, as a fraction of the guess's longer side.
            side: that longer side is scaled down to it, px.
        """
        height, width = rgb.shape[:2]
        x1, y1, x2, y2 = self.box() or (0.0, 0.0, float(width), float(height))
        longer = max(x2 - x1, y2 - y1)
        left = round(min(max(0.0, x1 - around * longer), width - 1.0))
        top = round(min(max(0.0, y1 - around * longer), height - 1.0))
        part = rgb[
            top : max(top + 1, round(min(height, y2 + around * longer))),
            left : max(left + 1, round(min(width, x2 + around * longer))),
        ]
        scale = min(1.0, side / longer)
        size = (max(8, round(part.shape[1] * scale)), max(8, round(part.shape[0] * scale)))
        fx, fy = size[0] / part.shape[1], size[1] / part.shape[0]
        matrix = np.array(
            [
                [fx / self.zoom, 0, (self.left - left) * fx],
                [0, fy / self.zoom, (self.top - top) * fy],
            ]
        )
        here = cv2.warpAffine(self.mask.astype(np.float32), matrix, size, flags=cv2.INTER_LINEAR)
        small = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
        return np.asarray(small, np.uint8), np.asarray(here > 0.5)


def edges_beyond(rgb: NDArray[np.uint8], guess: Guess) -> float:
    """Share (0 to 1) of the band just outside a guess that shows sharp detail.

    Args:
        rgb: photo (H, W, 3).
        guess: what was taken for the product; 0 where nothing is outside it.
    """
    small, mask = guess.surroundings(rgb, EDGE_AROUND, EDGE_SIDE)
    rows, columns = np.nonzero(mask)
    if not len(rows):
        return 0.0
    longer = 1 + max(int(np.ptp(rows)), int(np.ptp(columns)))
    far = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5)
    nearest = max(4.0, EDGE_NEAR[0] * longer)  # the guess's own outline does not count
    outside, band = far > nearest, (far > nearest) & (far < nearest + EDGE_NEAR[1] * longer)
    if outside.sum() < 50 or not band.any():
        return 0.0
    detail = _detail(small)
    least = max(EDGE_LEAST, EDGE_NOISE * float(np.median(detail[outside])))
    return float((detail[band] > least).mean())


def shadow_share(rgb: NDArray[np.uint8], guess: Guess) -> float:
    """Share (0 to 1) of a guess that looks like the ground in shadow and reaches its outline.

    A shadow has the ground's hue, is darker, and smooth. A grey product on a grey ground looks the
    same: what is measured is a doubt, no proof.

    Args:
        rgb: photo (H, W, 3).
        guess: what was taken for the product.
    """
    small, mask = guess.surroundings(rgb, SHADOW_AROUND, SHADOW_SIDE)
    ground = cv2.dilate(mask.astype(np.uint8), np.ones((9, 9), np.uint8)) == 0
    if mask.sum() < 10 or ground.sum() < 30:
        return 0.0
    light = (cv2.GaussianBlur(small, (0, 0), 1.0).astype(np.float32) / 255) ** 2.2 + 2e-3
    logs = np.log(light / np.quantile(light[ground], 0.6, axis=0))  # (h, w, 3)
    depth = np.ascontiguousarray(logs.mean(axis=2), np.float32)
    colour = np.abs(logs - depth[..., None]).max(axis=2)
    slope = np.hypot(cv2.Sobel(depth, cv2.CV_32F, 1, 0), cv2.Sobel(depth, cv2.CV_32F, 0, 1)) / 8
    shadow = (
        mask
        & (depth > SHADOW_DEPTH[0])
        & (depth < SHADOW_DEPTH[1])
        & (colour < SHADOW_COLOUR[0] + SHADOW_COLOUR[1] * np.abs(depth))
        & (slope < SHADOW_SMOOTH)
    )
    opened = cv2.morphologyEx(shadow.astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    _, parts = cv2.connectedComponents(opened)
    inner = cv2.erode(mask.astype(np.uint8), np.ones((13, 13), np.uint8), borderValue=0)
    outline = mask & (inner == 0)
    held = np.bincount(parts[outline], minlength=parts.max() + 1)
    counts = np.bincount(parts.ravel(), minlength=parts.max() + 1)
    reaching = held >= SHADOW_OUTLINE * outline.sum()
    reaching[0] = False
    return float(counts[reaching].sum() / mask.sum())


def _detail(rgb: NDArray[np.uint8]) -> Plane:
    """How much each pixel (h, w) differs from its surroundings, in CIELAB: lines and sharp steps.

    The soft edge of a shadow shows little of it.
    """
    lab = cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    band = cv2.GaussianBlur(lab, (0, 0), 1.0) - cv2.GaussianBlur(lab, (0, 0), 2.5)
    return np.asarray(np.linalg.norm(band, axis=2), dtype=np.float32)
