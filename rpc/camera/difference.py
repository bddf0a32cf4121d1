"""Whether two pictures of a tray show the same, whatever the light: fine detail is compared.

Each channel becomes the logarithm of its brightness, less its own blurred copy. An exposure, a
colour cast and the soft shadow of a person are smooth factors: smooth summands of the logarithm,
which the subtraction removes. With a and b the details of two pictures and sums over the window of
a cell, the cell is unchanged where

    (2 sum(a b) + c) / (sum(a^2) + sum(b^2) + c) >= 1/2

as in the structural similarity of Wang et al. (2004). A change of contrast by a factor r has
2 r / (1 + r^2): a focus that pulses changes nothing, another thing in the place does. c is what the
faintest edge that matters would have, or more where the camera's noise is stronger.

Key: H x W pixels of the small picture, h x w cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from rpc.camera.settings import Region

Rgb = NDArray[np.uint8]
Cells = NDArray[np.bool_]
Detail = NDArray[np.float32]

SIDE: Final = 160  # px of the small picture's long side
AVERAGED: Final = 2  # px of a frame, at least, to one of it: JPEG halves the colours' resolution
CELL: Final = 4  # px
WINDOW: Final = 7  # px around a cell's middle that are compared
SMOOTH: Final = 1.0  # px: what is finer is trembling and noise
BLUR: Final = 3.0  # px: what is smoother than this is light
DARKEST: Final = 64.0  # added to brightness: far below it, most of a difference is noise
QUIET: Final = 25  # percent of the cells that surely show no movement between two frames
ALIKE: Final = 0.5  # similarity from which a cell is unchanged
# Two pictures of nothing but noise of variance v differ by 2 v a pixel; c is so many times that.
NOISE_MARGIN: Final = 4.0


@dataclass(frozen=True, eq=False)
class SmallPicture:
    """A frame's tray region, small.

    Attributes:
        detail: (H, W, 3) fine detail of the logarithm of brightness.
        energy: (h, w) mean square of the detail in each cell's window, summed over channels.
        slope: (h, w) what `energy` noise of variance 1 in each channel has: the logarithm makes it
            large where it is dark.
        light: brightness 0 to 255 of green that 95 of 100 pixels stay below.
    """

    detail: Detail
    energy: Detail
    slope: Detail
    light: float

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.detail.shape[0], self.detail.shape[1]


def small_picture(rgb: Rgb, region: Region = (0.0, 0.0, 1.0, 1.0)) -> SmallPicture:
    """The small picture of a frame.

    Args:
        rgb: (any, any, 3).
        region: of the tray, as fractions of width and height.

    Raises:
        ValueError: not RGB bytes, or no pixel lies in the region.
    """
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8:
        raise ValueError(f"frame: expected (H, W, 3) uint8 RGB, got {rgb.shape} {rgb.dtype}")
    height, width = rgb.shape[:2]
    x1, y1, x2, y2 = region
    part = rgb[round(y1 * height) : round(y2 * height), round(x1 * width) : round(x2 * width)]
    if not part.size:
        raise ValueError(f"frame: {width} x {height} px: no pixel lies in the region {region}")
    scale = min(SIDE / max(part.shape[:2]), 1 / AVERAGED)
    size = [max(round(side * scale), CELL) for side in (part.shape[1], part.shape[0])]
    coarse = cv2.resize(part, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    smooth = cv2.GaussianBlur(coarse, (0, 0), SMOOTH, borderType=cv2.BORDER_REFLECT)
    small = np.asarray(smooth, np.float32)
    logs = np.log(small + DARKEST)
    detail = logs - cv2.GaussianBlur(logs, (0, 0), BLUR, borderType=cv2.BORDER_REFLECT)
    light = float(np.percentile(small[..., 1], 95))
    slope = (small + DARKEST) ** -2
    return picture_of(np.asarray(detail, np.float32), cells_of(slope, np.ones_like(slope)), light)


def picture_of(detail: Detail, slope: Detail, light: float) -> SmallPicture:
    """A small picture of its parts; what can be computed of them is."""
    return SmallPicture(detail, cells_of(detail, detail), slope, light)


def cells_of(first: Detail, second: Detail) -> Detail:
    """The product of two pictures (H, W, 3), summed over channels, as means of cells (h, w)."""
    product = np.einsum("ijk,ijk->ij", first, second)
    means = cv2.blur(product, (WINDOW, WINDOW), borderType=cv2.BORDER_REFLECT)
    return np.asarray(means[np.ix_(*(_middles(side) for side in means.shape))], np.float32)


def _middles(side: int) -> NDArray[np.int64]:
    """Where cells have their middles: every `CELL` pixels, and on the picture's very edge.

    The windows of those on the edge lie half outside, so an item has to be close to the edge to be
    seen by them.
    """
    return np.unique(np.r_[0, np.arange(CELL // 2, side, CELL), side - 1])


def noise_between(before: SmallPicture, after: SmallPicture) -> float:
    """Variance of the noise in a channel of the small picture, by two frames after each other.

    It is taken from the quieter cells: in the others something may move.
    """
    apart = after.detail - before.detail
    return float(np.percentile(cells_of(apart, apart) / (before.slope + after.slope), QUIET))


def changed_cells(
    before: SmallPicture, after: SmallPicture, noise: float = 0.0, least_contrast: float = 0.06
) -> Cells:
    """Which cells (h, w) show another thing.

    Args:
        before: one picture.
        after: the other one; swapping them changes nothing.
        noise: see `noise_between`.
        least_contrast: see `rpc.camera.settings.WatchSettings`.

    Raises:
        ValueError: the pictures have different shapes.
    """
    if before.shape != after.shape:
        raise ValueError(f"pictures: expected one shape, got {before.shape} and {after.shape}")
    common = cells_of(before.detail, after.detail)
    both = before.energy + after.energy
    floor = np.maximum(
        edge_energy(least_contrast), NOISE_MARGIN * noise * (before.slope + after.slope)
    )
    return np.asarray((2 * common + floor) / (both + floor) < ALIKE)


def edge_energy(contrast: float) -> float:
    """Mean energy in a cell's window of a straight edge of so much contrast, in all channels.

    On both sides of the edge the detail is half of the contrast, and decays within `BLUR`.
    """
    return 3 * (contrast / 2) ** 2 / 2


def reaching_in(cells: Cells, least_cells: int) -> Cells:
    """The cells of things that reach over the picture's edge: connected, with few gaps.

    Args:
        cells: (h, w), where something is that was not there before.
        least_cells: smaller things are none.
    """
    closed = cv2.dilate(cells.astype(np.uint8), np.ones((3, 3), np.uint8))
    _, labels = cv2.connectedComponents(closed, connectivity=8)
    labels = np.where(cells, labels, 0)
    rim = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    things = [one for one in np.unique(rim[rim > 0]) if (labels == one).sum() >= least_cells]
    return np.isin(labels, things)
