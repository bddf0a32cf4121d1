"""Differentiable looking closer: windows of a picture, and affine views of it.

A transform takes places of the output to places of the input, both from -1 (left, top edge) to 1
(right, bottom edge); pixels are squares of that plane (`align_corners=False` throughout).

Key: B pictures, C channels, H x W pixels of the input, S x S of the output.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def affine_view(images: Tensor, transforms: Tensor, side: int) -> Tensor:
    """Pictures seen through affine transforms (Jaderberg et al., NIPS 2015, eq. 1 and 5).

    Where the view shrinks the picture, the picture is shrunk first, so that nothing is skipped.

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
    shrunk = _shrunk(images, transforms, side)
    size = [len(images), images.shape[1], side, side]
    grid = F.affine_grid(transforms.to(images), size, align_corners=False)
    return F.grid_sample(shrunk, grid, mode="bilinear", padding_mode="border", align_corners=False)


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


def _shrunk(images: Tensor, transforms: Tensor, side: int) -> Tensor:
    """The pictures at a size at which the views skip no pixel by more than a half."""
    with torch.no_grad():
        scale = transforms[:, :, :2].norm(dim=1).amin()  # of the view that looks closest
        factor = float(side / (scale.clamp_min(1e-3) * max(images.shape[2:])))
    if factor >= 0.75:
        return images
    size = tuple(max(round(n * factor), 1) for n in images.shape[2:])
    return F.interpolate(images, size, mode="bilinear", antialias=True, align_corners=False)
