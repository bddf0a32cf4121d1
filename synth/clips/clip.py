"""Scripts to frames, with the truth: whether a hand is in the picture, and what lies there.

Key: H x W pixels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from synth.clips.conditions import taken
from synth.clips.hand import draw_hand
from synth.clips.script import Offset, Reach, Script
from synth.clips.stage import Stage

Rgb = NDArray[np.uint8]
Picture = NDArray[np.float32]
SHADE: Final = 0.25  # how dark the soft shadow of a hand is
SEEN: Final = 0.0005  # share of the picture from which a hand or a carried thing is in it

Content = tuple[tuple[int, Offset], ...]  # items that lie there, and how far from their places


@dataclass(frozen=True, eq=False)
class ClipFrame:
    """A frame, and what is true of it.

    Attributes:
        time_s: since the clip's start.
        rgb: (H, W, 3) uint8.
        hands: a hand, or a thing in a hand, is in the picture.
        content: what lies there.
    """

    time_s: float
    rgb: Rgb
    hands: bool
    content: Content


@dataclass(frozen=True, eq=False)
class Clip:
    """A stage and a script."""

    stage: Stage
    script: Script

    def frames(self, rate: float = 12.0) -> Iterator[ClipFrame]:
        """All frames; the same each time.

        Args:
            rate: frames a second.
        """
        lying: dict[Content, Picture] = {}
        for number in range(int(self.script.seconds * rate)):
            time_s = number / rate
            content = self._content(time_s)
            if content not in lying:
                lying = {content: self._picture(content)}
            scene, share = self._with_hands(lying[content], time_s)
            rng = np.random.default_rng([self.script.seed, number])
            rgb = taken(scene, time_s, self.script.conditions, rng)
            yield ClipFrame(time_s, rgb, share >= SEEN, content)

    def _content(self, time_s: float) -> Content:
        there: dict[int, Offset] = {}
        for reach in self.script.reaches:
            if time_s >= reach.arrive_s:
                there.update(dict.fromkeys(reach.brings, (0.0, 0.0)))
                for item in reach.takes:
                    there.pop(item, None)
                if time_s >= reach.leave_s:
                    there.update(reach.shifts)
                else:  # pushed, not yet let go
                    for item, _ in reach.shifts:
                        there.pop(item, None)
        return tuple(sorted(there.items()))

    def _picture(self, content: Content) -> Picture:
        scene = self.stage.empty
        for item, offset in content:
            scene = self._laid(scene, item, offset)
        return scene

    def _laid(self, scene: Picture, item: int, offset: Offset) -> Picture:
        mask = self.stage.masks[item][..., None]
        full = self.stage.full
        if offset != (0.0, 0.0):
            mask, full = _shifted(mask, offset), _shifted(full, offset)
        return np.asarray(scene + mask * (full - scene), np.float32)

    def _with_hands(self, scene: Picture, time_s: float) -> tuple[Picture, float]:
        """The scene with hands and what they carry; and which share of it they cover."""
        covered = 0.0
        for reach in self.script.reaches:
            tip = reach.tip(time_s)
            if tip is None:
                continue
            for item, offset in _carried(reach, time_s, tip):
                mask = _shifted(self.stage.masks[item][..., None], offset)
                covered += float(mask.mean())
                scene = scene + mask * (_shifted(self.stage.full, offset) - scene)
            colours, cover = draw_hand((scene.shape[0], scene.shape[1]), reach.hand, tip)
            scene = scene * (1 - SHADE * _shadow(cover))
            scene = scene + cover[..., None] * (colours - scene)
            covered += float(cover.mean())
        return np.asarray(scene, np.float32), covered


def _carried(reach: Reach, time_s: float, tip: tuple[float, float]) -> list[tuple[int, Offset]]:
    """Items in a hand, and how far they are from their places."""
    away = (tip[0] - reach.to[0], tip[1] - reach.to[1])
    if time_s < reach.arrive_s:
        return [(item, away) for item in reach.brings]
    if time_s < reach.leave_s:
        part = (time_s - reach.arrive_s) / (reach.leave_s - reach.arrive_s)
        pushed = [(item, (part * x, part * y)) for item, (x, y) in reach.shifts]
        return pushed + [(item, (0.0, 0.0)) for item in reach.takes]
    return [(item, away) for item in reach.takes]


def _shadow(cover: Picture) -> Picture:
    """The soft shadow (H, W, 1) of a hand above the tray, beside it."""
    width = cover.shape[1]
    soft = cv2.GaussianBlur(cover, (0, 0), 0.03 * width)[..., None]
    return _shifted(np.asarray(soft, np.float32), (0.03 * width, 0.04 * width))


def _shifted(picture: Picture, offset: Offset) -> Picture:
    """A picture moved by whole pixels; what comes in is 0."""
    x, y = round(offset[0]), round(offset[1])
    height, width = picture.shape[:2]
    moved = np.zeros_like(picture)
    if abs(x) < width and abs(y) < height:
        moved[max(y, 0) : height + min(y, 0), max(x, 0) : width + min(x, 0)] = picture[
            max(-y, 0) : height - max(y, 0), max(-x, 0) : width - max(x, 0)
        ]
    return moved
