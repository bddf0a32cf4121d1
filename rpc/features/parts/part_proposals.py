"""Proposals without annotations: objects where a photo is active, parts as windows of its map.

Boxes are in the plane from -1 (left, top edge) to 1 (right, bottom edge).

Key: B photos, C channels, h x w cells, N boxes.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.ops import nms


def object_proposals(
    activity: Tensor, count: int, shares: Sequence[float] = (0.4, 0.6, 0.8), overlap: float = 0.5
) -> Tensor:
    """Square windows that are more active inside than outside, the clearest first.

    In place of selective search, which the papers use: object proposals from the network itself.

    Args:
        activity: (B, h, w), the sum of a map over its channels.
        count: boxes a photo.
        shares: sides of windows, as shares of the photo's.
        overlap: IoU above which the less clear of two windows is dropped.

    Returns:
        (B, count, 4), x1, y1, x2, y2; the whole photo in place of windows that are too few.
    """
    height, width = activity.shape[1:]
    boxes, contrast = [], []
    whole = activity.mean(dim=(1, 2))[:, None]
    for share in shares:
        size = max(round(share * height), 1), max(round(share * width), 1)
        inner = F.avg_pool2d(activity[:, None], size, stride=1).flatten(1)  # (B, N)
        part = size[0] * size[1] / (height * width)
        contrast.append((inner - whole) / max(1 - part, 1e-6))
        boxes.append(window_boxes_of(height, width, size).to(activity))
    places, scores = torch.cat(boxes), torch.cat(contrast, dim=1)
    found = activity.new_tensor([-1.0, -1.0, 1.0, 1.0]).repeat(len(activity), count, 1)
    for row, own in enumerate(scores):
        kept = places[nms(places, own, overlap)[:count]]
        found[row, : len(kept)] = kept
    return found


def part_proposals(maps: Tensor, size: int) -> Tensor:
    """Descriptors of all windows of `size` x `size` cells: maxima, (B, N, C).

    Args:
        maps: (B, C, h, w).
        size: no larger than h and w.
    """
    return F.max_pool2d(maps, size, stride=1).flatten(2).transpose(1, 2)


def window_boxes_of(height: int, width: int, size: tuple[int, int]) -> Tensor:
    """Boxes (N, 4) of all windows of `size` (rows, columns) on a grid, row by row."""
    rows = torch.arange(height - size[0] + 1)
    columns = torch.arange(width - size[1] + 1)
    top, left = (each.flatten() for each in torch.meshgrid(rows, columns, indexing="ij"))
    ends = torch.stack([left, top, left + size[1], top + size[0]], dim=1).float()
    return ends * 2 / torch.tensor([width, height, width, height]) - 1
