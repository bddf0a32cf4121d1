"""Neural activation constellations (Simon, Rodner, ICCV 2015): parts found from labels alone.

Channels of a pretrained network detect patterns; the gradient of a channel's response says where
on a photo its pattern is. A constellation of the places over the training photos tells channels
that keep their distances, parts of the object, from those that fire anywhere. The photo is then
cut about these parts, and one network, tuned on such cuts, describes the photo and every cut for
linear support vector machines.

Three departures: one constellation stands for all classes, of channels that lie together one is
taken, and gradients end, by default, at a map of 8 px a cell, not at the pixels, which is five
times cheaper and hardly coarser than the paper's smoothing.

Key: B photos, N training photos, S x S pixels, C channels, P parts, L scales, D values, K classes.
"""

from __future__ import annotations

import math
from itertools import product
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rpc.features.backbones.trainable_backbone import Backbone, Pretraining, pooled_depths
from rpc.features.encodings.linear_svm import fit_linear_svm
from rpc.features.parts.channel_gradients import channel_gradients, gradient_places
from rpc.features.parts.constellation import channel_use, channels_apart, fit_constellation
from rpc.features.parts.warp import affine_view, inside, window_boxes, window_transforms
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
)

Ground = Literal["map", "pixels"]

_MISSING = 0.25  # squared distance, in half sides of the photo, at which a part counts as hidden


