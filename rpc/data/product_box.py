"""Where the product is on a photo that has no box: contrast with the border, no weights needed.

A photo of one product shows background along its border. A smooth colour surface and a palette
are fitted to that border; what agrees with neither, weighted towards the centre, is the product.
Mean IoU with the annotated boxes, 60 photos each: 0.87 on drawn turntable photos, 0.65 on hand-held
photos of playing cards among clutter, 0.57 on RPC's own turntable with its rig in view.

Key: h, w a working copy of at most 192 px; channels are CIELAB.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from rpc.data.product_evidence import Guess, edges_beyond, shadow_share
from rpc.data.records import Box

Plane = NDArray[np.float32]  # (h, w)

_SIDE: Final = 192
_RING: Final = 0.05  # of the shorter side: what counts as border
_LIGHTNESS: Final = 0.5  # lightness counts half: shadows and white turntables change little else
_TEXTURE: Final = 0.1  # print on white packages
_SOFT: Final = 30.0  # Lab distance at half of full saliency: loud colours shall not drown pale ones
_CENTRE: Final = 0.35  # spread of the centre prior, half the frame being 1
_CUT: Final = 0.8  # of Otsu's threshold: a box slightly too large costs less than one too small
DOUBTFUL: Final = 0.5  # a quality below it is told
_SURE: Final = 0.4  # least stability of a box that is believed
_EDGES: Final = (0.1, 0.16)  # share of the band outside with sharp detail: no doubt, no trust
_SHADOW: Final = (0.1, 0.3)  # share of the box that looks like the ground in shadow
_LEAST_TRUST: Final = 0.1  # a doubtful box is still a better guess than the frame, which has 0
_TOUCH: Final = (1.0, 0.6, 0.25, 0.1, 0.05)  # factor by how many borders a part touches


def find_product_box(rgb: NDArray[np.uint8]) -> tuple[Box, float]:
    """Box of the product on a photo (H, W, 3), and how far it can be trusted.

    The border of the photo is taken for background. A product that comes within a twelfth of the
    side of it gets a box some 10 % too large or too small.

    Returns:
        x1, y1, x2, y2 in pixels, and the quality 0 to 1: how little the box moves when the
        threshold does, times what is left of it where sharp detail goes on just outside the box
        (glass, pale sides, several things) or a part of it looks like the ground in shadow. Where
        nothing stands out, or the box is not stable, the box is the frame without a narrow margin
        and the quality is 0.
    """
    height, width = rgb.shape[:2]
    saliency = _saliency(_small_lab(rgb))
    threshold = _CUT * _otsu(saliency)
    found = _largest_part(saliency, threshold)
    if found is None:
        return _frame(width, height), 0.0
    others = (_largest_part(saliency, threshold * factor) for factor in (0.7, 1.4))
    quality = min(_iou(found, other) for other in others)
    if quality < _SURE:
        return _frame(width, height), 0.0
    h, w = saliency.shape
    x1, y1, x2, y2 = found
    margin = 1.0  # of the working copy: its pixels are mixed at the edge
    box = (
        max(0.0, (x1 - margin) * width / w),
        max(0.0, (y1 - margin) * height / h),
        min(float(width), (x2 + margin) * width / w),
        min(float(height), (y2 + margin) * height / h),
    )
    return box, float(quality) * _trust(rgb, Guess.of_box(box))


def _trust(rgb: NDArray[np.uint8], guess: Guess) -> float:
    """The share, 0 to 1, of a stable box's quality that the photo around it leaves."""
    edges = np.interp(edges_beyond(rgb, guess), _EDGES, (1.0, _LEAST_TRUST))
    shadow = np.interp(shadow_share(rgb, guess), _SHADOW, (1.0, _LEAST_TRUST))
    return float(edges * shadow)


def _small_lab(rgb: NDArray[np.uint8]) -> Plane:
    """Smoothed working copy (h, w, 3) in Lab, lightness scaled down."""
    height, width = rgb.shape[:2]
    scale = min(1.0, _SIDE / max(height, width))
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    small = cv2.bilateralFilter(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), 5, 30, 5)
    lab = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    return np.asarray(lab * np.array([_LIGHTNESS, 1, 1], dtype=np.float32))


