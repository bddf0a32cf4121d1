"""Faults of the camera itself: it was moved, its glass is dirty, it is too dark.

Key: h x w cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import cv2
import numpy as np

from rpc.camera.difference import Cells, Rgb

WarningCode = Literal["camera_moved", "camera_dirty", "dark"]
TEXTS: Final[dict[WarningCode, str]] = {
    "camera_moved": "the picture's rim looks otherwise than before: was the camera moved?",
    "camera_dirty": "trays look less sharp than the first ones: is the camera dirty or out of "
    "focus?",
    "dark": "the picture is dark: is the light on, and the camera uncovered?",
}
DARK: Final = 40.0  # of 255: nothing in the picture is brighter
LASTS_S: Final = 3.0  # what lasts less long is no warning
KEPT_S: Final = 60.0  # a moved camera is told of for so long
RIM_CHANGED: Final = 0.5  # share of the cells along the edge
TRAYS: Final = 5  # whose sharpness is compared with that of the first so many
LOST: Final = 0.6  # of the sharpness
SHARP_SIDE: Final = 480  # px of the long side, at which sharpness is measured


@dataclass(frozen=True)
class CameraWarning:
    """One thing that is wrong: a code for programs, a line for people."""

    code: WarningCode
    text: str


@dataclass(frozen=True)
class CameraCondition:
    """All that was noticed so far.

    Attributes:
        dark_since_s: since when it has been dark; None where it is not.
        moved_since_s: since when the rim has looked otherwise.
        moved_until_s: how long a moved camera is told of.
        sharpness: of the trays read: the first `TRAYS`, then the last `TRAYS`.
    """

    dark_since_s: float | None = None
    moved_since_s: float | None = None
    moved_until_s: float | None = None
    sharpness: tuple[float, ...] = ()

    def after(self, time_s: float, light: float, rim: float | None) -> CameraCondition:
        """The condition after one more frame.

        Args:
            time_s: of the frame.
            light: see `rpc.camera.difference.SmallPicture`.
            rim: share of the cells along the edge that look otherwise than when the tray was
                empty; None while something moves, or where it is not known.
        """
        dark = None if light >= DARK else _earlier(self.dark_since_s, time_s)
        until = self.moved_until_s
        moved = None
        if rim is not None and rim > RIM_CHANGED:
            moved = _earlier(self.moved_since_s, time_s)
            until = time_s + KEPT_S if time_s - moved >= LASTS_S else until
        return replace(self, dark_since_s=dark, moved_since_s=moved, moved_until_s=until)

    def with_tray(self, sharpness: float) -> CameraCondition:
        """The condition after one more tray was read."""
        known = (*self.sharpness, sharpness)
        if len(known) > 2 * TRAYS:
            known = (*known[:TRAYS], *known[TRAYS + 1 :])
        return replace(self, sharpness=known)

    def warnings(self, time_s: float) -> tuple[CameraWarning, ...]:
        """The warnings that hold now."""
        codes: list[WarningCode] = []
        if self.moved_until_s is not None and time_s <= self.moved_until_s:
            codes.append("camera_moved")
        if len(self.sharpness) == 2 * TRAYS and _lost(self.sharpness):
            codes.append("camera_dirty")
        if self.dark_since_s is not None and time_s - self.dark_since_s >= LASTS_S:
            codes.append("dark")
        return tuple(CameraWarning(code, TEXTS[code]) for code in codes)


def rim_share(cells: Cells) -> float:
    """Share of the cells along the picture's edge that are set."""
    rim = np.concatenate([cells[0], cells[-1], cells[1:-1, 0], cells[1:-1, -1]])
    return float(rim.mean())


def sharpness_of(rgb: Rgb) -> float:
    """How sharp the sharpest parts of a frame are: slopes of one pixel beside those of four.

    A blurred edge has the same slope over four pixels as a sharp one, but a smaller one over one
    pixel. What light and contrast are does not matter.
    """
    scale = SHARP_SIDE / max(rgb.shape[:2])
    grey = cv2.cvtColor(cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA),
        cv2.COLOR_RGB2GRAY).astype(np.float32)  # fmt: skip
    coarse = cv2.GaussianBlur(grey, (0, 0), 2.0)
    fine, broad = (float(np.percentile(_slopes(one), 99.5)) for one in (grey, coarse))
    return fine / max(broad, 1e-6)


def _slopes(grey: np.ndarray) -> np.ndarray:
    x, y = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    return np.asarray(np.hypot(x, y))


def _earlier(since: float | None, time_s: float) -> float:
    return time_s if since is None else min(since, time_s)


def _lost(sharpness: Sequence[float]) -> bool:
    first, last = np.median(sharpness[:TRAYS]), np.median(sharpness[TRAYS:])
    return bool(last < LOST * first)
