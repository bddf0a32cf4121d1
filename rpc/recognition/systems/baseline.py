"""The baseline: a plain backbone, pooled, with a linear, cosine or margin head.

A fine-grained system that does not beat it under the same budget has to say so.

Key: B photos, S x S pixels, D values of a vector, K classes.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rpc.features.backbones.trainable_backbone import Backbone, Pretraining, pooled_depths
from rpc.recognition.systems.options import NonNegative, Share
from rpc.recognition.systems.registry import register
from rpc.recognition.systems.system import (
    Batch,
    GradientPhase,
    Losses,
    ParameterGroup,
    System,
    class_loss,
)

Head = Literal["linear", "cosine", "margin"]


@register("baseline", title="Baseline", source="a plain backbone")
class Baseline(System):
    """Average-pooled maps of two depths and one layer.

    Args:
        num_classes: K.
        side: S.
        backbone: of `Backbone`.
        stages: whose maps are pooled and put side by side.
        head: "linear"; "cosine": unit vectors against unit weights, times `scale` (Wang et al.
            2017, NormFace); "margin": in learning, the true class's cosine less `margin` (Wang et
            al. 2018, CosFace, eq. 4).
        scale: of cosines.
        margin: of the margin head.
        dropout: before the head.
        smoothing: mass taken from the true label in learning.
        backbone_lr_mult: multiplier of the learning rate of the backbone.
        pretrained: ImageNet weights, or those of a file (`Pretraining`); False: none.
    """

    def __init__(
        self,
        num_classes: int,
        side: int = 160,
        *,
        backbone: str = "efficientnet_lite0",
        stages: tuple[int, ...] = (-2, -1),
        head: Head = "linear",
        scale: NonNegative = 16.0,
        margin: NonNegative = 0.2,
        dropout: Share = 0.2,
        smoothing: Share = 0.05,
        backbone_lr_mult: NonNegative = 0.3,
        pretrained: Pretraining = True,
    ) -> None:
        super().__init__(num_classes, side)
        self.backbone = Backbone(backbone, stages, pretrained=pretrained)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(sum(self.backbone.channels), num_classes, bias=head == "linear")
        self.kind, self.scale, self.margin = head, scale, margin
        self.smoothing, self.backbone_lr_mult = smoothing, backbone_lr_mult

    def forward(self, images: Tensor) -> Tensor:
        """Photos (B, 3, S, S) to scores (B, K)."""
        return self._scores(images)

    def phases(self) -> tuple[GradientPhase, ...]:
        """All at once."""
        backbone = ParameterGroup(list(self.backbone.learnable()), self.backbone_lr_mult)
        return (
            GradientPhase(
                "all", (backbone, ParameterGroup(list(self.head.parameters()))), self._loss
            ),
        )

    def _loss(self, batch: Batch, chance: torch.Generator) -> Losses:
        scores = self._scores(batch.images)
        if self.kind == "margin":
            own = F.one_hot(batch.labels, self.num_classes)
            scores = scores - self.scale * self.margin * own
        return {"class": class_loss(scores, batch, self.smoothing)}

    def _scores(self, images: Tensor) -> Tensor:
        vectors = self.dropout(pooled_depths(self.backbone(images)))  # (B, D)
        if self.kind == "linear":
            return self.head(vectors)  # type: ignore[no-any-return]
        return self.scale * F.linear(F.normalize(vectors), F.normalize(self.head.weight))
