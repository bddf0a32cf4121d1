"""Spatial transformer networks for recognition: ST-CNN (Jaderberg et al., NIPS 2015, 4.3 and A.6).

One small network looks at the whole photo and says where to look closer; each place is seen by a
backbone of its own; what they found is put side by side. In the first part of the time one backbone
learns windows put by chance, and every window's starts from it.

Key: B photos, S x S pixels, T transformers, D values of a window's vector, K classes.
"""

from __future__ import annotations

from typing import Final, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rpc.features.backbones.trainable_backbone import Backbone, Pretraining, pooled_depths
from rpc.features.parts.joined_head import JoinedHead
from rpc.features.parts.warp import (
    affine_view,
    inside,
    window_boxes,
    window_transforms,
    windows_by_chance,
)
from rpc.recognition.systems.options import Count, NonNegative, Pixels, Share
from rpc.recognition.systems.registry import register
from rpc.recognition.systems.system import (
    Batch,
    FitPhase,
    GradientPhase,
    Look,
    Losses,
    ParameterGroup,
    Passes,
    Phase,
    System,
    class_loss,
)

Transform = Literal["translation", "affine"]
# Where windows start, so that they are distinct and, four of them at half scale, cover the photo.
_STARTS: Final = {1: ((0, 0),), 2: ((-1, 0), (1, 0)), 4: ((-1, -1), (1, -1), (-1, 1), (1, 1))}

_SEEN = 256  # photos by which the lengths of vectors are known


