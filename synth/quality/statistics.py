"""Plain figures of a photo: light, colour, sharpness, noise, how much ground is seen.

Key: H x W pixels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from synth.quality.crops import Rgb, fit
from synth.quality.ground import ground_mask

Grey = NDArray[np.float32]
Mask = NDArray[np.bool_]

CLIPPED: Final = (4, 251)  # beyond these a sensor's noise is cut off
SMALL: Final = 160  # px of the longer side: enough to see the ground
WINDOW: Final = 13  # px around an edge in which its contrast is taken
TRIMMED: Final = 0.6574  # mean of |z| below its 90th percentile, z standard normal
EDGE: Final = 40.0  # grey levels of contrast that make an edge


@dataclass(frozen=True)
class Statistic:
    """The name and the unit of a figure.

    Attributes:
        title: for a table.
        unit: empty for a share of 0 to 1.
    """

    title: str
    unit: str = ""


STATISTICS: Final[Mapping[str, Statistic]] = {
    "brightness": Statistic("brightness"),
    "contrast": Statistic("contrast"),
    "saturation": Statistic("saturation"),
    "warmth": Statistic("warmth of the ground", "log2 R/B"),
    "tint": Statistic("tint of the ground", "log2 G^2/RB"),
    "edge_width": Statistic("edge width", "px"),
    "detail": Statistic("detail", "log10"),
    "noise": Statistic("noise", "of 255"),
    "ground": Statistic("ground in sight"),
}


def photo_statistics(rgb: Rgb) -> dict[str, float]:
    """All `STATISTICS` of a photo (H, W, 3) at the size that photos are compared at.

    - brightness, contrast: mean and standard deviation of luma (BT.601), of 1.
    - saturation: mean of (largest - smallest channel), of 1.
    - warmth, tint: log2(R / B) and log2(G^2 / (R B)) of the ground's medians.
    - edge_width, noise: see `edge_width`, `noise_level`.
    - detail: log10 of 1 + the variance of the Laplacian; noise raises it too.
    - ground: share of pixels that `ground_mask` finds at 160 px.
    """
    # In floats: steps of whole grey levels would be as large as a photo's noise.
    grey: Grey = np.asarray(cv2.cvtColor(rgb.astype(np.float32), cv2.COLOR_RGB2GRAY), np.float32)
    small = fit(rgb, SMALL)
    ground = ground_mask(small)
    red, green, blue = np.median(small[ground], axis=0) + 1.0
    channels = rgb.max(axis=2).astype(np.float32) - rgb.min(axis=2)
    laplacian = cv2.Laplacian(grey, cv2.CV_32F)
    return {
        "brightness": float(grey.mean() / 255),
        "contrast": float(grey.std() / 255),
        "saturation": float(channels.mean() / 255),
        "warmth": float(np.log2(red / blue)),
        "tint": float(np.log2(green**2 / (red * blue))),
        "edge_width": edge_width(grey),
        "detail": float(np.log10(1.0 + laplacian.var())),
        "noise": noise_level(grey),
        "ground": float(ground.mean()),
    }


def edge_width(grey: Grey) -> float:
    """Width of the sharpest edges: the sigma, in pixels, of the blur that a step would need.

    A step of contrast c blurred by a Gaussian rises by c / (sqrt(2 pi) sigma) at its middle. The
    contrast is the range within a window of 13 px, the slope the central difference, which sees an
    unblurred step as 0.8 px. The figure is that of the tenth of edge pixels with the steepest
    slope over contrast. Edges closer than 6 px to others count as wider than they are. NaN where
    the photo (H, W) has no edge of 40 grey levels.
    """
    across = cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=1) / 2
    down = cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=1) / 2
    slope = np.hypot(across, down)
    window = np.ones((WINDOW, WINDOW), np.uint8)
    contrast = cv2.dilate(grey, window) - cv2.erode(grey, window)
    edges = contrast > EDGE
    if not edges.any():
        return float("nan")
    steep = np.sort((slope[edges] / contrast[edges]).ravel())
    # Pixels within the window of an edge are counted with it: about one in 13 is on its ridge.
    ridge = steep[-max(len(steep) // WINDOW, 1) :]
    at = float(np.quantile(ridge, 0.9))
    return float(1.0 / (np.sqrt(2 * np.pi) * at)) if at > 0 else float("nan")


def noise_level(grey: Grey) -> float:
    """Standard deviation of the noise in grey levels, from the quiet half of a photo (H, W).

    Immerkaer's (1996) mask, which straight edges and slopes leave at zero, and the mean of its
    absolute values below their 90th percentile, scaled for normal noise. (A median of them would
    be robust too, but 8-bit greys and JPEG leave it a few steps only.) The quiet half has the least
    gradient after a blur; clipped pixels do not count. NaN where all are clipped.
    """
    mask = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32) / 6  # norm 1
    response = cv2.filter2D(grey, cv2.CV_32F, mask)[1:-1, 1:-1]
    smooth = cv2.GaussianBlur(grey, (0, 0), 3.0)
    slope = np.hypot(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1))
    open_ = (smooth > CLIPPED[0]) & (smooth < CLIPPED[1])
    slope, open_ = slope[1:-1, 1:-1], open_[1:-1, 1:-1]
    if not open_.any():
        return float("nan")
    quiet = open_ & (slope <= np.median(slope[open_]))
    sizes = np.abs(response[quiet])
    return float(sizes[sizes <= np.quantile(sizes, 0.9)].mean() / TRIMMED)
