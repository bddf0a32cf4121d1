"""Clutter levels of checkout images: how many SKUs and items a tray of each level holds."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

Level = Literal["easy", "medium", "hard"]

LEVELS: Final[tuple[Level, Level, Level]] = ("easy", "medium", "hard")


@dataclass(frozen=True)
class LevelRule:
    """Bounds of one level, both ends included.

    Attributes:
        skus: least and most different SKUs on the tray.
        items: least and most items on the tray.

    Raises:
        ValueError: a lower bound below 1 or above its upper bound.
    """

    skus: tuple[int, int]
    items: tuple[int, int]

    def __post_init__(self) -> None:
        for name, (low, high) in (("skus", self.skus), ("items", self.items)):
            if not 1 <= low <= high:
                raise ValueError(f"level rule: {name} expected 1 <= low <= high, got {low}, {high}")

    def fits(self, num_skus: int, num_items: int) -> bool:
        """Whether a tray of so many SKUs and items belongs to this level."""
        return (
            self.skus[0] <= num_skus <= self.skus[1] and self.items[0] <= num_items <= self.items[1]
        )


# RPC's own rule; neighbouring levels share their bounds (5 SKUs and 10 items: easy or medium).
LEVEL_RULES: Final = MappingProxyType[Level, LevelRule](
    {
        "easy": LevelRule(skus=(3, 5), items=(3, 10)),
        "medium": LevelRule(skus=(5, 8), items=(10, 15)),
        "hard": LevelRule(skus=(8, 10), items=(15, 20)),
    }
)


def level_of(num_skus: int, num_items: int) -> Level | None:
    """The easiest level whose rule the tray fits; None where it fits none."""
    for level in LEVELS:
        if LEVEL_RULES[level].fits(num_skus, num_items):
            return level
    return None
