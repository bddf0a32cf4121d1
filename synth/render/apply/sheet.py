"""Sheets to look at: scene beside rendering beside photo, with what the gate found outlined."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from rpc.structures.masks import BoolMask
from synth.render.colours import Rgb
from synth.render.gate.image_gate import Reason, Verdict

TILE: Final = 360  # px of a picture's longer side
_GAP: Final = 6
_COLOURS: Final[dict[Reason, tuple[int, int, int]]] = {
    "moved": (255, 0, 0),
    "structure": (255, 0, 255),
    "colour": (0, 200, 0),
    "encoder": (0, 90, 255),
    "stray": (255, 140, 0),
}


def marked(rgb: Rgb, masks: Sequence[BoolMask], verdict: Verdict) -> Rgb:
    """An image with its faulty items and new things outlined, each reason in its colour.

    Red: moved; purple: structure; green: colour; blue: the encoder's doubt; orange: something new.

    Args:
        rgb: (H, W, 3).
        masks: (H, W) each, the items that the verdict speaks of.
        verdict: of the gate.
    """
    out = rgb.copy()
    width = max(2, round(max(rgb.shape[:2]) / 200))
    found = [(masks[row], verdict.items[row].reason) for row in verdict.faulty]
    if verdict.strays.any():
        found.append((verdict.strays, "stray"))
    for mask, reason in found:
        assert reason is not None, "faulty items have a reason"
        lines, _ = cv2.findContours(
            mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
        )
        cv2.drawContours(out, lines, -1, _COLOURS[reason], width)
    return out


def rows_sheet(rows: Sequence[Sequence[Rgb]], across: int = 2) -> Rgb:
    """One picture of rows of pictures that belong together, `across` of them beside each other.

    Args:
        rows: of one length each, such as scene, rendering, photo.
        across: how many rows share a line.

    Raises:
        ValueError: there is no row.
    """
    if not rows:
        raise ValueError("expected one row of pictures or more, got none")
    wide = max(len(row) for row in rows) * (TILE + _GAP) + 2 * _GAP
    lines = -(-len(rows) // across)
    sheet = np.full((lines * (TILE + _GAP), min(across, len(rows)) * wide, 3), 255, np.uint8)
    for number, row in enumerate(rows):
        top, left = number // across * (TILE + _GAP), number % across * wide
        for column, picture in enumerate(row):
            small = _fit(picture)
            x = left + column * (TILE + _GAP)
            sheet[top : top + small.shape[0], x : x + small.shape[1]] = small
    return sheet


def _fit(rgb: Rgb) -> Rgb:
    factor = TILE / max(rgb.shape[:2])
    size = (max(1, round(rgb.shape[1] * factor)), max(1, round(rgb.shape[0] * factor)))
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(rgb, size, interpolation=way))
