"""Masks without any weights: GrabCut (Rother et al. 2004) on a crop around the box."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from synth.exemplar.mask_shape import (
    BoolMask,
    clip_to_box,
    convex_hull,
    fill_holes,
    main_part,
    solidity,
)
from synth.exemplar.segmenter import SoftMask
from synth.exemplar.window import Window, check_box, is_whole_frame

FRAME = 0.02  # of a photo's shorter side: what is background when the box is the whole photo


@dataclass(frozen=True)
class GrabCutSegmenter:
    """GrabCut; outside the box is background, the box's centre is the product.

    Attributes:
        side: the crop is scaled down to this longer side.
        margin: of the crop, as a fraction of the box's longer side.
        iterations: of GrabCut.
        centre: the half axes of the ellipse that is product for sure, 1 being the box.
        least_solidity: a mask below it has lost a pale side of the product to a pale background
            (nearly all packages are convex), and its hull is nearer to the truth.
    """

    side: int = 320
    margin: float = 0.25
    iterations: int = 3
    centre: float = 0.35
    least_solidity: float = 0.85

    def __call__(
        self, rgb: NDArray[np.uint8], box: Sequence[float], prior: SoftMask | None = None
    ) -> SoftMask:
        """Mask (H, W) of a photo (H, W, 3); with `prior` (H, W) as the first guess if given."""
        height, width = rgb.shape[:2]
        box = check_box(box, height, width)
        window = Window.around(box, self.margin, height, width)
        crop = window.crop(rgb)
        zoom = min(1.0, self.side / max(crop.shape[:2]))
        size = (max(8, round(crop.shape[1] * zoom)), max(8, round(crop.shape[0] * zoom)))
        factors = (size[0] / crop.shape[1], size[1] / crop.shape[0])
        small_box = [v * factors[i % 2] for i, v in enumerate(window.box_inside(box))]
        trimap = self._trimap(size, small_box, is_whole_frame(box, height, width))
        if prior is not None:
            guess = cv2.resize(window.crop(prior), size, interpolation=cv2.INTER_AREA)
            add_prior(trimap, np.asarray(guess, np.float32))
        small = np.asarray(cv2.resize(crop, size, interpolation=cv2.INTER_AREA), np.uint8)
        mask = fill_holes(main_part(run_grabcut(small, trimap, self.iterations), small_box))
        if solidity(mask) < self.least_solidity:
            mask = clip_to_box(convex_hull(mask), small_box, slack=0)
        back = cv2.resize(
            mask.astype(np.float32), (crop.shape[1], crop.shape[0]), interpolation=cv2.INTER_LINEAR
        )
        return window.paste(np.asarray(back, np.float32))

    def _trimap(
        self, size: tuple[int, int], box: Sequence[float], whole_frame: bool
    ) -> NDArray[np.uint8]:
        """GrabCut's labels (h, w) before any colour is looked at."""
        x1, y1, x2, y2 = box
        if whole_frame:  # without any background GrabCut cannot begin
            pad = max(1.0, FRAME * min(size))
            x1, y1, x2, y2 = pad, pad, size[0] - pad, size[1] - pad
        ys, xs = np.mgrid[0 : size[1], 0 : size[0]] + 0.5
        inside = (xs > x1 - 1) & (xs < x2 + 1) & (ys > y1 - 1) & (ys < y2 + 1)
        if inside.all():
            inside[0], inside[-1], inside[:, 0], inside[:, -1] = False, False, False, False
        radius = np.hypot((2 * xs - x1 - x2) / (x2 - x1), (2 * ys - y1 - y2) / (y2 - y1))
        trimap = np.where(inside, cv2.GC_PR_FGD, cv2.GC_BGD).astype(np.uint8)
        trimap[inside & (radius < self.centre)] = cv2.GC_FGD
        return trimap


def add_prior(trimap: NDArray[np.uint8], prior: SoftMask) -> None:
    """Write a soft guess (h, w) into GrabCut's labels (h, w), in place; background stays."""
    free = trimap != cv2.GC_BGD
    trimap[free & (prior <= 0.5)] = cv2.GC_PR_BGD
    trimap[free & (prior < 0.05)] = cv2.GC_BGD
    trimap[free & (prior > 0.5)] = cv2.GC_PR_FGD
    trimap[free & (prior > 0.95)] = cv2.GC_FGD


def run_grabcut(rgb: NDArray[np.uint8], trimap: NDArray[np.uint8], iterations: int) -> BoolMask:
    """Mask (h, w) of a picture (h, w, 3) from GrabCut's labels (h, w); always the same.

    An all-background `trimap` gives an empty mask, one without background itself.
    """
    product = np.isin(trimap, (cv2.GC_FGD, cv2.GC_PR_FGD))
    if not product.any() or product.all():
        return product
    labels = trimap.copy()
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)  # k-means inside starts from OpenCV's own generator
    cv2.grabCut(
        np.ascontiguousarray(rgb[..., ::-1]),
        labels,
        (0, 0, 0, 0),
        *models,
        iterations,
        cv2.GC_INIT_WITH_MASK,
    )
    return np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD))
