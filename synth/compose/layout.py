"""Contents of a tray: its level, and which SKUs and cut-outs lie on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rpc.data.cutouts import Cutout
from rpc.data.levels import LEVELS, Level, LevelRule
from synth.compose.config import SceneConfig
from synth.compose.library import CutoutLibrary


@dataclass(frozen=True)
class Layout:
    """The items of a scene, in the order in which they are laid down.

    Attributes:
        level: clutter level.
        cutouts: one for each item; a SKU may be there several times.
    """

    level: Level
    cutouts: tuple[Cutout, ...]


def draw_layout(rng: np.random.Generator, library: CutoutLibrary, config: SceneConfig) -> Layout:
    """Draw a level by the mix, SKUs uniformly over the store, and a cut-out for each item.

    Every drawn SKU lies there at least once; the items beyond that are spread evenly over them.
    """
    shares = np.cumsum(config.level_mix)
    row = int(np.searchsorted(shares, rng.random() * shares[-1], side="right"))
    level = LEVELS[min(row, len(LEVELS) - 1)]
    num_skus, num_items = draw_counts(rng, config.rules[row], len(library.category_ids))
    skus = rng.choice(library.category_ids, size=num_skus, replace=False)
    items = np.concatenate([skus, rng.choice(skus, size=num_items - num_skus)])
    items = rng.permutation(items)
    return Layout(level, tuple(library.draw(rng, int(sku)) for sku in items))


def draw_counts(rng: np.random.Generator, rule: LevelRule, skus_in_store: int) -> tuple[int, int]:
    """Number of SKUs and of items by a level's rule.

    A store with fewer SKUs than the rule wants gives all it has; the number of items stays.
    """
    low, high = (min(n, skus_in_store, rule.items[1]) for n in rule.skus)
    num_skus = int(rng.integers(low, high + 1))
    num_items = int(rng.integers(max(rule.items[0], num_skus), rule.items[1] + 1))
    return num_skus, num_items
