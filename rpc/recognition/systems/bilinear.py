"""Second-order recognition: bilinear CNN, compact bilinear, iSQRT-COV.

Lin, RoyChowdhury, Maji, ICCV 2015; Gao et al., CVPR 2016; Li et al., CVPR 2018. One
or two backbones, second-order pooling of their last maps, one layer. Two steps of learning, as the
first paper has it: the layer alone, then everything.

Key: B photos, S x S pixels, D and E channels, K classes.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from rpc.features.backbones.trainable_backbone import Backbone, Pretraining, joined_depths
from rpc.features.pooling.second_order import (
    TensorSketch,
    bilinear,
    covariance,
    normalised,
    root_of,
    upper_triangle,
)
from rpc.recognition.systems.options import Count, NonNegative, Share
from rpc.recognition.systems.registry import register
from rpc.recognition.systems.system import (
    Batch,
    GradientPhase,
    Losses,
    ParameterGroup,
    System,
    class_loss,
)

Pooling = Literal["bilinear", "compact", "isqrt"]


@register(
    "bilinear",
    title="B-CNN",
    source="Lin, RoyChowdhury, Maji, ICCV 2015",
    preset={"pooling": "bilinear"},
)
@register(
    "bilinear_dm",
    title="B-CNN, two backbones",
    source="Lin, RoyChowdhury, Maji, ICCV 2015",
    preset={"pooling": "bilinear"},
    usual={"second": "efficientnet_lite0"},
)
@register(
    "compact",
    title="Compact bilinear pooling",
    source="Gao, Beijbom, Zhang, Darrell, CVPR 2016",
    preset={"pooling": "compact"},
)
@register(
    "isqrt", title="iSQRT-COV", source="Li, Xie, Wang, Gao, CVPR 2018", preset={"pooling": "isqrt"}
)
class BilinearCnn(System):
    """Second-order pooling and one layer.

    Args:
        num_classes: K.
        side: S; the papers take 448.
        pooling: "bilinear": the outer product, signed root, unit length; "compact": its tensor
            sketch, treated alike; "isqrt": the root of the covariance, upper triangle.
        backbone: of `Backbone`.
        stages: whose maps are pooled, side by side on the cells of the finest. The papers read one,
            of 16 px a cell (VGG's conv5); the last of most networks has 32.
        second: another backbone for [D, M] (of "bilinear" and "compact"); None for [D, D].
        width: channels after a 1 x 1 convolution (with normalisation and ReLU where pooling is
            "isqrt", as in its paper); None keeps the backbone's.
        size: of the sketch.
        iterations: Newton and Schulz's.
        smoothing: mass taken from the true label in learning.
        head_share: of the budget, for the step in which the layer alone learns.
        backbone_lr_mult: multiplier of the learning rate of the backbone in the second step.
        pretrained: ImageNet weights, or those of a file (`Pretraining`); False: none.
    """

    def __init__(
        self,
        num_classes: int,
        side: int = 160,
        *,
        pooling: Pooling = "bilinear",
        backbone: str = "efficientnet_lite0",
        stages: tuple[int, ...] = (-1,),
        second: str | None = None,
        width: Count | None = 64,
        size: Count = 4096,
        iterations: Count = 5,
        smoothing: Share = 0.05,
        head_share: Share = 0.25,
        backbone_lr_mult: NonNegative = 0.3,
        pretrained: Pretraining = True,
    ) -> None:
        super().__init__(num_classes, side)
        if pooling == "isqrt" and second is not None:
            raise ValueError("bilinear CNN: isqrt pools one backbone; leave 'second' out")
        self.pooling, self.iterations, self.smoothing = pooling, iterations, smoothing
        self.head_share, self.backbone_lr_mult = head_share, backbone_lr_mult
        names = [backbone] if second is None else [backbone, second]
        self.backbones = nn.ModuleList(
            Backbone(name, stages, pretrained=pretrained) for name in names
        )
        self.reductions = nn.ModuleList(
            _reduction(sum(backbone.channels), width, pooling) for backbone in self._backbones()
        )
        widths = [width or sum(backbone.channels) for backbone in self._backbones()]
        left, right = widths[0], widths[-1]
        self.sketch = TensorSketch(left, right, size) if pooling == "compact" else None
        sizes = {"bilinear": left * right, "compact": size, "isqrt": left * (left + 1) // 2}
        self.head = nn.Linear(sizes[pooling], num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Photos (B, 3, S, S) to scores (B, K)."""
        return self.head(self.vectors(images))  # type: ignore[no-any-return]

    def vectors(self, images: Tensor) -> Tensor:
        """The input of the layer: (B, D * E), (B, d) or (B, D (D + 1) / 2)."""
        maps = [
            reduce(joined_depths(backbone(images))).float()
            for backbone, reduce in zip(self._backbones(), self.reductions, strict=True)
        ]
        if self.pooling == "isqrt":
            return upper_triangle(root_of(covariance(maps[0]), self.iterations))
        if self.sketch is not None:
            return normalised(self.sketch(maps[0], maps[-1]))
        return normalised(bilinear(maps[0], maps[-1]).flatten(1))

    def phases(self) -> tuple[GradientPhase, ...]:
        """The layer (and the reductions) first, then everything."""
        new = ParameterGroup([*self.reductions.parameters(), *self.head.parameters()])
        old = ParameterGroup(
            [p for t in self._backbones() for p in t.learnable()], self.backbone_lr_mult
        )
        return (
            GradientPhase("layer", (new,), self._loss, self.head_share, decay=1e-4),
            GradientPhase("all", (new, old), self._loss, 1 - self.head_share),
        )

    def _loss(self, batch: Batch, chance: torch.Generator) -> Losses:
        return {"class": class_loss(self(batch.images), batch, self.smoothing)}

    def _backbones(self) -> list[Backbone]:
        return [backbone for backbone in self.backbones if isinstance(backbone, Backbone)]


def _reduction(channels: int, width: int | None, pooling: Pooling) -> nn.Module:
    if width is None:
        return nn.Identity()
    one = nn.Conv2d(channels, width, 1, bias=pooling != "isqrt")
    nn.init.orthogonal_(one.weight)  # keeps what the backbone tells, as far as it fits
    if pooling != "isqrt":
        return one
    return nn.Sequential(one, nn.BatchNorm2d(width), nn.ReLU(inplace=True))
