"""The counter's own recogniser: a plain backbone on crops that is told how large each one appears.

Key: B crops, S x S pixels of a crop, K classes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rpc.features.backbones.efficientnet_lite import (
    IMAGENET_LITE_MEAN,
    IMAGENET_LITE_STD,
    create_efficientnet_lite,
)
from rpc.recognition.systems.options import CountFromZero, NonNegative, Share
from rpc.recognition.systems.registry import register
from rpc.recognition.systems.system import (
    Batch,
    GradientPhase,
    Losses,
    ParameterGroup,
    System,
    class_loss,
)

EXTENT_WIDTH = 16


@register("crop_classifier", title="Crop classifier", source="the recogniser of a counter")
class CropClassifier(System):
    """EfficientNet-lite0 without its last block; pooled maps of two depths; one linear layer.

    How large a product appears goes in beside what is printed on it: a counter's camera hangs
    still, and 200 g and 320 g of the same crackers differ in little else.

    Args:
        num_classes: K; at a counter the SKUs, then 'no single product'.
        side: S.
        frozen_blocks: the stem and so many blocks do not learn.
        dropout: before the head, in training.
        smoothing: mass taken from the true label in learning.
        backbone_lr_mult: multiplier of the learning rate of the backbone.
        average: decay of the running mean of the weights that the training ends with.
        pretrained: start from the ImageNet weights (False where a model file follows).
    """

    def __init__(
        self,
        num_classes: int,
        side: int = 128,
        *,
        frozen_blocks: CountFromZero = 2,
        dropout: Share = 0.2,
        smoothing: Share = 0.05,
        backbone_lr_mult: NonNegative = 0.3,
        average: Share = 0.99,
        pretrained: bool = True,
    ) -> None:
        super().__init__(num_classes, side)
        body = create_efficientnet_lite("efficientnet_lite0", pretrained=pretrained)
        self.stem = nn.Sequential(body.get_submodule("conv_stem"), body.get_submodule("bn1"))
        self.blocks = nn.ModuleList(list(body.get_submodule("blocks").children())[:6])
        self.dropout = nn.Dropout(dropout)
        self.extent = nn.Sequential(nn.Linear(2, EXTENT_WIDTH), nn.ReLU(inplace=True))
        self.head = nn.Linear(112 + 192 + EXTENT_WIDTH, num_classes)
        self.frozen_blocks, self.smoothing = frozen_blocks, smoothing
        self.backbone_lr_mult, self.average = backbone_lr_mult, average
        self.to(memory_format=torch.channels_last)

    def forward(self, images: Tensor, extents: Tensor | None = None) -> Tensor:
        """Crops to scores.

        Args:
            images: (B, 3, S, S), RGB 0..255.
            extents: (B, 2) of `rpc.inference.crops.box_extents`; an eighth of the
                photo's width where not known.

        Returns:
            (B, K).
        """
        if extents is None:
            extents = self.head.weight.new_zeros(len(images), 2)
        return self.decided(self.features(images), extents)

    def decided(self, features: Tensor, extents: Tensor) -> Tensor:
        """Scores (B, K) of features (B, 304) and extents (B, 2)."""
        seen = torch.cat([features, self.extent(extents).float()], dim=1)
        scores: Tensor = self.head(self.dropout(seen))
        return scores

    def features(self, images: Tensor) -> Tensor:
        """Pooled maps (B, 304) of crops (B, 3, S, S): given to the layer that decides."""
        maps = (images.float() - IMAGENET_LITE_MEAN) / IMAGENET_LITE_STD
        maps = self.stem(maps.contiguous(memory_format=torch.channels_last))
        pooled = []
        for depth, block in enumerate(self.blocks):
            maps = block(maps)
            if depth >= 4:
                pooled.append(maps.float().mean(dim=(2, 3)))  # (B, 112), (B, 192)
        return torch.cat(pooled, dim=1)

    def phases(self) -> tuple[GradientPhase, ...]:
        """All at once, but for the first blocks."""
        body = [p for block in self.blocks[self.frozen_blocks :] for p in block.parameters()]
        head = [*self.extent.parameters(), *self.head.parameters()]
        groups = (ParameterGroup(body, self.backbone_lr_mult), ParameterGroup(head))
        return (GradientPhase("all", groups, self._loss, warm_up=0.04, average=self.average),)

    def _loss(self, batch: Batch, chance: torch.Generator) -> Losses:
        return {"class": class_loss(self(batch.images, batch.extents), batch, self.smoothing)}
