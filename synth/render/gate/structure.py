"""Whether a product still shows the same edges at the same place after rendering.

Key: H x W pixels. Colours are opponent logarithms (brightness, redness,
blueness), in which a camera's gains are sums.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from rpc.structures.masks import BoolMask, mask_to_box
from synth.render.colours import Floats, Rgb, to_opponent

FINE: Final = 1.0  # px, of the Gaussian before edges are taken
COARSE: Final = 2.5
OFFSET: Final = 16.0  # grey levels added before the logarithm: noise in blacks weighs little
_FAINT: Final = 0.03  # an edge's strength (logarithms a px) below which it counts little
_FLAT: Final = 0.03  # variance of edge maps below which there is nothing to compare
_RIM: Final = 2  # px around an item that still belong to its outline
_SEARCH: Final = 0.12  # of an item's size: how far it is looked for
_FARTHEST: Final = 16  # px, likewise


@dataclass(frozen=True)
class Views:
    """One image as the measures see it.

    Attributes:
        edges: strength of edges at the fine and the coarse scale, (H, W) each, compressed.
        colour: (H, W, 3) opponent logarithms, smoothed.
    """

    edges: tuple[Floats, Floats]
    colour: Floats


def views(rgb: Rgb) -> Views:
    """The values of an image (H, W, 3) that are compared."""
    opponent = to_opponent(rgb, OFFSET)
    fine, coarse = (
        np.asarray(cv2.GaussianBlur(opponent, (0, 0), sigma), np.float32)
        for sigma in (FINE, COARSE)
    )
    return Views((_edges(fine), _edges(coarse)), coarse)


@dataclass(frozen=True)
class Structure:
    """An item's edges before and after.

    Attributes:
        fine: likeness of edges at the fine scale, -1 to 1 (1: the same), at the same place.
        coarse: likewise at the coarse scale.
        inside: likewise at the fine scale, without the item's outline.
        shift: px by which it seems to have moved.
        gain: likeness at that place less likeness at its own, coarse scale.
    """

    fine: float
    coarse: float
    inside: float
    shift: float
    gain: float


def structure(before: Views, after: Views, mask: BoolMask) -> Structure:
    """Compare an item's edges, and look for it around its place.

    The likeness is (2 cov + c) / (var + var + c), structure and contrast of SSIM (Wang et al.
    2004) over the item, which is 1 for two plain surfaces as well.

    Args:
        before: the scene.
        after: its rendering.
        mask: (H, W), the item's part in sight; not empty.
    """
    box = mask_to_box(mask)
    assert box is not None, "the caller leaves items out of sight alone"
    size = max(box[2] - box[0], box[3] - box[1])
    reach = int(np.clip(round(_SEARCH * size), 2, _FARTHEST))
    window = _window(mask.shape, box, reach + _RIM)
    cut = mask[window].astype(np.uint8)
    kernel = np.ones((2 * _RIM + 1, 2 * _RIM + 1), np.uint8)
    whole, inner = (np.asarray(f(cut, kernel), np.uint8) for f in (cv2.dilate, cv2.erode))
    if inner.sum() < 30:
        inner = cut
    fine = _likeness(before.edges[0][window], after.edges[0][window], whole)
    inside = _likeness(before.edges[0][window], after.edges[0][window], inner)
    found = _search(before.edges[1][window], after.edges[1][window], whole, reach)
    centre = float(found[reach, reach])
    best = np.unravel_index(int(found.argmax()), found.shape)
    shift = float(np.hypot(best[0] - reach, best[1] - reach))
    return Structure(fine, centre, inside, shift, float(found.max()) - centre)


def _edges(opponent: Floats) -> Floats:
    """log(1 + gradient / faint) of all three channels together (H, W)."""
    total = np.zeros(opponent.shape[:2], np.float32)
    for channel in cv2.split(opponent):
        dx = cv2.filter2D(channel, cv2.CV_32F, np.array([[-0.5, 0, 0.5]], np.float32))
        dy = cv2.filter2D(channel, cv2.CV_32F, np.array([[-0.5], [0], [0.5]], np.float32))
        total += cv2.magnitude(dx, dy)
    return np.asarray(cv2.log(1 + total / _FAINT))


def _window(
    shape: tuple[int, ...], box: tuple[int, int, int, int], margin: int
) -> tuple[slice, slice]:
    x1, y1, x2, y2 = box
    rows = slice(max(0, y1 - margin), min(shape[0], y2 + margin))
    return rows, slice(max(0, x1 - margin), min(shape[1], x2 + margin))


def _likeness(a: Floats, b: Floats, weight: NDArray[np.uint8]) -> float:
    inside = weight > 0
    x, y = a[inside], b[inside]
    x, y = x - x.mean(), y - y.mean()
    covariance = float((x * y).mean())
    return (2 * covariance + _FLAT) / (float((x * x).mean()) + float((y * y).mean()) + _FLAT)


def _search(a: Floats, b: Floats, weight: NDArray[np.uint8], reach: int) -> Floats:
    """Likeness of `a`'s weighted part to `b` at shifts of -reach to reach, (2 reach + 1)^2."""
    w = weight.astype(np.float32) / max(int(weight.sum()), 1)
    centred = (a - float((w * a).sum())) * (w > 0)
    padded = cv2.copyMakeBorder(b, reach, reach, reach, reach, cv2.BORDER_REPLICATE)
    padded = padded - float(padded.mean())
    covariance = cv2.matchTemplate(padded, w * centred, cv2.TM_CCORR)
    mean = cv2.matchTemplate(padded, w, cv2.TM_CCORR)
    square = cv2.matchTemplate(padded * padded, w, cv2.TM_CCORR)
    own = float((w * centred * centred).sum())
    return np.asarray((2 * covariance + _FLAT) / (own + square - mean * mean + _FLAT))