@register("nac", title="Neural activation constellations", source="Simon, Rodner, ICCV 2015")
class Constellations(System):
    """Parts that keep their distances, and support vectors on what they look like.

    Args:
        num_classes: K.
        side: S.
        parts: P, channels that are looked at on every photo.
        views: of the object, each with a shape of its own; the paper's is 10.
        view_parts: channels of a view; the paper's is 10.
        used: of them, those that are compared on a photo; the paper's is 5.
        apart: least median distance of two parts, in half sides of the photo.
        areas: of the cuts about each part, as shares of the photo's; the paper's are these two.
        part_side: px at which a cut is seen.
        photos: N, by which the constellation is fitted: a gradient for each channel is dear.
        ground: where gradients end: at the "map" of an early stage, or at the "pixels" (the paper).
        locating: stages of the network whose channels are parts, and of the map, the second.
        backbone: of `Backbone`, one that locates and rests, one that describes and is tuned.
        stages: whose pooled maps describe.
        cost: of the support vector machines; 10 named held-out training photos better than 1.
        smoothing: mass taken from the true label in tuning.
        backbone_lr_mult: multiplier of the learning rate of the backbone.
        pretrained: ImageNet weights, or those of a file (`Pretraining`); False: none.

    Raises:
        ValueError: no part, areas beyond 0 to 1, or photos below 2.
    """

    def __init__(
        self,
        num_classes: int,
        side: int = 192,
        *,
        parts: Count = 6,
        views: Count = 10,
        view_parts: Count = 10,
        used: Count = 5,
        apart: NonNegative = 0.1,
        areas: tuple[float, ...] = (0.44, 0.24),
        part_side: Pixels = 96,
        photos: Count = 96,
        ground: Ground = "map",
        locating: tuple[int, int] = (-2, -3),
        backbone: str = "efficientnet_lite0",
        stages: tuple[int, ...] = (-2, -1),
        cost: NonNegative = 10.0,
        smoothing: Share = 0.05,
        backbone_lr_mult: NonNegative = 0.3,
        pretrained: Pretraining = True,
    ) -> None:
        super().__init__(num_classes, side)
        if parts < 1 or not areas or not all(0 < area <= 1 for area in areas) or photos < 2:
            raise ValueError(
                "constellations: expected a part or more, areas above 0 to 1 and 2 photos or "
                f"more, got {parts}, {areas}, {photos}"
            )
        self.views, self.view_parts, self.used, self.apart = views, view_parts, used, apart
        self.halves = tuple(area**0.5 for area in areas)
        self.part_side, self.photos, self.ground, self.cost = part_side, photos, ground, cost
        self.smoothing, self.backbone_lr_mult = smoothing, backbone_lr_mult
        self.locator = Backbone(backbone, locating, pretrained=pretrained)
        self.backbone = Backbone(backbone, stages, pretrained=pretrained)
        if not parts <= self.locator.channels[0] or not view_parts <= self.locator.channels[0]:
            raise ValueError(
                f"constellations: expected no more parts than the {self.locator.channels[0]} "
                f"channels of stage {locating[0]}, got {parts} and {view_parts}"
            )
        width = sum(self.backbone.channels)
        self.head = nn.Linear(width, num_classes)  # for tuning
        size = width * (1 + parts * len(areas))
        self.register_buffer("channels", torch.arange(parts))
        self.register_buffer("weights", torch.zeros(num_classes, size))
        self.register_buffer("bias", torch.zeros(num_classes))

    channels: Tensor
    weights: Tensor
    bias: Tensor

    def forward(self, images: Tensor) -> Tensor:
        """Photos (B, 3, S, S) to the scores (B, K) of the support vector machines."""
        return F.linear(self.vectors(images), self.weights, self.bias)

    def vectors(self, images: Tensor) -> Tensor:
        """The photo and its cuts, described: each of unit length, none for parts out of sight."""
        places, seen = self.located(images, self.channels.tolist())
        pixels = images.float()
        found = [self._described(pixels)]
        for part, half in product(range(len(self.channels)), self.halves):
            view = affine_view(pixels, _square(places[:, part], half), self.part_side)
            found.append(self._described(view) * seen[:, part, None])
        return torch.cat(found, dim=1) / math.sqrt(len(found))

    def located(self, images: Tensor, channels: list[int]) -> tuple[Tensor, Tensor]:
        """Places (B, C, 2), x and y from -1 to 1, of some channels, and which respond, (B, C)."""
        with torch.inference_mode(False), torch.enable_grad():
            pixels = images.float().clone().requires_grad_(True)
            maps, early = self.locator.unrectified(pixels)
            below = pixels if self.ground == "pixels" else early
            gradients = channel_gradients(torch.relu(maps), below, channels)
        return gradient_places(gradients)

    def phases(self) -> tuple[Phase, ...]:
        """The constellation, the describing network tuned on cuts, the support vectors."""
        backbone = ParameterGroup(list(self.backbone.learnable()), self.backbone_lr_mult)
        head = ParameterGroup(list(self.head.parameters()))
        return (
            FitPhase("constellation", self._fit_parts),
            GradientPhase("cuts", (head, backbone), self._cut_loss),
            FitPhase("support vectors", self._fit_support),
        )

    @torch.no_grad()
    def look(self, images: Tensor) -> list[Look]:
        """The smallest cut about each part in sight."""
        places, seen = self.located(images, self.channels.tolist())
        looks = []
        for where, there in zip(places, seen, strict=True):
            boxes = window_boxes(_square(where, min(self.halves)), self.side)[there]
            names = [f"part {n + 1}" for n in there.nonzero()[:, 0].tolist()]
            looks.append(Look(boxes.cpu().numpy(), tuple(names)))
        return looks

    def _described(self, pixels: Tensor) -> Tensor:
        return F.normalize(pooled_depths(self.backbone(pixels)), dim=1)

    def _fit_parts(self, passes: Passes) -> None:
        """Which channels are parts, by a constellation of photos drawn by chance."""
        images = torch.cat([batch.images for batch in passes.some(self.photos)])
        everything = list(range(self.locator.channels[0]))
        places, seen = [], []
        for start in range(0, len(images), 16):
            some = images[start : start + 16].to(self.channels.device)
            where, there = self.located(some, everything)
            places.append(where.detach().cpu().double())
            seen.append(there.cpu())
        found, shown = torch.cat(places).numpy(), torch.cat(seen).numpy()
        model = fit_constellation(
            found, shown, passes.rng, views=self.views, parts=self.view_parts, used=self.used,
            missing=_MISSING,
        )  # fmt: skip
        use = channel_use(model, found, shown, used=self.used, missing=_MISSING)
        chosen = channels_apart(use, found, shown, len(self.channels), self.apart)
        self.channels.copy_(torch.from_numpy(chosen))

    def _cut_loss(self, batch: Batch, chance: torch.Generator) -> Losses:
        """The photo, and one cut of it about a part, drawn by chance."""
        pixels = batch.images.float()
        count, device = len(batch), pixels.device
        part = int(torch.randint(len(self.channels), (1,), generator=chance))
        half = self.halves[int(torch.randint(len(self.halves), (1,), generator=chance))]
        places, seen = self.located(batch.images, [int(self.channels[part])])
        cut = affine_view(pixels, _square(places[:, 0].detach(), half), self.part_side)
        whole = self._loss(pixels, batch.labels, torch.ones(count, device=device))
        return {"photo": whole, "cut": self._loss(cut, batch.labels, seen[:, 0].float())}

    def _loss(self, pixels: Tensor, labels: Tensor, weight: Tensor) -> Tensor:
        scores = self.head(pooled_depths(self.backbone(pixels)))
        losses = F.cross_entropy(scores, labels, label_smoothing=self.smoothing, reduction="none")
        return (losses * weight).sum() / weight.sum().clamp_min(1)

    @torch.no_grad()
    def _fit_support(self, passes: Passes) -> None:
        vectors, labels = [], []
        for batch in passes.once():
            vectors.append(self.vectors(batch.images.to(self.channels.device)).cpu())
            labels.append(batch.labels)
        weights, bias = fit_linear_svm(
            torch.cat(vectors).numpy(), torch.cat(labels).numpy(), self.num_classes, cost=self.cost
        )
        self.weights.copy_(torch.from_numpy(weights))
        self.bias.copy_(torch.from_numpy(bias))


def _square(centres: Tensor, half: float) -> Tensor:
    """Transforms (B, 2, 3) of squares about centres (B, 2), moved to lie in the photo."""
    halves = torch.full_like(centres[:, 0], half)
    return window_transforms(inside(centres, half), halves)
