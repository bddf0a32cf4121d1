"""A fully convolutional network: photos to a class for each cell (Long, Shelhamer, Darrell, 2015).

Key: B photos of H x W pixels, G classes, h x w cells.
"""

from __future__ import annotations

from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from rpc.features.backbones.trainable_backbone import Backbone, Pretraining


class FullyConvolutional(nn.Module):
    """FCN-8s: scores of three depths, the coarse ones enlarged and added to the finer (section 4).

    Args:
        classes: G.
        backbone: of `Backbone`.
        stages: from fine to coarse; of most networks, 2, 3, 4 have 8, 16 and 32 px a cell.
        enlarged: times that the sum is enlarged; at 4, a cell has 2 px. The paper goes to pixels.
        pretrained: ImageNet weights, or those of a file (`Pretraining`); False: none.
    """

    def __init__(
        self,
        classes: int,
        *,
        backbone: str = "efficientnet_lite0",
        stages: tuple[int, ...] = (2, 3, 4),
        enlarged: int = 4,
        pretrained: Pretraining = True,
    ) -> None:
        super().__init__()
        self.enlarged = enlarged
        self.backbone = Backbone(backbone, stages, pretrained=pretrained)
        if any(fine >= coarse for fine, coarse in pairwise(self.backbone.strides)):
            raise ValueError(f"stages: expected from fine to coarse, got {stages}")
        self.scores = nn.ModuleList(
            nn.Conv2d(channels, classes, kernel_size=1) for channels in self.backbone.channels
        )
        for layer in self.scores:
            assert isinstance(layer, nn.Conv2d)
            assert layer.bias is not None
            nn.init.normal_(layer.weight, std=1e-3)
            nn.init.zeros_(layer.bias)

    def forward(self, photos: Tensor) -> Tensor:
        """Photos (B, 3, H, W), RGB 0..255, to scores (B, G, h, w)."""
        maps = self.backbone(photos)
        summed = self.scores[-1](maps[-1])
        for layer, finer in zip(list(self.scores)[-2::-1], maps[-2::-1], strict=True):
            summed = layer(finer) + _resized(summed, finer.shape[2], finer.shape[3])
        height, width = (self.enlarged * size for size in summed.shape[2:])
        return _resized(summed, height, width)


def _resized(maps: Tensor, height: int, width: int) -> Tensor:
    return F.interpolate(maps, (height, width), mode="bilinear", align_corners=False)
