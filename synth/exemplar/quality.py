"""How far a mask can be trusted, 0 to 1, without knowing the truth.

Of one mask: the box is tight on the product, so the mask must touch its four sides (`box_fit`);
packages are nearly convex (`solidity`); and along the true outline the colour changes, while along
the edge of a pale side lost to a pale background, or of a piece of turntable cut off by the box,
it does not (`contrast`). Among the views of one SKU from one camera, areas change little by little
from view to view (`consistency`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from synth.exemplar.mask_shape import BoolMask, box_fit, clip_to_box, main_part, solidity
from synth.exemplar.window import Window, is_whole_frame

DEFAULT_CUT = 0.5
LAB_STEP = 3.0  # CIELAB distance from which on a change of colour can be told from noise
NEIGHBOUR_RANGE = 0.35  # log area: what two neighbour views may differ by without suspicion


@dataclass(frozen=True)
class MaskJudgement:
    """The scores of one mask; all values 0 to 1.

    Attributes:
        box_fit: IoU of the mask's tight box (before it is cut to the box) and the box.
        solidity: area over the convex hull's area.
        contrast: fraction of the outline along which the colour changes.
    """

    box_fit: float
    solidity: float
    contrast: float

    @property
    def score(self) -> float:
        """The three together, 0 to 1.

        A fit of 0.95 and a solidity of 0.85 are as good as perfect (boxes drawn by hand, bottles
        with necks); a fit of 0.5 is worth nothing.
        """
        fit = np.clip((self.box_fit - 0.5) / 0.45, 0, 1)
        shape = np.clip((self.solidity - 0.4) / 0.45, 0, 1)
        return float(fit * shape * (0.4 + 0.6 * self.contrast))


def judge_mask(rgb: NDArray[np.uint8], mask: BoolMask, box: Sequence[float]) -> MaskJudgement:
    """Judge a mask (H, W) of a photo (H, W, 3), before it is cut to its box.

    Where the box is nearly the whole photo it says nothing, and `box_fit` is 1. An empty mask
    gets 0 throughout.
    """
    part = main_part(mask, box)
    if not part.any():
        return MaskJudgement(0.0, 0.0, 0.0)
    fit = 1.0 if is_whole_frame(box, *mask.shape) else box_fit(part, box)
    clipped = clip_to_box(part, box)
    window = Window.around(box, 0.1, *mask.shape)
    contrast = outline_contrast(window.crop(rgb), window.crop(clipped))
    return MaskJudgement(fit, solidity(clipped), contrast)


def outline_contrast(rgb: NDArray[np.uint8], mask: BoolMask) -> float:
    """Fraction of the outline of `mask` (h, w) along which colours inside and outside differ.

    Colours are means over the part of a small window on either side; the frame's edge counts as
    no outline. 0 where there is no outline.
    """
    lab = cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    reach = max(2, round(0.02 * max(mask.shape)))
    core = np.ones((3, 3), dtype=np.uint8)
    # The outline's own pixels are mixtures: they belong to neither side.
    inside = cv2.erode(mask.astype(np.uint8), core, borderValue=1)
    outside = 1 - cv2.dilate(mask.astype(np.uint8), core, borderValue=0)
    means = []
    weight = np.ones(mask.shape, dtype=bool)
    for side in (inside, outside):
        plane = side.astype(np.float32)
        size = (2 * reach + 1, 2 * reach + 1)
        total = cv2.boxFilter(plane, -1, size, normalize=False, borderType=cv2.BORDER_CONSTANT)
        summed = cv2.boxFilter(
            lab * plane[..., None], -1, size, normalize=False, borderType=cv2.BORDER_CONSTANT
        )
        means.append(summed / np.maximum(total, 1)[..., None])
        weight &= total >= 1
    outline = mask & (cv2.erode(mask.astype(np.uint8), core, borderValue=1) == 0) & weight
    if not outline.any():
        return 0.0
    step = np.linalg.norm(means[0] - means[1], axis=2)[outline]
    return float(np.clip((step - LAB_STEP / 2) / LAB_STEP, 0, 1).mean())


def consistency(areas: ArrayLike, box_areas: ArrayLike, views: ArrayLike) -> NDArray[np.float64]:
    """How well each mask agrees with its neighbour views, 0 to 1, of one SKU and one camera.

    Over the turn of a turntable a product's area changes smoothly, or its share of the box does (a
    view from above keeps its area while the box breathes; a carton from the side fills its box
    while the area breathes). A mask is doubted only where both jump away from what the two
    neighbours say.

    Args:
        areas: (V,) mask pixels, above 0.
        box_areas: (V,) pixels of the given boxes.
        views: (V,) numbers of the views; the last is the first one's neighbour.

    Returns:
        (V,) 1 where nothing is odd, and everywhere if there are fewer than 4 views.
    """
    area = np.asarray(areas, dtype=np.float64)
    share = area / np.asarray(box_areas, dtype=np.float64)
    if len(area) < 4:
        return np.ones(len(area))
    order = np.argsort(np.asarray(views), kind="stable")
    result = np.ones(len(area))
    jumps = np.minimum(_jumps(area[order]), _jumps(share[order]))
    usual = max(NEIGHBOUR_RANGE, 3 * float(np.median(jumps)))
    result[order] = np.clip(2 - jumps / usual, 0.2, 1)
    return result


def _jumps(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far each logarithm (V,) lies outside the span of its two neighbours on the ring."""
    logs = np.log(np.maximum(values, 1e-9))
    near = np.stack([np.roll(logs, 1), np.roll(logs, -1)])
    return np.asarray(np.maximum(np.maximum(near.min(0) - logs, logs - near.max(0)), 0))
