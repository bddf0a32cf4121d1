"""From a soft mask to a clean one, and from that to a cut-out with a soft, halo-free edge."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from rpc.structures import mask_to_box
from synth.exemplar.mask_shape import BoolMask, clip_to_box, ellipse, fill_holes

MAIN_PART = 0.05  # of the largest part's area: smaller parts are specks
SLIVER = 0.012  # of the box's longer side: half the width of what is shaved off
SHAVE_LIMIT = 0.1  # of the mask: a product that would lose more is thin itself
FEATHER = 0.8  # px, spread of the soft edge
INWARDS = 0.15  # of the edge profile: pixels that are half background stay out


def clean_mask(soft: NDArray[np.float32], box: Sequence[float]) -> BoolMask:
    """The product's mask (H, W) of a soft mask (H, W) and its box.

    What is outside the box goes, then specks, thin slivers (the turntable's rim) and holes; the
    contour is smoothed lightly. May be empty.
    """
    slack = 1  # boxes are rounded to whole pixels
    mask = clip_to_box(cv2.GaussianBlur(soft, (0, 0), 0.7) > 0.5, box, slack)
    mask = fill_holes(keep_main_parts(mask))
    radius = max(1, round(SLIVER * max(box[2] - box[0], box[3] - box[1])))
    return fill_holes(keep_main_parts(shave_slivers(mask, radius)))


def keep_main_parts(mask: BoolMask, share: float = MAIN_PART) -> BoolMask:
    """`mask` (H, W) without parts smaller than `share` of its largest part.

    A product behind a finger or a strap may well be in two parts.
    """
    number, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    if number < 3:
        return mask
    areas = stats[1:, cv2.CC_STAT_AREA]
    return np.asarray(np.isin(labels, 1 + np.flatnonzero(areas >= share * areas.max())))


def shave_slivers(mask: BoolMask, radius: int) -> BoolMask:
    """`mask` (H, W) opened by a disc of `radius` px, unless that takes the product itself."""
    opened = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, ellipse(radius)) > 0
    return opened if opened.sum() >= (1 - SHAVE_LIMIT) * mask.sum() else mask


def soft_alpha(mask: BoolMask) -> NDArray[np.uint8]:
    """Alpha (H, W) 0..255 of `mask` (H, W): an edge of about 2 px, a little inside the mask."""
    blurred = cv2.GaussianBlur(
        mask.astype(np.float32), (0, 0), FEATHER, borderType=cv2.BORDER_REPLICATE
    )
    profile = np.clip((blurred - 0.25 - INWARDS) / (0.75 - 0.25), 0, 1)
    return np.asarray(np.round(255 * profile * (blurred > 0)), dtype=np.uint8)


def extend_colours(rgb: NDArray[np.uint8], mask: BoolMask, depth: int = 2) -> NDArray[np.uint8]:
    """`rgb` (H, W, 3) with the colours from `depth` px inside `mask` (H, W) drawn outwards.

    A camera mixes product and backdrop along the outline; pasted elsewhere the mixture is a pale
    halo. Every pixel nearer to the outline, and all outside, takes the colour of the nearest pixel
    that is surely product. Thin products keep their own colours where nothing is left inside.
    """
    core = cv2.erode(mask.astype(np.uint8), ellipse(depth), borderValue=1) > 0
    if core.sum() < 0.25 * mask.sum():
        core = mask
    if not core.any():
        return rgb
    _, labels = cv2.distanceTransformWithLabels(
        (~core).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    sources = np.zeros((int(labels.max()) + 1, 3), dtype=np.uint8)
    sources[labels[core]] = rgb[core]
    extended = sources[labels]
    # Nearest colours come in streaks; a light blur along them does not reach the core.
    smooth = cv2.GaussianBlur(extended, (0, 0), 1.0)
    return np.where(core[..., None], rgb, smooth)


def cut_out(rgb: NDArray[np.uint8], mask: BoolMask) -> NDArray[np.uint8]:
    """RGBA (h, w, 4), tight on its alpha, of a photo (H, W, 3) and the product's mask (H, W).

    Fully transparent pixels are black, which compresses well.

    Raises:
        ValueError: the mask is empty, or too small to leave any opaque pixel.
    """
    alpha = soft_alpha(mask)
    box = mask_to_box(alpha > 0)
    if box is None or not (alpha >= 128).any():
        raise ValueError("the mask is empty")
    x1, y1, x2, y2 = box
    colours = extend_colours(rgb, mask)[y1:y2, x1:x2]
    alpha = alpha[y1:y2, x1:x2]
    return np.dstack([colours * (alpha > 0)[..., None], alpha])