def _saliency(lab: Plane) -> Plane:
    """Saliency (h, w) in 0..1 of a Lab image (h, w, 3)."""
    ring = np.ones(lab.shape[:2], dtype=bool)
    margin = max(2, round(_RING * min(ring.shape)))
    ring[margin:-margin, margin:-margin] = False
    distance = np.minimum(_distance_to_surface(lab, ring), _distance_to_palette(lab, ring))
    lightness = np.ascontiguousarray(lab[..., 0]) / _LIGHTNESS
    gradient = np.hypot(
        cv2.Sobel(lightness, cv2.CV_32F, 1, 0), cv2.Sobel(lightness, cv2.CV_32F, 0, 1)
    )
    texture = cv2.GaussianBlur(np.minimum(gradient, 40), (0, 0), 4)
    raw = distance + _TEXTURE * texture
    raw = np.maximum(raw - 0.7 * np.quantile(raw[ring], 0.9), 0)
    y, x = _grid(ring.shape)
    prior = np.exp(-(x * x + y * y) / (2 * _CENTRE**2))
    return np.asarray(raw / (raw + _SOFT) * (0.3 + 0.7 * prior), dtype=np.float32)


def _distance_to_surface(lab: Plane, ring: NDArray[np.bool_]) -> Plane:
    """Distance (h, w) to the quadratic surface that fits the border's colours, outliers aside."""
    y, x = _grid(ring.shape)
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)  # (h, w, 6)
    a, b = terms[ring], lab[ring].astype(np.float64)
    weight = np.ones(len(b))
    for _ in range(8):  # iteratively re-weighted least squares with Cauchy weights
        surface = np.linalg.lstsq(a * weight[:, None], b * weight[:, None], rcond=None)[0]
        residual = np.linalg.norm(b - a @ surface, axis=1)
        weight = 1 / np.sqrt(1 + (residual / (3 * np.median(residual) + 1e-3)) ** 2)
    return np.asarray(np.linalg.norm(lab - terms @ surface, axis=2), dtype=np.float32)


def _distance_to_palette(lab: Plane, ring: NDArray[np.bool_]) -> Plane:
    """Distance (h, w) to the nearest colour that fills at least 1 % of the border."""
    cells, times = np.unique(np.round(lab[ring] / 4), axis=0, return_counts=True)
    distance = np.full(ring.shape, np.inf, dtype=np.float32)
    for colour in cells[times >= 0.01 * ring.sum()] * 4:
        np.minimum(distance, np.linalg.norm(lab - colour, axis=2), out=distance)
    return distance


def _otsu(saliency: Plane) -> float:
    """Otsu's threshold between background and product."""
    top = float(np.quantile(saliency, 0.995)) + 1e-6
    levels = np.clip(saliency / top * 255, 0, 255).astype(np.uint8)
    return float(cv2.threshold(levels, 0, 255, cv2.THRESH_OTSU)[0]) * top / 255


def _largest_part(saliency: Plane, threshold: float) -> NDArray[np.int64] | None:
    """Box (4,) xyxy of the part with the most saliency, joined with strong parts next to it."""
    above = (saliency > max(threshold, 1e-3)).astype(np.uint8)
    opened = cv2.morphologyEx(above, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9))
    mask = cv2.morphologyEx(opened, cv2.MORPH_CLOSE, disc)
    number, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    if number < 2:
        return None
    h, w = saliency.shape
    boxes = stats[1:, :4].astype(np.int64)
    boxes[:, 2:] += boxes[:, :2]
    strength = np.bincount(labels.ravel(), weights=saliency.ravel(), minlength=number)[1:]
    touches = (boxes[:, :2] <= 0).sum(axis=1) + (boxes[:, 2:] >= (w, h)).sum(axis=1)
    strength = strength * np.array(_TOUCH)[touches]
    whole: NDArray[np.int64] = boxes[int(strength.argmax())].copy()
    for part in boxes[strength >= 0.15 * strength.max()]:
        gap = max(np.max(part[:2] - whole[2:]), np.max(whole[:2] - part[2:]))
        if gap < 0.04 * max(h, w):
            whole[:2] = np.minimum(whole[:2], part[:2])
            whole[2:] = np.maximum(whole[2:], part[2:])
    return whole


def _iou(first: NDArray[np.int64], second: NDArray[np.int64] | None) -> float:
    if second is None:
        return 0.0
    sides = np.minimum(first[2:], second[2:]) - np.maximum(first[:2], second[:2])
    inter = float(np.prod(np.clip(sides, 0, None)))
    areas = sum(float(np.prod(box[2:] - box[:2])) for box in (first, second))
    return inter / (areas - inter)


def _frame(width: int, height: int) -> Box:
    return 0.02 * width, 0.02 * height, 0.98 * width, 0.98 * height


def _grid(shape: tuple[int, ...]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rows and columns (h, w) of a working copy, each from -1 to 1."""
    y, x = np.meshgrid(np.linspace(-1, 1, shape[0]), np.linspace(-1, 1, shape[1]), indexing="ij")
    return y, x
