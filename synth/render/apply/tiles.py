"""A picture translated in overlapping pieces that fade into each other.

Key: B pictures, C channels, H x W pixels.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def in_tiles(translate: Callable[[Tensor], Tensor], rgb: Tensor, tile: int, overlap: int) -> Tensor:
    """Translate (B, C, H, W) by pieces of at most `tile` px.

    A network with instance normalisation sees the statistics of its piece, not of the picture:
    pieces come out different from the whole, and the fading hides where they meet.

    Args:
        translate: keeps the shape.
        rgb: the picture.
        tile: side of a piece; a side of the picture that is not longer is taken whole.
        overlap: px, at most half a tile, over which neighbours fade into each other.

    Returns:
        (B, C, H, W); exactly `translate(rgb)` where one piece takes all.
    """
    height, width = rgb.shape[-2:]
    rows, columns = _starts(height, tile, overlap), _starts(width, tile, overlap)
    if len(rows) == len(columns) == 1:
        return translate(rgb)
    total = torch.zeros_like(rgb)
    weights = rgb.new_zeros((1, 1, height, width))
    for top in rows:
        for left in columns:
            down, right = slice(top, min(top + tile, height)), slice(left, min(left + tile, width))
            piece = translate(rgb[..., down, right])
            weight = _ramp(down, height, overlap)[:, None] * _ramp(right, width, overlap)[None]
            weight = weight.to(piece)
            total[..., down, right] += piece * weight
            weights[..., down, right] += weight
    return total / weights


def _starts(length: int, tile: int, overlap: int) -> list[int]:
    """Where pieces begin: evenly spread, neighbours sharing `overlap` px or more."""
    if length <= tile:
        return [0]
    pieces = 1 + -(-(length - tile) // (tile - overlap))
    return [round(place * (length - tile) / (pieces - 1)) for place in range(pieces)]


def _ramp(piece: slice, length: int, overlap: int) -> Tensor:
    """Weights of a piece along one axis: rising from a neighbour, 1 in the middle, falling."""
    places = torch.arange(piece.start, piece.stop, dtype=torch.float32)
    weight = torch.ones_like(places)
    if piece.start > 0:
        weight = torch.minimum(weight, (places - piece.start + 1) / (overlap + 1))
    if piece.stop < length:
        weight = torch.minimum(weight, (piece.stop - places) / (overlap + 1))
    return weight
