"""One photo to one cut-out with what is measured on it; pure, and the unit of work of a process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from rpc.data.product_evidence import Guess
from rpc.data.records import Box
from synth.exemplar.cleanup import clean_mask, cut_out
from synth.exemplar.doubts import Doubts
from synth.exemplar.mask_shape import BoolMask, main_part, rectangle_sides
from synth.exemplar.quality import MaskJudgement, judge_mask
from synth.exemplar.segmenter import Segmenter
from synth.exemplar.window import Window, is_whole_frame

MAX_SIDE = 512  # px: a product's longer side; a scene of 1800 px shows few any larger
MARGIN = 0.35  # around the box: more than any segmenter looks at
LEAST_AREA = 25  # px of mask: less is no product


@dataclass(frozen=True)
class Measures:
    """Measurements of one mask; lengths and areas in pixels of the photo.

    Attributes:
        area: mask pixels of the PNG.
        zoom: PNG pixels per photo pixel; below 1 for large photos.
        photo_area: mask area on the photo.
        box_area: area of the given box.
        box_width: of the given box.
        box_height: of the given box.
        short_side: of the smallest rotated rectangle around the mask.
        long_side: of it.
        photo_side: longer side of the photo.
        score: of the mask alone, see `quality.MaskJudgement`; 1 for a mask made by hand.
        doubts: what the photo says against a mask whose box nobody drew; None for other masks.
    """

    area: int
    zoom: float
    photo_area: float
    box_area: float
    box_width: float
    box_height: float
    short_side: float
    long_side: float
    photo_side: int
    score: float
    doubts: Doubts | None = None


@dataclass(frozen=True)
class Cut:
    """A cut-out in memory.

    Attributes:
        rgba: (h, w, 4) uint8, tight on its alpha.
        measures: of its mask.
    """

    rgba: NDArray[np.uint8] = field(repr=False)
    measures: Measures


def cut_photo(
    rgb: NDArray[np.uint8],
    box: Sequence[float],
    segmenter: Segmenter,
    hand_mask: BoolMask | None = None,
    max_side: int = MAX_SIDE,
    *,
    box_found: bool = False,
) -> Cut:
    """Cut the product in `box` out of a photo.

    Args:
        rgb: photo (H, W, 3).
        box: xyxy in its pixels.
        segmenter: finds the product; not called where there is a mask by hand.
        hand_mask: (H, W), taken as it is.
        max_side: products with a longer side are scaled down to it first.
        box_found: nobody drew the box, so that a mask that fits it proves little: the photo is
            searched for doubts, see `doubts`. It also is where the box is the whole frame.

    Raises:
        ValueError: the box lies outside the photo, the mask by hand has another size, or the mask
            is empty.
    """
    height, width = rgb.shape[:2]
    if hand_mask is not None and hand_mask.shape != (height, width):
        raise ValueError(
            f"the mask by hand is {hand_mask.shape[1]}x{hand_mask.shape[0]} px, "
            f"expected the photo's {width}x{height}"
        )
    around = (0, 0, width, height) if hand_mask is not None else box  # by hand it may be left
    crop, inner, zoom = crop_around(rgb, box, max_side, around)
    doubts = None
    if hand_mask is not None:
        flat = cv2.resize(hand_mask.astype(np.float32), crop.shape[1::-1])
        mask, score = flat >= 0.5, 1.0
    else:
        mask, judged = find_mask(crop, inner, segmenter)
        score = judged.score
        if box_found or is_whole_frame(box, height, width):
            guess = Guess(mask, box[0] - inner[0] / zoom, box[1] - inner[1] / zoom, zoom)
            doubts = Doubts.of_mask(rgb, guess, judged.contrast)
    if mask.sum() < LEAST_AREA:
        raise ValueError(f"no product found in its box ({int(mask.sum())} px of mask)")
    rgba = cut_out(crop, mask)
    measures = _measure(mask, zoom, box, max(height, width), score)
    area = int((rgba[..., 3] >= 128).sum())
    return Cut(rgba, replace(measures, area=area, doubts=doubts))


def crop_around(
    rgb: NDArray[np.uint8],
    box: Sequence[float],
    max_side: int = MAX_SIDE,
    around: Sequence[float] | None = None,
) -> tuple[NDArray[np.uint8], Box, float]:
    """The part of a photo that a segmenter sees: the box with a margin, at most at its own scale.

    Args:
        rgb: photo (H, W, 3).
        box: xyxy in its pixels.
        max_side: px; boxes with a longer side are scaled down to it.
        around: crop with a margin around this instead of `box`.

    Returns:
        The crop (h, w, 3), the box in its pixels, and its pixels per pixel of the photo.

    Raises:
        ValueError: the box lies outside the photo.
    """
    window = Window.around(box, MARGIN, *rgb.shape[:2])
    if around is not None:
        window = Window.around(around, MARGIN, *rgb.shape[:2])
    crop, inner = window.crop(rgb), window.box_inside(box)
    zoom = min(1.0, max_side / max(box[2] - box[0], box[3] - box[1]))
    if zoom < 1:
        size = (round(crop.shape[1] * zoom), round(crop.shape[0] * zoom))
        crop = np.asarray(cv2.resize(crop, size, interpolation=cv2.INTER_AREA), np.uint8)
        x1, y1, x2, y2 = inner
        inner = (x1 * zoom, y1 * zoom, x2 * zoom, y2 * zoom)
    return crop, inner, zoom


def find_mask(
    crop: NDArray[np.uint8], box: Sequence[float], segmenter: Segmenter
) -> tuple[BoolMask, MaskJudgement]:
    """The cleaned mask (h, w) of the product in a crop (h, w, 3), and how good it looks.

    Args:
        crop: of `crop_around`.
        box: xyxy in its pixels.
        segmenter: finds the product.
    """
    soft = segmenter(crop, box)
    mask = clean_mask(main_part(soft > 0.5, box) * soft, box)
    return mask, judge_mask(crop, soft > 0.5, box)


def _measure(
    mask: BoolMask, zoom: float, box: Sequence[float], photo_side: int, score: float
) -> Measures:
    """The measures of a cleaned mask (h, w) at `zoom`."""
    area = int(mask.sum())
    short, long = rectangle_sides(mask)
    width, height = float(box[2] - box[0]), float(box[3] - box[1])
    return Measures(
        area=area,
        zoom=zoom,
        photo_area=area / zoom**2,
        box_area=width * height,
        box_width=width,
        box_height=height,
        short_side=short / zoom,
        long_side=long / zoom,
        photo_side=photo_side,
        score=score,
    )
