"""Mask-CNN (Wei, Xie, Wu, Shen, Pattern Recognition 2018): descriptors selected by part masks.

A fully convolutional network learns where the parts are, from rectangles around key points. Its
masks cut the parts out, and select in each stream the descriptors that show the part; what lies
outside says nothing and learns nothing.

The paper's: rectangles around key points, split by a line where they overlap; a fully convolutional
network; average and maximum of what is selected, each of unit length; three streams and a softmax
(Pattern Recognition), or four streams, whitened by a singular value decomposition from 8,192 to
4,096 numbers, and a linear classifier (arXiv 1605.06878). The whitening's sizes are from memory;
that its classifier is a support vector machine is ours, as is that the number of directions follows
the number of photos.

Photos without key points: `masks="boxes"` learns one mask, of the object, from boxes (a cut-out's
box among them). There are no part streams then, and the object's mask alone selects.

Key: B photos, S x S pixels, G groups of key points, C channels, h x w cells, K classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rpc.data.files import DataError
from rpc.features.backbones.fully_convolutional import FullyConvolutional
from rpc.features.backbones.trainable_backbone import Backbone, Pretraining
from rpc.features.encodings.whitened_svm import WhitenedSvm
from rpc.features.parts.joined_head import LENGTH
from rpc.features.parts.key_point_groups import BIRD, checked_groups
from rpc.features.parts.part_masks import (
    IGNORED,
    Overlap,
    box_labels,
    cell_boxes,
    mask_boxes,
    mask_ends,
    masks_through,
    point_ends,
    point_labels,
    square_around,
)
from rpc.features.parts.warp import affine_view, inside, window_boxes, window_transforms
from rpc.features.pooling.masked_pooling import average_and_maximum, or_everywhere
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
from rpc.retrieval.descriptors.selection import largest_component

Source = Literal["points", "boxes"]
Classifier = Literal["softmax", "whitened"]


@register("mask_cnn", title="Mask-CNN", source="Wei, Xie, Wu, Shen, PR 2018", needs=("points",))
@register(
    "mask_cnn_4",
    title="Mask-CNN, four streams, whitened",
    source="Wei, Xie, Wu, arXiv 1605.06878, 2016",
    preset={"streams": 4, "classifier": "whitened"},
    needs=("points",),
)
@register(
    "mask_cnn_boxes",
    title="Mask-CNN, masks from boxes",
    source="Wei, Xie, Wu, Shen, PR 2018",
    preset={"masks": "boxes"},
    needs=("boxes",),
)
class MaskCnn(System):
    """Streams of selected descriptors: the object in the photo, and each part looked at closer.

    Args:
        num_classes: K.
        side: S; the paper's is 448.
        groups: numbers of the key points of each part; the paper's two of a bird by default.
        overlap: where rectangles of parts overlap, a "line" splits the cells (the paper), or the
            part that is named "first" has them: the smaller one then keeps all its key points.
        masks: what masks are learned from: "points", or "boxes" for photos without key points.
        streams: 3: the photo with the object's descriptors selected, and each part's cut (Pattern
            Recognition); 4: the photo with all its descriptors, the object's cut and each part's
            (arXiv 1605.06878). So they are called for two parts; there are 1 + G or 2 + G.
        classifier: "softmax", learned with the streams; "whitened": after them, support vectors on
            whitened vectors.
        dimension: of a whitened vector at most; the paper's is 4,096.
        cost: C of the support vectors.
        part_side: px at which a cut is seen; the paper's is 224.
        backbone: of `Backbone`, one for the masks and one for each stream.
        stages: whose descriptors are selected and pooled.
        smoothing: mass taken from the true label in learning.
        backbone_lr_mult: multiplier of the learning rate of the backbones.
        dropout: before the last layer.
        pretrained: ImageNet weights, or those of a file (`Pretraining`); False: none.

    Raises:
        ValueError: no group, one called object or without points, or another number of streams.
    """

    def __init__(
        self,
        num_classes: int,
        side: int = 192,
        *,
        groups: Mapping[str, Sequence[int]] = BIRD,
        overlap: Overlap = "line",
        masks: Source = "points",
        streams: Count = 3,
        classifier: Classifier = "softmax",
        dimension: Count = 4096,
        cost: NonNegative = 1.0,
        part_side: Pixels = 96,
        backbone: str = "efficientnet_lite0",
        stages: tuple[int, ...] = (-2, -1),
        smoothing: Share = 0.05,
        backbone_lr_mult: NonNegative = 0.3,
        dropout: Share = 0.2,
        pretrained: Pretraining = True,
    ) -> None:
        super().__init__(num_classes, side)
        if streams not in (3, 4):
            raise ValueError(f"Mask-CNN: expected 3 or 4 streams, got {streams}")
        self.source, self.overlap = masks, overlap
        self.streams, self.part_side = streams, part_side
        self.groups = checked_groups(groups, "Mask-CNN")
        self.parts = tuple(self.groups) if masks == "points" else ()
        self.needs = self.needs_of({"masks": masks})
        self.smoothing, self.backbone_lr_mult = smoothing, backbone_lr_mult
        classes = 1 + max(len(self.parts), 1)
        self.locator = FullyConvolutional(classes, backbone=backbone, pretrained=pretrained)
        self.cuts = (("object",) if streams == 4 else ()) + self.parts
        self.backbones = nn.ModuleList(
            Backbone(backbone, stages, pretrained=pretrained) for _ in range(1 + len(self.cuts))
        )
        width = 2 * sum(self._backbone(0).channels)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(width * len(self.backbones), num_classes)
        self.support: WhitenedSvm | None = None
        if classifier == "whitened":
            self.support = WhitenedSvm(
                self.head.in_features, num_classes, dimension=dimension, cost=cost
            )

    @classmethod
    def needs_of(cls, options: Mapping[str, object]) -> tuple[str, ...]:
        """Annotations that masks are learned from."""
        return (str(options.get("masks", "points")),)

    def forward(self, images: Tensor) -> Tensor:
        """Photos (B, 3, S, S) to scores (B, K)."""
        if self.support is not None:
            return self.support(self.vectors(images))  # type: ignore[no-any-return]
        return self._softmax(images)

    def _softmax(self, images: Tensor) -> Tensor:
        return self.head(self.dropout(LENGTH * self.vectors(images)))  # type: ignore[no-any-return]

    def vectors(self, images: Tensor) -> Tensor:
        """The selected descriptors of all streams, pooled; each of unit length, (B, D)."""
        pixels = images.float()
        masks = self.part_masks(images)
        whole = torch.eye(3, device=pixels.device)[:2].expand(len(pixels), 2, 3)
        first = masks["object"] if self.streams == 3 else torch.ones_like(masks["object"])
        found = [self._pooled(0, pixels, first, whole)]
        for number, part in enumerate(self.cuts, start=1):
            window = _window(masks[part])
            view = affine_view(pixels, window, self.part_side)
            found.append(self._pooled(number, view, masks[part], window))
        return torch.cat(found, dim=1)

    @torch.no_grad()
    def part_masks(self, images: Tensor) -> dict[str, Tensor]:
        """Masks (B, h, w) bool of the object and its parts: of each, the largest piece."""
        classes = self.locator(images).argmax(dim=1)
        masks = {"object": classes > 0}
        masks |= {part: classes == number for number, part in enumerate(self.parts, start=1)}
        return {part: _largest(mask) for part, mask in masks.items()}

    @property
    def part_names(self) -> tuple[str, ...]:
        """Names of the G parts; none where masks are learned from boxes."""
        return self.parts

    def found_parts(self, images: Tensor) -> Tensor:
        """The tight boxes (B, G, 4) px of the parts' masks; NaN of an empty one."""
        masks = self.part_masks(images)
        return torch.stack([mask_boxes(masks[part], self.side) for part in self.parts], dim=1)

    def true_parts(self, batch: Batch) -> Tensor:
        """The rectangles (B, G, 4) px around key points, as wide as the cells that they touch.

        NaN where no point of a part is in sight.
        """
        self._require_points(batch)
        cells = self.locator(batch.images[:1].to(self.head.weight.device)).shape[2:]
        ends = point_ends(batch.points, list(self.groups.values()))
        boxes = [cell_boxes(own, self.side, (cells[0], cells[1])) for own in ends.unbind(dim=1)]
        return torch.stack(boxes, dim=1)

    def phases(self) -> tuple[Phase, ...]:
        """First the masks; then, with them, the streams; then, where asked for, whitening."""
        locating = ParameterGroup(list(self.locator.backbone.learnable()), self.backbone_lr_mult)
        scores = ParameterGroup(list(self.locator.scores.parameters()))
        backbones = [p for n in range(len(self.backbones)) for p in self._backbone(n).learnable()]
        streams = ParameterGroup(backbones, self.backbone_lr_mult)
        head = ParameterGroup(list(self.head.parameters()))
        learned = (
            GradientPhase("masks", (scores, locating), self._mask_loss, 0.3),
            GradientPhase("classify", (head, streams), self._class_loss, 0.7),
        )
        whitened = FitPhase("whitening", self._fit_support)
        return learned if self.support is None else (*learned, whitened)

    @torch.no_grad()
    def look(self, images: Tensor) -> list[Look]:
        """The squares that were cut out, and how sure each cell is of the object."""
        sure = 1 - self.locator(images).float().softmax(dim=1)[:, 0]
        masks = self.part_masks(images)
        drawn = self.cuts or ("object",)
        boxes = [window_boxes(_window(masks[part]), self.side) for part in drawn]
        stacked = torch.stack(boxes, dim=1).cpu().numpy()
        heat = sure.cpu().numpy()
        return [Look(box, drawn, warm) for box, warm in zip(stacked, heat, strict=True)]

    def _pooled(self, number: int, pixels: Tensor, masks: Tensor, window: Tensor) -> Tensor:
        """A stream's vector (B, D): what the mask selects of a view's maps."""
        vectors = []
        for maps in self._backbone(number)(pixels):
            chosen = or_everywhere(masks_through(masks, window, maps.shape[-1]))
            vectors.append(average_and_maximum(maps, chosen))
        return torch.cat(vectors, dim=1)

    def _mask_loss(self, batch: Batch, chance: torch.Generator) -> Losses:
        scores = self.locator(batch.images).float()
        labels = self._labels(batch, (scores.shape[2], scores.shape[3]))
        known = (labels != IGNORED).sum().clamp_min(1)
        summed = F.cross_entropy(scores, labels, ignore_index=IGNORED, reduction="sum")
        return {"masks": summed / known}

    def _labels(self, batch: Batch, cells: tuple[int, int]) -> Tensor:
        """The label of each cell, (B, h, w)."""
        if self.source == "boxes":
            return box_labels(batch.boxes, self.side, cells)
        self._require_points(batch)
        groups = list(self.groups.values())
        return point_labels(batch.points, groups, self.side, cells, self.overlap)

    def _require_points(self, batch: Batch) -> None:
        """Refuse photos without the key points that the parts are made of.

        Raises:
            DataError: there are fewer.
        """
        needed = 1 + max(max(group) for group in self.groups.values())
        if (count := batch.points.shape[1]) < needed:
            raise DataError(
                f"Mask-CNN: photos have {count} key points, its parts {', '.join(self.parts)} "
                f'need {needed}; give data with key points, or set masks to "boxes"'
            )

    def _class_loss(self, batch: Batch, chance: torch.Generator) -> Losses:
        return {"class": class_loss(self._softmax(batch.images), batch, self.smoothing)}

    @torch.no_grad()
    def _fit_support(self, passes: Passes) -> None:
        assert self.support is not None
        vectors, labels = [], []
        for batch in passes.once():
            vectors.append(self.vectors(batch.images.to(self.support.bias.device)).cpu())
            labels.append(batch.labels)
        self.support.fit(torch.cat(vectors).numpy(), torch.cat(labels).numpy())

    def _backbone(self, number: int) -> Backbone:
        backbone = self.backbones[number]
        assert isinstance(backbone, Backbone)
        return backbone


def _window(masks: Tensor) -> Tensor:
    """Transforms (B, 2, 3) of the squares around masks; of the whole photo where one is empty."""
    centres, halves = square_around(mask_ends(masks))
    return window_transforms(inside(centres, halves), halves)


def _largest(masks: Tensor) -> Tensor:
    pieces = np.zeros(masks.shape, bool)
    for number, mask in enumerate(masks.cpu().numpy()):
        pieces[number] = largest_component(mask)
    return torch.from_numpy(pieces).to(masks.device)
