"""Doubts about a mask whose box nobody drew: a box found by contrast may hold a part of a product.

A mask that fits such a box proves little: clear glass becomes its label, white on white a patch of
print, a hard shadow a part of the product. What the photo says against the mask takes its quality
down. Detail around the product may also be the ground's, or a turntable's: then all SKUs' photos
show it, and only what exceeds it counts. tools/benchmark/cutout_doubts.py measures how many wrong
masks are called sure and how many right ones are doubted: docs/results/cutout_doubts.json.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rpc.data.product_evidence import Guess, edges_beyond, shadow_share

EDGES: Final = (0.05, 0.11)  # above the store's usual share: no doubt, least trust
USUAL: Final = 0.04  # share of detail around a product on a plain ground
MOST_USUAL: Final = 0.12  # a ground with more is itself a reason to doubt
ENOUGH_SKUS: Final = 4  # fewer say nothing about the ground
SHADOW: Final = (0.02, 0.1)  # share of the mask: no doubt, least trust
CONTRAST: Final = (0.65, 0.95)  # of the outline: least trust, no doubt
LEAST_TRUST: Final = 0.3  # a SKU with nothing better keeps its best doubtful mask, and is named
TOLD: Final = 0.9  # trust below it is told

WORDS: Final = (
    "sharp detail goes on beyond the mask (glass, pale sides, several things)",
    "a part looks like the ground in shadow",
    "no change of colour along the outline (as bright as the ground)",
)


@dataclass(frozen=True)
class Doubts:
    """Signs of a photo against a mask; all values 0 to 1.

    Attributes:
        edges: `product_evidence.edges_beyond`.
        shadow: `product_evidence.shadow_share`.
        contrast: fraction of the outline along which the colour changes.
    """

    edges: float
    shadow: float
    contrast: float

    @classmethod
    def of_mask(cls, rgb: NDArray[np.uint8], guess: Guess, contrast: float) -> Doubts:
        """The doubts about a mask on a photo (H, W, 3); `contrast` as `quality` measures it."""
        return cls(edges_beyond(rgb, guess), shadow_share(rgb, guess), contrast)

    def judge(self, usual: float = USUAL) -> tuple[float, str]:
        """Factor for the mask's score, and the worst doubt in words, if there is one.

        Args:
            usual: share of detail that the store's photos show around any product.
        """
        left = (
            _trust(self.edges - usual, EDGES),
            _trust(self.shadow, SHADOW),
            _trust(-self.contrast, (-CONTRAST[1], -CONTRAST[0])),
        )
        worst = int(np.argmin(left))
        return float(np.prod(left)), WORDS[worst] if left[worst] < TOLD else ""


def usual_edges(category_ids: Sequence[int], edges: Sequence[float]) -> float:
    """Share of detail that a store's photos show around any product: that of its ground.

    A quarter of the SKUs show less. Most SKUs may well be of glass, therefore not the median.

    Args:
        category_ids: (N,) SKU of each photo.
        edges: (N,) `Doubts.edges` of each.
    """
    by_sku: dict[int, list[float]] = {}
    for sku, share in zip(category_ids, edges, strict=True):
        by_sku.setdefault(sku, []).append(share)
    if len(by_sku) < ENOUGH_SKUS:
        return USUAL
    middles = [float(np.median(shares)) for shares in by_sku.values()]
    return float(min(np.quantile(middles, 0.25), MOST_USUAL))


def _trust(value: float, between: tuple[float, float]) -> float:
    """1 up to the first bound, `LEAST_TRUST` from the second on, and a straight line between."""
    return float(np.interp(value, between, (1.0, LEAST_TRUST)))
