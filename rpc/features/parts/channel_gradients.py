"""Where on a photo the thing is that a channel responds to, by the gradient of its response.

Simonyan, Vedaldi, Zisserman, 2014; Simon, Rodner, Denzler, ACCV 2014.

Key: B photos, C channels, D channels of a map below (or colours), h x w cells, H x W below.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

from rpc.features.parts.channel_groups import peak_places

SMOOTH: Final = 3.0 / 227  # standard deviation of the smoothing, of the photo's side


def channel_gradients(maps: Tensor, below: Tensor, channels: Sequence[int] | None = None) -> Tensor:
    """How much each place matters to a channel: |d sum(maps[c]) / d below|, summed over D.

    Args:
        maps: (B, C, h, w), computed from `below`, photo by photo.
        below: (B, D, H, W), the pixels or a map of an earlier layer; requires a gradient.
        channels: of the C, which; all by default.

    Returns:
        (B, len(channels), H, W), not negative; zero where a channel does not respond at all.
    """
    chosen = range(maps.shape[1]) if channels is None else channels
    found = []
    for channel in chosen:
        (gradient,) = torch.autograd.grad(maps[:, channel].sum(), below, retain_graph=True)
        found.append(gradient.abs().sum(dim=1))
    if not found:
        return below.new_zeros(len(below), 0, *below.shape[2:])
    return torch.stack(found, dim=1)


def gradient_places(gradients: Tensor, smooth: float = SMOOTH) -> tuple[Tensor, Tensor]:
    """The places (B, C, 2) that matter most, x and y from -1 to 1, and which are in sight (B, C).

    Args:
        gradients: (B, C, H, W), not negative.
        smooth: standard deviation of a Gaussian before the maximum, of the photo's side.
    """
    seen = gradients.flatten(2).amax(dim=2) > 0
    return peak_places(smoothed(gradients, smooth * gradients.shape[3])), seen


def smoothed(maps: Tensor, cells: float) -> Tensor:
    """Maps (B, C, H, W) through a Gaussian of this standard deviation; the border goes on."""
    reach = min(round(3 * cells), min(maps.shape[2:]) - 1)
    if reach < 1 or not maps.numel():
        return maps
    offsets = torch.arange(-reach, reach + 1, dtype=maps.dtype, device=maps.device)
    kernel = torch.exp(-0.5 * (offsets / cells).square())
    kernel = kernel / kernel.sum()
    flat = maps.flatten(0, 1)[:, None]  # (B * C, 1, H, W)
    flat = F.pad(flat, (reach, reach, reach, reach), mode="replicate")
    flat = F.conv2d(F.conv2d(flat, kernel[None, None, None]), kernel[None, None, :, None])
    return flat.view_as(maps)
