"""Which pixels of a crop are the product, told from the crop alone.

GrabCut (Rother, Kolmogorov, Blake, SIGGRAPH 2004): a tight crop's rim is mostly what the product
lies on, its middle is the product. No weights, no photo around the crop.

Key: h x w pixels of a crop.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Rgb = NDArray[np.uint8]
Mask = NDArray[np.bool_]  # (h, w)

SIDE: Final = 112  # px: longest side that GrabCut looks at
RIM: Final = 0.03  # of the shorter side: taken for background at first
CORE: Final = 0.45  # half axes of the ellipse that is product for sure, 0.5 reaching the rim
ITERATIONS: Final = 2
LEAST_SHARE: Final = 0.3  # of the crop: a smaller mask has lost the product
LEAST_SIDE: Final = 12  # px: below, there is nothing to tell apart
SEED: Final = 0  # of OpenCV's k-means


def product_mask(crop: Rgb) -> Mask:
    """Mask (h, w) of the product in a tight crop (h, w, 3).

    All true where nothing can be told: a tiny or one-coloured crop, or a mask that would leave
    less than 30 % of it.
    """
    height, width = crop.shape[:2]
    everything = np.ones((height, width), dtype=np.bool_)
    scale = min(SIDE / max(height, width), 1.0)
    size = (round(width * scale), round(height * scale))
    if min(size) < LEAST_SIDE:
        return everything
    scaled = cv2.resize(np.ascontiguousarray(crop), size, interpolation=cv2.INTER_AREA)
    small: Rgb = np.asarray(scaled, dtype=np.uint8)
    if np.ptp(small.reshape(-1, 3), axis=0).max() < 8:
        return everything
    found = _main_part(_grabcut(small))
    if found.mean() < LEAST_SHARE:
        return everything
    grown = cv2.resize(found.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(grown > 0.5)


def _grabcut(small: Rgb) -> Mask:
    height, width = small.shape[:2]
    labels = np.full((height, width), cv2.GC_PR_FGD, np.uint8)
    rim = max(round(RIM * min(height, width)), 1)
    labels[:rim], labels[-rim:] = cv2.GC_PR_BGD, cv2.GC_PR_BGD
    labels[:, :rim], labels[:, -rim:] = cv2.GC_PR_BGD, cv2.GC_PR_BGD
    corner = max(round(0.1 * min(height, width)), 1)
    for rows in (slice(0, corner), slice(height - corner, None)):
        for columns in (slice(0, corner), slice(width - corner, None)):
            labels[rows, columns] = cv2.GC_PR_BGD
    ys, xs = np.mgrid[0:height, 0:width]
    middle = ((xs + 0.5) / width - 0.5) ** 2 + ((ys + 0.5) / height - 0.5) ** 2
    labels[middle < (CORE / 2) ** 2] = cv2.GC_FGD
    cv2.setRNGSeed(SEED)
    outside, inside = np.zeros((1, 65)), np.zeros((1, 65))
    nowhere = (0, 0, 1, 1)  # not read: the labels say where to begin
    cv2.grabCut(small, labels, nowhere, outside, inside, ITERATIONS, cv2.GC_INIT_WITH_MASK)
    return np.asarray((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD))


def _main_part(mask: Mask) -> Mask:
    """The largest component without its holes."""
    contours, _ = cv2.findContours(
        mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    filled = np.zeros(mask.shape, np.uint8)
    if contours:
        cv2.drawContours(filled, [max(contours, key=cv2.contourArea)], -1, 1, cv2.FILLED)
    return filled.astype(np.bool_)
