"""A hand with fingers on an arm that comes from the picture's edge, as a layer.

Key: H x W pixels of the picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float32]
Colour = tuple[float, float, float]
Point = tuple[float, float]

# From the lightest to the darkest of the Monk skin tone scale, and gloves.
TONES: Final[tuple[Colour, ...]] = (
    (246, 237, 228), (243, 231, 219), (247, 234, 208), (234, 218, 186), (215, 189, 150),
    (160, 126, 86), (130, 92, 67), (96, 65, 52), (58, 49, 42), (41, 36, 32),
    (60, 90, 170), (30, 30, 32),
)  # fmt: skip
SLEEVES: Final[tuple[Colour, ...]] = (
    (40, 45, 70), (200, 200, 200), (235, 235, 235), (150, 30, 35), (90, 95, 100), (25, 25, 25),
    (60, 110, 70), (170, 170, 165),
)  # fmt: skip


@dataclass(frozen=True)
class Hand:
    """How a hand looks.

    Attributes:
        tone: of the skin or glove, RGB 0 to 255.
        sleeve: of the cloth.
        bare: share of the forearm without cloth, 0 to 1.
        palm: its width, px.
        spread: angle between neighbouring fingers, radians.
        shoulder: where the arm comes from, outside of the picture, x and y.
    """

    tone: Colour
    sleeve: Colour
    bare: float
    palm: float
    spread: float
    shoulder: Point


def draw_hand(shape: tuple[int, int], hand: Hand, tip: Point) -> tuple[Picture, Picture]:
    """Draw a hand whose fingers end about at a point.

    Args:
        shape: H and W.
        hand: its looks.
        tip: x and y; far outside of the picture nothing is seen.

    Returns:
        Colours (H, W, 3), 0 to 255, and how much they cover (H, W), 0 to 1.
    """
    canvas = np.zeros((*shape, 3), np.uint8)
    cover = np.zeros(shape, np.uint8)
    end, shoulder = np.array(tip), np.array(hand.shoulder)
    along = (end - shoulder) / max(float(np.linalg.norm(end - shoulder)), 1e-6)
    wide = hand.palm
    palm, wrist = end - 1.1 * wide * along, end - 1.9 * wide * along
    cuff = wrist - along * hand.bare * 2 * wide
    _limb(canvas, cover, shoulder, cuff, 0.95 * wide, hand.sleeve)
    _limb(canvas, cover, cuff, palm, 0.62 * wide, hand.tone)
    angle = float(np.degrees(np.arctan2(along[1], along[0])))
    axes = (round(0.6 * wide), round(0.5 * wide))
    centre = tuple(palm.round().astype(int).tolist())
    cv2.ellipse(canvas, centre, axes, angle, 0, 360, hand.tone, -1, cv2.LINE_AA)
    cv2.ellipse(cover, centre, axes, angle, 0, 360, 255, -1, cv2.LINE_AA)
    for finger, reach in zip((-1.5, -0.5, 0.5, 1.5, 3.2), (1.0, 1.1, 1.05, 0.9, 0.75), strict=True):
        way = _turned(along, finger * hand.spread)
        root = palm + 0.35 * wide * _turned(along, finger * 0.5)
        shade = 0.92 if round(finger) % 2 else 1.0
        colour = tuple(shade * part for part in hand.tone)
        _limb(canvas, cover, root, root + reach * wide * way, 0.24 * wide, colour)
    soft = cv2.GaussianBlur(cover, (0, 0), 0.8).astype(np.float32) / 255
    # Rounded: darker towards the outline.
    depth = cv2.GaussianBlur(cover, (0, 0), 0.25 * wide).astype(np.float32) / 255
    shaded = canvas.astype(np.float32) * (0.65 + 0.35 * depth)[..., None]
    return np.asarray(shaded, np.float32), np.asarray(soft, np.float32)


def _turned(way: NDArray[np.float64], angle: float) -> NDArray[np.float64]:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([cos * way[0] - sin * way[1], sin * way[0] + cos * way[1]])


def _limb(
    canvas: NDArray[np.uint8],
    cover: NDArray[np.uint8],
    begin: NDArray[np.float64],
    end: NDArray[np.float64],
    wide: float,
    colour: tuple[float, ...],
) -> None:
    """A thick line with round ends."""
    first, last = (one.round().astype(int).tolist() for one in (begin, end))
    thick = max(round(wide), 1)
    cv2.line(canvas, first, last, colour, thick, cv2.LINE_AA)
    cv2.line(cover, first, last, 255, thick, cv2.LINE_AA)
