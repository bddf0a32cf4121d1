"""Differentiable looking closer: windows of a picture, and affine views of it.

A transform takes places of the output to places of the input, both from -1 (left, top edge) to 1
(right, bottom edge); pixels are squares of that plane (`align_corners=False` throughout).

Key: B pictures, C channels, H x W pixels of the input, S x S of the output.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from rpc.features.precision import full_precision


@full_precision
def affine_view(images: Tensor, transforms: Tensor, side: int) -> Tensor:
    """Pictures seen through affine transforms (Jaderberg et al., NIPS 2015, eq. 1 and 5).

    Where a view shrinks its picture, that picture is shrunk first, so that nothing is skipped. What
    is seen of one picture does not depend on the others.

    Args:
        images: (B, C, H, W), floating point.
        transforms: (B, 2, 3), output to input.
        side: S.

    Returns:
        (B, C, S, S), bilinear; outside the picture its border goes on.

    Raises:
        ValueError: another shape of the transforms.
    """
    if transforms.shape != (len(images), 2, 3):
        raise ValueError(
            f"transforms: expected ({len(images)}, 2, 3), got {tuple(transforms.shape)}"
        )
    if not len(images):
        return images.new_zeros(0, images.shape[1], side, side)
    size = [len(images), images.shape[1], side, side]
    grid = F.affine_grid(transforms.to(images), size, align_corners=False)
    levels = _levels(images, transforms, side)
    if len(distinct := sorted(set(levels.tolist()))) == 1:
        return _sampled(images, grid, distinct[0])
    rows = [(levels == level).nonzero()[:, 0] for level in distinct]
    seen = [
        _sampled(images[own], grid[own], level) for own, level in zip(rows, distinct, strict=True)
    ]
    return torch.cat(seen)[torch.cat(rows).argsort()]


def window_transforms(centres: Tensor, halves: Tensor) -> Tensor:
    """Transforms (B, 2, 3) of windows around `centres` (B, 2; x, y) of half sides (B,) or (B, 2).

    In the plane from -1 to 1: the whole picture has centre 0 and half side 1.
    """
    halves = halves if halves.ndim == 2 else halves[:, None].expand(-1, 2)
    zero = torch.zeros_like(centres[:, 0])
    rows = [
        torch.stack([halves[:, 0], zero, centres[:, 0]], dim=1),
        torch.stack([zero, halves[:, 1], centres[:, 1]], dim=1),
    ]
    return torch.stack(rows, dim=1)


def windows_by_chance(count: int, least: float, chance: torch.Generator) -> Tensor:
    """Transforms (B, 2, 3) of square windows: half sides of `least` to 1, anywhere in the picture.

    Args:
        count: B.
        least: of half sides, the whole picture's is 1.
        chance: on the CPU, as the transforms are.
    """
    halves = least + (1 - least) * torch.rand(count, generator=chance)
    places = 2 * torch.rand(count, 2, generator=chance) - 1
    return window_transforms(inside(places, halves), halves)


def window_boxes(transforms: Tensor, side: int) -> Tensor:
    """The smallest upright boxes (B, 4), x1 y1 x2 y2 in px of a square input, of such views."""
    reach = transforms[:, :, :2].abs().sum(dim=2)  # (B, 2)
    centres = transforms[:, :, 2]
    ends = torch.cat([centres - reach, centres + reach], dim=1)
    return (ends + 1) / 2 * side


def inside(centres: Tensor, halves: Tensor | float) -> Tensor:
    """Centres moved so that windows of these half sides stay in the picture; gradients pass by.

    A bound that stops the gradient would hold a window at the edge for ever.
    """
    room = 1 - torch.as_tensor(halves, dtype=centres.dtype, device=centres.device)
    if room.ndim == 1:
        room = room[:, None]
    bounded = torch.maximum(torch.minimum(centres, room), -room)
    return centres + (bounded - centres).detach()


def _levels(images: Tensor, transforms: Tensor, side: int) -> Tensor:
    """By how many half octaves (B,) each picture is shrunk before its view skips pixels."""
    with torch.no_grad():
        closest = transforms[:, :, :2].norm(dim=1).amin(dim=1)  # of the two axes
        factors = side / (closest.clamp_min(1e-3) * max(images.shape[2:]))
        levels: Tensor = (-2 * factors.log2()).round()  # none down to 0.84 of the picture's size
        return levels.clamp_min(0).long().cpu()


def _sampled(images: Tensor, grid: Tensor, level: int) -> Tensor:
    """Pictures, shrunk by so many half octaves, at the places of a grid (B, S, S, 2)."""
    if level:
        size = tuple(max(round(n * 2 ** (-level / 2)), 1) for n in images.shape[2:])
        images = F.interpolate(images, size, mode="bilinear", antialias=True, align_corners=False)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)
