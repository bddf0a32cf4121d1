"""Multi-attention: MA-CNN (Zheng, Fu, Mei, Luo, ICCV 2017), whose parts are groups of channels.

Channels that respond at the same places are a part. Small networks weigh the channels of a photo
into one attention map a part; the maps are taught to be compact and apart; each part is then seen
by a backbone of its own, about the peak of its map. While parts are formed the photo's backbone
learns the classes, too; the parts' backbones start from it.

Key: B photos, S x S pixels, C channels, P parts, h x w cells, K classes.
"""

from __future__ import annotations

from collections.abc import Container, Mapping

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rpc.features.backbones.trainable_backbone import Backbone, Pretraining, pooled_depths
from rpc.features.parts.channel_groups import (
    Form,
    distance_loss,
    diversity_loss,
    group_channels,
    part_maps,
    peak_places,
)
from rpc.features.parts.joined_head import JoinedHead
from rpc.features.parts.warp import affine_view, inside, window_boxes, window_transforms
from rpc.recognition.systems.options import Count, CountFromZero, NonNegative, Pixels, Share
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

_SEEN = 512  # photos by which channels are grouped, and lengths of vectors known
_SURE = 3.0  # of grouping networks at their start, before the sigmoid: 0.95 of what is theirs


@register("ma_cnn", title="MA-CNN", source="Zheng, Fu, Mei, Luo, ICCV 2017")
class MaCnn(System):
    """Parts by channel grouping.

    Args:
        num_classes: K.
        side: S; the paper's is 448.
        parts: P; the paper's is 4 for birds.
        window: half side of a part's square, of the photo's half side; the paper cuts 96 of 448 px.
        part_side: px at which a part is seen.
        diversity: weight of the diversity loss; the paper's is 2.
        margin: of diversity.
        attention: form of the parts' maps, see `part_maps`; "sigmoid" is the paper's.
        grouping_lr_mult: multiplier of the learning rate of the grouping networks, which have few
            batches to leave their start in (docs/recognition.md).
        grouping_share: of the budget, for the grouping losses.
        rounds: of grouping and classifying in turn.
        backbone: of `Backbone`, one for the photo and one for each part.
        stages: whose pooled maps describe the photo and the parts; the first one's channels are
            grouped.
        smoothing: mass taken from the true label in learning.
        backbone_lr_mult: multiplier of the learning rate of the backbones.
        dropout: before the last layer.
        pretrained: ImageNet weights, or those of a file (`Pretraining`); False: none.
    """

    def __init__(
        self,
        num_classes: int,
        side: int = 192,
        *,
        parts: Count = 4,
        window: Share = 0.35,
        part_side: Pixels = 96,
        diversity: NonNegative = 2.0,
        margin: NonNegative = 0.02,
        attention: Form = "centred",
        grouping_lr_mult: NonNegative = 10.0,
        grouping_share: Share = 0.2,
        rounds: CountFromZero = 2,
        backbone: str = "efficientnet_lite0",
        stages: tuple[int, ...] = (-2, -1),
        smoothing: Share = 0.05,
        backbone_lr_mult: NonNegative = 0.3,
        dropout: Share = 0.5,
        pretrained: Pretraining = True,
    ) -> None:
        super().__init__(num_classes, side)
        if parts < 2 or not 0 < window < 1 or rounds < 1 or not 0 < grouping_share < 0.6:
            raise ValueError(
                "MA-CNN: expected 2 parts or more, 0 < window < 1, a round and 0 < grouping_share "
                f"< 0.6, got {parts}, {window}, {rounds}, {grouping_share}"
            )
        self.parts, self.window, self.part_side = parts, window, part_side
        self.diversity, self.margin, self.rounds = diversity, margin, rounds
        self.form, self.grouping_share = attention, grouping_share
        self.grouping_lr_mult = grouping_lr_mult
        self.smoothing, self.backbone_lr_mult = smoothing, backbone_lr_mult
        self.backbone = Backbone(backbone, stages, pretrained=pretrained)
        channels, width = self.backbone.channels[0], sum(self.backbone.channels)
        self.grouping = nn.ModuleList(
            nn.Sequential(nn.Linear(channels, channels), nn.Tanh(), nn.Linear(channels, channels))
            for _ in range(parts)
        )
        self.register_buffer("groups", torch.zeros(parts, channels))
        self.part_heads = nn.ModuleList(nn.Linear(channels, num_classes) for _ in range(parts))
        self.part_backbones = nn.ModuleList(
            Backbone(backbone, stages, pretrained=pretrained) for _ in range(parts)
        )
        self.photo_head = nn.Linear(width, num_classes)  # the photo alone, while parts are formed
        self.head = JoinedHead([width] * (parts + 1), num_classes, dropout)

    groups: Tensor

    def forward(self, images: Tensor) -> Tensor:
        """Photos (B, 3, S, S) to scores (B, K): the whole photo and its parts."""
        return self.head(self.vectors(images))  # type: ignore[no-any-return]

    def vectors(self, images: Tensor) -> list[Tensor]:
        """Vectors of the whole photo and of each part, (B, D)."""
        pixels = images.float()
        maps, attention = self._looked(pixels)
        centres = peak_places(attention)  # (B, P, 2)
        found = [pooled_depths(maps)]
        for number, backbone in enumerate(self.part_backbones):
            view = affine_view(pixels, self._squares(centres[:, number]), self.part_side)
            found.append(pooled_depths(backbone(view)))
        return found

    def attention(self, images: Tensor) -> Tensor:
        """Where each part is, (B, P, h, w), each map to sum 1."""
        return self._looked(images)[1]

    def phases(self) -> tuple[Phase, ...]:
        """Channels into groups, classes and grouping by turns, then the parts."""
        grouping = ParameterGroup(list(self.grouping.parameters()), self.grouping_lr_mult)
        backbone = ParameterGroup(list(self.backbone.learnable()), self.backbone_lr_mult)
        heads = ParameterGroup([*self.part_heads.parameters(), *self.photo_head.parameters()])
        turns: list[Phase] = []
        share = self.grouping_share
        for turn in range(1, self.rounds + 1):
            turns += [
                GradientPhase(
                    f"classify {turn}",
                    (heads, backbone),
                    self._class_loss,
                    (0.6 - share) / self.rounds,
                ),
                GradientPhase(
                    f"grouping {turn}",
                    (grouping,),
                    self._group_loss,
                    share / self.rounds,
                    decay=0.0,
                ),
            ]
        parts = ParameterGroup(self._part_parameters(), self.backbone_lr_mult)
        head = ParameterGroup(list(self.head.parameters()))
        return (
            FitPhase("channel groups", self._fit_groups),
            *turns,
            FitPhase("part networks", self._start_parts),
            GradientPhase("parts", (head, parts, backbone), self._whole_loss, 0.4),
        )

    @classmethod
    def options_of_file(
        cls, options: Mapping[str, object], state: Container[str]
    ) -> Mapping[str, object]:
        """Files from before maps had a form, nor backbones their pixels' mean, have "sum"."""
        return options if "backbone.mean" in state else {"attention": "sum", **options}

    @torch.no_grad()
    def look(self, images: Tensor) -> list[Look]:
        """The parts' squares, and all their attention."""
        attention = self.attention(images)
        centres = peak_places(attention)
        names = tuple(f"part {n + 1}" for n in range(self.parts))
        boxes = [window_boxes(self._squares(each), self.side).cpu().numpy() for each in centres]
        heat = attention.amax(dim=1).cpu().numpy()
        return [Look(box, names, warm) for box, warm in zip(boxes, heat, strict=True)]

    def _looked(self, images: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        """The rectified maps of the photo's backbone, and where each part is, (B, P, h, w)."""
        signed = self.backbone.unrectified(images)
        return tuple(torch.relu(own) for own in signed), self._attention(signed[0])

    def _attention(self, signed: Tensor) -> Tensor:
        """Where each part is, (B, P, h, w), by the maps as they are computed, of any sign.

        Channels are weighed by their rectified maps, which say how strong each is.
        """
        maps = torch.relu(signed)
        summed = maps if self.form == "sum" else signed
        return part_maps(summed.float(), self._weights(maps), self.form)

    def _weights(self, maps: Tensor) -> Tensor:
        """How much each channel belongs to each part, (B, P, C), 0 to 1."""
        pooled = maps.float().mean(dim=(2, 3))
        return torch.stack([torch.sigmoid(part(pooled)) for part in self.grouping], dim=1)

    def _squares(self, centres: Tensor) -> Tensor:
        halves = torch.full_like(centres[:, 0], self.window)
        return window_transforms(inside(centres, self.window), halves)

    @torch.no_grad()
    def _fit_groups(self, passes: Passes) -> None:
        """k-means of the channels by where they peak on training photos.

        The grouping networks start at the groups, whatever a photo shows: networks that are trained
        towards them for too short a time weigh all channels alike, and all parts are one.
        """
        device = self.groups.device
        peaks = [
            peak_places(self.backbone(batch.images.to(device))[0]).cpu().numpy()
            for batch in passes.some(_SEEN)
        ]
        labels = group_channels(np.concatenate(peaks), self.parts, passes.rng)
        hot = F.one_hot(torch.from_numpy(labels), self.parts).T.float()
        self.groups.copy_(hot.to(device))
        for network, own in zip(self.grouping, self.groups, strict=True):
            assert isinstance(network, nn.Sequential)
            last = network[-1]
            assert isinstance(last, nn.Linear)
            last.weight.mul_(0.1)
            last.bias.copy_(_SURE * (2 * own - 1))

    @torch.no_grad()
    def _start_parts(self, passes: Passes) -> None:
        """Parts are first seen as the photo is, and together say the mean of what each says."""
        for part in self._part_backbones():
            part.load_state_dict(self.backbone.state_dict())
        images = (batch.images for batch in passes.some(_SEEN))
        self.head.start_by([self.photo_head] * (self.parts + 1), images, self.vectors)

    def _group_loss(self, batch: Batch, chance: torch.Generator) -> Losses:
        with torch.no_grad():
            signed = self.backbone.unrectified(batch.images)[0]
        attention = self._attention(signed)
        return {
            "distance": distance_loss(attention),
            "diversity": self.diversity * diversity_loss(attention, self.margin),
        }

    def _class_loss(self, batch: Batch, chance: torch.Generator) -> Losses:
        """The photo, the map's channels pooled by each part's attention, and a part seen closer.

        The part, drawn by chance, is seen by the photo's backbone, from which its own will start.
        """
        maps, attention = self._looked(batch.images)
        pooled = torch.einsum("bphw,bchw->bpc", attention, maps[0].float())
        parts = {
            f"part {n + 1}": class_loss(head(pooled[:, n]), batch, self.smoothing) / self.parts
            for n, head in enumerate(self.part_heads)
        }
        drawn = int(torch.randint(self.parts, (1,), generator=chance))
        square = self._squares(peak_places(attention)[:, drawn])
        closer = self.backbone(affine_view(batch.images.float(), square, self.part_side))
        return {
            "photo": class_loss(self.photo_head(pooled_depths(maps)), batch, self.smoothing),
            "closer": class_loss(self.photo_head(pooled_depths(closer)), batch, self.smoothing),
            **parts,
        }

    def _whole_loss(self, batch: Batch, chance: torch.Generator) -> Losses:
        return {"class": class_loss(self(batch.images), batch, self.smoothing)}

    def _part_parameters(self) -> list[nn.Parameter]:
        return [
            parameter for backbone in self._part_backbones() for parameter in backbone.learnable()
        ]

    def _part_backbones(self) -> list[Backbone]:
        return [backbone for backbone in self.part_backbones if isinstance(backbone, Backbone)]