@register(
    "st_cnn_2",
    title="ST-CNN, 2 windows",
    source="Jaderberg, Simonyan, Zisserman, Kavukcuoglu, NIPS 2015",
    preset={"windows": 2, "transform": "translation"},
)
@register(
    "st_cnn_4",
    title="ST-CNN, 4 windows",
    source="Jaderberg, Simonyan, Zisserman, Kavukcuoglu, NIPS 2015",
    preset={"windows": 4, "transform": "translation"},
)
@register(
    "st_cnn_affine",
    title="ST-CNN, affine",
    source="Jaderberg, Simonyan, Zisserman, Kavukcuoglu, NIPS 2015",
    preset={"transform": "affine"},
)
class StCnn(System):
    """Two or four attention windows and their backbones.

    Args:
        num_classes: K.
        side: S of the photo; the paper has 224 and 448.
        windows: T: 1, 2 or 4.
        window_side: px at which a window is seen; the paper's is 224.
        transform: "translation": windows of fixed `scale` that move; "affine": six numbers each,
            which the paper found to overfit.
        scale: of a window's side to the photo's.
        backbone: of `Backbone`; one shared for locating, and one for each window.
        stages: whose pooled maps describe a window.
        start_share: of the budget, in which one backbone learns windows put by chance for all; 0:
            each starts from ImageNet by itself.
        look_side: px at which the locating network sees the photo.
        dropout: before the last layer; the paper's is 0.7.
        locator_lr_mult: of the locating network's learning rate. At 0.1 windows follow what
            tells classes apart; at 0.01 of AdamW they hardly leave where they start, and at 0 they
            never do (docs/recognition.md). The paper's 1e-4 is of plain gradient descent at a rate
            of 0.1, for 25,000 batches and more.
        smoothing: mass taken from the true label in learning.
        backbone_lr_mult: multiplier of the learning rate of the windows' backbones.
        pretrained: ImageNet weights, or those of a file (`Pretraining`); False: none.
    """

    def __init__(
        self,
        num_classes: int,
        side: int = 192,
        *,
        windows: Count = 2,
        window_side: Pixels = 128,
        transform: Transform = "translation",
        scale: NonNegative = 0.5,
        backbone: str = "efficientnet_lite0",
        stages: tuple[int, ...] = (-2, -1),
        start_share: Share = 0.4,
        look_side: Pixels = 96,
        dropout: Share = 0.5,
        locator_lr_mult: NonNegative = 0.1,
        smoothing: Share = 0.05,
        backbone_lr_mult: NonNegative = 0.3,
        pretrained: Pretraining = True,
    ) -> None:
        super().__init__(num_classes, side)
        if windows not in _STARTS or not 0 < scale <= 1 or not 0 <= start_share < 1:
            raise ValueError(
                "ST-CNN: expected 1, 2 or 4 windows, 0 < scale <= 1 and 0 <= start_share < 1, got "
                f"{windows}, {scale}, {start_share}"
            )
        self.windows, self.window_side, self.look_side = windows, window_side, look_side
        self.transform, self.scale = transform, scale
        self.locator_lr_mult, self.smoothing = locator_lr_mult, smoothing
        self.backbone_lr_mult, self.start_share = backbone_lr_mult, start_share
        self.locator = Backbone(backbone, pretrained=pretrained)
        numbers = 2 if transform == "translation" else 6
        self.reduce = nn.Conv2d(self.locator.channels[0], 128, 1)
        self.hidden = nn.LazyLinear(128)
        self.where = nn.Linear(128, numbers * windows)
        self.backbones = nn.ModuleList(
            Backbone(backbone, stages, pretrained=pretrained) for _ in range(windows)
        )
        width = sum(self._backbones()[0].channels)
        self.first_head = nn.Linear(width, num_classes)  # of use in the start alone
        self.head = JoinedHead([width] * windows, num_classes, dropout)
        self.locator.eval()  # a grey photo must not move the statistics of its layers
        with torch.no_grad():  # settles the size of the lazy layer
            self.hidden(self._seen(torch.zeros(1, 3, look_side, look_side)))
        self.locator.train()
        self._start()

    def forward(self, images: Tensor) -> Tensor:
        """Photos (B, 3, S, S) to scores (B, K)."""
        return self.head(self.vectors(images))  # type: ignore[no-any-return]

    def vectors(self, images: Tensor) -> list[Tensor]:
        """Vectors of each window, T times (B, D)."""
        pixels = images.float()
        transforms = self.transforms(pixels)  # (B, T, 2, 3)
        return [
            pooled_depths(backbone(affine_view(pixels, transforms[:, number], self.window_side)))
            for number, backbone in enumerate(self.backbones)
        ]

    def transforms(self, pixels: Tensor) -> Tensor:
        """Where the windows are, (B, T, 2, 3), of photos (B, 3, S, S)."""
        small = F.interpolate(
            pixels, (self.look_side, self.look_side), mode="bilinear", antialias=True
        )
        said: Tensor = self.where(torch.relu(self.hidden(self._seen(small)))).float()
        if self.transform == "affine":
            return said.view(-1, self.windows, 2, 3)
        centres = inside(said.view(-1, 2), self.scale)
        halves = torch.full_like(centres[:, 0], self.scale)
        return window_transforms(centres, halves).view(-1, self.windows, 2, 3)

    def phases(self) -> tuple[Phase, ...]:
        """One backbone for all windows, then all at once, the locating network slowly."""
        slow = [*self.locator.learnable(), *self.reduce.parameters()]
        slow += [*self.hidden.parameters(), *self.where.parameters()]
        backbones = [p for backbone in self._backbones() for p in backbone.learnable()]
        groups = (
            ParameterGroup(list(self.head.parameters())),
            ParameterGroup(backbones, self.backbone_lr_mult),
            ParameterGroup(slow, self.locator_lr_mult),
        )
        everything = GradientPhase("all", groups, self._loss, 1 - self.start_share)
        if not self.start_share:
            return (everything,)
        first = (
            ParameterGroup(list(self.first_head.parameters())),
            ParameterGroup(list(self._backbones()[0].learnable()), self.backbone_lr_mult),
        )
        return (
            GradientPhase("windows by chance", first, self._first_loss, self.start_share),
            FitPhase("windows' networks", self._start_windows),
            everything,
        )

    @torch.no_grad()
    def look(self, images: Tensor) -> list[Look]:
        """The windows."""
        transforms = self.transforms(images.float())
        names = tuple(f"window {n + 1}" for n in range(self.windows))
        return [Look(window_boxes(each, self.side).cpu().numpy(), names) for each in transforms]

    def _first_loss(self, batch: Batch, chance: torch.Generator) -> Losses:
        windows = windows_by_chance(len(batch), self.scale, chance).to(batch.boxes)
        view = affine_view(batch.images.float(), windows, self.window_side)
        scores = self.first_head(pooled_depths(self._backbones()[0](view)))
        return {"class": class_loss(scores, batch, self.smoothing)}

    @torch.no_grad()
    def _start_windows(self, passes: Passes) -> None:
        """Every window is first seen alike, and together they say the mean of what each says."""
        first, *others = self._backbones()
        for backbone in others:
            backbone.load_state_dict(first.state_dict())
        photos = (batch.images for batch in passes.some(_SEEN))
        self.head.start_by([self.first_head] * self.windows, photos, self.vectors)

    def _loss(self, batch: Batch, chance: torch.Generator) -> Losses:
        return {"class": class_loss(self(batch.images), batch, self.smoothing)}

    def _backbones(self) -> list[Backbone]:
        return [backbone for backbone in self.backbones if isinstance(backbone, Backbone)]

    def _seen(self, small: Tensor) -> Tensor:
        return torch.relu(self.reduce(self.locator(small)[0])).flatten(1)

    def _start(self) -> None:
        """The windows side by side, whatever the photo shows."""
        room = 1 - self.scale
        centres = torch.tensor(_STARTS[self.windows], dtype=torch.float32) * room
        nn.init.zeros_(self.where.weight)
        with torch.no_grad():
            if self.transform == "translation":
                self.where.bias.copy_(centres.flatten())
            else:
                halves = torch.full((self.windows,), self.scale)
                self.where.bias.copy_(window_transforms(centres, halves).flatten())
