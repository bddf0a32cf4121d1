"""Losses on what must stay when a scene is translated: where things are, and their print.

Key: B pictures, H x W pixels.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

WINDOW = 9  # px over which strength is measured
ROUND = 0.25  # differences of structure below this count less than in proportion
NOISE = 0.02  # steps below this, as a fraction of full brightness, are noise and stay weak
_LUMINANCE = (0.299, 0.587, 0.114)


def content_loss(before: Tensor, after: Tensor) -> Tensor:
    """Mean distance of the local structure of two batches (B, 3, H, W), in [-1, 1].

    L1, rounded off near 0 (Huber), where its edge would hold a generator that starts from no
    change where it is.
    """
    return F.smooth_l1_loss(local_structure(after), local_structure(before), beta=ROUND)


def local_structure(rgb: Tensor) -> Tensor:
    """Steps of brightness to the right and downward, divided by their strength nearby.

    Light, contrast and white balance may change freely; an edge that moves, vanishes or appears
    counts wherever it is.

    Args:
        rgb: (B, 3, H, W) in [-1, 1].

    Returns:
        (B, 2, H, W): about 1 in size on an edge, about 0 on even ground.
    """
    weights = rgb.new_tensor(_LUMINANCE).view(1, 3, 1, 1)
    light = (rgb.float() * weights).sum(1, keepdim=True) / 2  # (B, 1, H, W); a range of 1
    right = F.pad(light[..., :, 1:] - light[..., :, :-1], (0, 1, 0, 0))
    down = F.pad(light[..., 1:, :] - light[..., :-1, :], (0, 0, 0, 1))
    steps = torch.cat((right, down), dim=1)
    strength = F.avg_pool2d(
        steps.square().sum(1, keepdim=True), WINDOW, 1, WINDOW // 2, count_include_pad=False
    )
    return steps / torch.sqrt(strength + NOISE**2)
