"""Descriptors selected by a mask, and one vector from them (Wei et al., PR 2018, section 3.2).

What is outside the mask has no part in the vector: not in its value, and exactly none in its
gradient.

Key: B photos, C channels, h x w cells.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def or_everywhere(masks: Tensor) -> Tensor:
    """Masks (B, h, w), with every cell where a mask is empty: then nothing can be selected."""
    return masks | ~masks.flatten(1).any(dim=1)[:, None, None]


def masked_average(maps: Tensor, masks: Tensor) -> Tensor:
    """Mean (B, C) of the selected cells of maps (B, C, h, w); zero where a mask is empty."""
    _check(maps, masks)
    chosen = masks[:, None]
    total = torch.where(chosen, maps, 0.0).sum(dim=(2, 3))
    return total / chosen.sum(dim=(2, 3)).clamp_min(1)


def masked_maximum(maps: Tensor, masks: Tensor) -> Tensor:
    """Maximum (B, C) of the selected cells of maps (B, C, h, w); zero where a mask is empty."""
    _check(maps, masks)
    chosen = masks[:, None]
    lowest = torch.finfo(maps.dtype).min
    best = torch.where(chosen, maps, lowest).amax(dim=(2, 3))
    return torch.where(chosen.flatten(2).any(dim=2), best, 0.0)


def average_and_maximum(maps: Tensor, masks: Tensor) -> Tensor:
    """Mean and maximum of the selected cells, each of unit length, side by side: (B, 2C).

    As in SCDA (Wei et al., TIP 2017); with every cell selected, plain average and max pooling.

    Args:
        maps: (B, C, h, w).
        masks: (B, h, w) bool.

    Raises:
        ValueError: masks of another shape or type.
    """
    pooled = (masked_average(maps, masks), masked_maximum(maps, masks))
    return torch.cat([F.normalize(vectors.float(), dim=1) for vectors in pooled], dim=1)


def _check(maps: Tensor, masks: Tensor) -> None:
    if masks.dtype != torch.bool or masks.shape != maps.shape[:1] + maps.shape[2:]:
        raise ValueError(
            f"masks: expected bool of {tuple(maps.shape[:1] + maps.shape[2:])}, got {masks.dtype} "
            f"of {tuple(masks.shape)}"
        )
