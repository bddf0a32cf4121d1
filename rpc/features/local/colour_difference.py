"""Where a crop differs in colour from an exemplar that is laid on it.

Colours are compared on a coarse grid (CIE Lab, a blurred cell of `CELL` pixels), so that a map that
is some pixels off does no harm. The median of the difference is taken off first: light and white
balance of a tray are not those of an exemplar.

Key: h x w cells of a crop, A SKUs.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from rpc.features.local.alignment import Alignment

FloatArray = NDArray[np.float64]
Cells = NDArray[np.float32]
Rgb = NDArray[np.uint8]

CELL: Final = 6  # px
REACH: Final = 45.0  # px around points that agree, where the map is believed
LEAST_CELLS: Final = 20
WHOLE: Final = 200.0  # squared difference in Lab that is as bad as any


def colour_cells(rgb: Rgb) -> Cells:
    """Lab colours (h, w, 3) of the cells of a picture (H, W, 3)."""
    lab = cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    lab = cv2.GaussianBlur(lab, (0, 0), 0.6 * CELL)
    size = (max(rgb.shape[1] // CELL, 1), max(rgb.shape[0] // CELL, 1))
    return np.asarray(cv2.resize(lab, size, interpolation=cv2.INTER_AREA), dtype=np.float32)


def colour_costs(
    crop: Cells, exemplar: Cells, alignment: Alignment, agreeing: NDArray[np.float32]
) -> FloatArray | None:
    """Differences (h, w), 0 to 1, NaN where the exemplar says nothing; None where it nowhere does.

    Args:
        crop: cells (h, w, 3).
        exemplar: cells of any size.
        alignment: from the exemplar's picture to the crop's, in pixels.
        agreeing: (Q, 2) points of the crop that agree on it, in pixels.
    """
    height, width = crop.shape[:2]
    matrix = _in_cells(alignment.matrix)
    laid = cv2.warpAffine(exemplar, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    inside = cv2.warpAffine(np.ones(exemplar.shape[:2], np.uint8), matrix, (width, height)) > 0
    away = np.ones((height, width), np.uint8)
    columns, rows = (agreeing / CELL).astype(int).T
    away[np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)] = 0
    near = cv2.distanceTransform(away, cv2.DIST_L2, 3) < REACH / CELL
    seen = inside & near
    if seen.sum() < LEAST_CELLS:
        return None
    difference = crop.astype(np.float64) - laid
    difference -= np.median(difference[seen], axis=0)
    cost = np.minimum((difference**2).sum(axis=2) / WHOLE, 1.0)
    return np.where(seen, cost, np.nan)


def colour_leads(costs: FloatArray) -> FloatArray:
    """How much better each SKU fits than the mean of those seen at a place, summed: (A,).

    A place that fewer than two SKUs are seen at says nothing, and neither does one where they fit
    alike.

    Args:
        costs: (A, h, w), NaN where a SKU is not seen.
    """
    seen = np.isfinite(costs)
    known = np.where(seen, costs, 0.0)
    count = seen.sum(axis=0)
    mean = known.sum(axis=0) / np.maximum(count, 1)
    leads: FloatArray = np.where(seen & (count >= 2), mean - known, 0.0).sum(axis=(1, 2))
    return leads


def _in_cells(matrix: FloatArray) -> FloatArray:
    """A map of pixels as a map of cells, whose middles lie at (CELL * n + (CELL - 1) / 2)."""
    linear, shift = matrix[:, :2], matrix[:, 2]
    middle = np.full(2, (CELL - 1) / 2)
    return np.column_stack([linear, (linear @ middle + shift - middle) / CELL])
