"""Settings of composed scenes: one frozen, validated record."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from rpc.data.files import DataError
from rpc.data.levels import LEVEL_RULES, LevelRule

Range = tuple[float, float]


@dataclass(frozen=True)
class SceneConfig:
    """Settings of a scene; each value says its unit.

    Attributes:
        width: pixels of the scene.
        height: pixels of the scene.
        level_mix: relative shares of easy, medium and hard scenes.
        rules: SKUs and items of easy, medium and hard scenes; RPC's by default.
        min_visible: fraction of each item's whole extent that stays in sight, 0.05 to 1.
        overlap: fraction of the items that may lie under others; the rest stay nearly clear.
        spread: standard deviation of the heap around its centre, as a fraction of the shorter
            side; drawn for each scene.
        cut_by_border: fraction of the items that may reach out of the image (by a fifth at most).
        scene_scale: all items of a scene are enlarged by a factor drawn from this range.
        sku_scale: as `scene_scale`, for each SKU of a scene: wide where the cut-outs' relative
            sizes are a guess.
        item_scale: as `scene_scale`, for each item.
        warp: stretch and tilt of an item, as a fraction of its size (a camera sees in perspective).
        tint: largest change of an item's brightness and of its colour gains, as a fraction.
        shadow: strength of the contact shadows; 0 for none, 1 for the usual range.
        photometric: strength of the camera's variation (light, colour, blur, noise); 0 for none.
        jpeg_quality: of the written scene, 1 to 100.

    Raises:
        DataError: a value is out of its range.
    """

    width: int = 800
    height: int = 800
    level_mix: tuple[float, float, float] = (1.0, 1.0, 1.0)
    rules: tuple[LevelRule, LevelRule, LevelRule] = (
        LEVEL_RULES["easy"],
        LEVEL_RULES["medium"],
        LEVEL_RULES["hard"],
    )
    min_visible: float = 0.5
    overlap: float = 0.3
    spread: Range = (0.1, 0.3)
    cut_by_border: float = 0.08
    scene_scale: Range = (0.85, 1.18)
    sku_scale: Range = (1.0, 1.0)
    item_scale: Range = (0.96, 1.04)
    warp: float = 0.05
    tint: float = 0.06
    shadow: float = 1.0
    photometric: float = 1.0
    jpeg_quality: int = 92

    def __post_init__(self) -> None:
        for name in ("level_mix", "rules", "spread", "scene_scale", "sku_scale", "item_scale"):
            object.__setattr__(self, name, tuple(getattr(self, name)))  # lists have no hash
        for name in ("width", "height"):
            self._check(name, 16, 20_000)
        self._check("min_visible", 0.05, 1)
        for name in ("overlap", "cut_by_border"):
            self._check(name, 0, 1)
        for name in ("warp", "tint"):
            self._check(name, 0, 0.4)
        for name in ("shadow", "photometric"):
            self._check(name, 0, 2)
        self._check("jpeg_quality", 1, 100)
        for name in ("scene_scale", "sku_scale", "item_scale", "spread"):
            low, high = getattr(self, name)
            if not 0 < low <= high < math.inf:
                raise DataError(f"scene: {name}: expected 0 < low <= high, got {low}, {high}")
        mix = self.level_mix
        if len(mix) != 3 or not all(0 <= m < math.inf for m in mix) or sum(mix) <= 0:
            raise DataError(f"scene: level_mix: expected three shares >= 0, not all 0, got {mix}")
        if len(self.rules) != 3:
            raise DataError(f"scene: rules: expected easy, medium and hard, got {self.rules}")

    @property
    def largest_scale(self) -> float:
        """Largest factor between a cut-out's `scale` and its scale in a scene."""
        jitter = self.scene_scale[1] * self.sku_scale[1] * self.item_scale[1] * (1 + 2 * self.warp)
        return self.width / 1000 * jitter

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dataclasses.asdict(self)

    def _check(self, name: str, low: float, high: float) -> None:
        value = getattr(self, name)
        if not low <= value <= high:
            raise DataError(f"scene: {name}: expected {low} to {high}, got {value}")
