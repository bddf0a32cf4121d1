"""Weakly supervised part-based representation (Zhang, Wei, Wu, Cai, Lu, Nguyen, Do, TIP 2016).

From image labels alone: object proposals are looked at closer, windows of several sizes of their
maps are part proposals, which fall into clusters; clusters that tell of the class are kept, and
what their parts add up to (a Fisher vector) goes to support vectors.

Object proposals come from the network's own activity in place of selective search, and its backbone
may be tuned on the labels first.

Key: B photos, S x S pixels, V views of a photo, N part proposals of D values (C before they are
reduced), L sizes of windows, T clusters of a size, K classes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from torchvision.ops import nms

from rpc.data.files import DataError
from rpc.features.backbones.trainable_backbone import Backbone, Pretraining, pooled_depths
from rpc.features.encodings.linear_svm import fit_linear_svm
from rpc.features.encodings.normalise import power_normalised
from rpc.features.parts.fisher_parts import linear_slopes
from rpc.features.parts.importance import cluster_importance
from rpc.features.parts.part_clusters import PartClusters
from rpc.features.parts.part_proposals import object_proposals, part_proposals, window_boxes_of
from rpc.features.parts.warp import affine_view, window_transforms, windows_by_chance
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

_SEEN = 1250  # photos by which clusters are found
_FROM_PHOTO = 16  # part proposals of a size, of each of them at most
_SHOWN = 4  # parts of a look
_APART = 0.3  # IoU above which two parts shown are one


@register(
    "weak_parts",
    title="Weakly supervised parts",
    source="Zhang, Wei, Wu, Cai, Lu, Nguyen, Do, TIP 2016",
)
class WeakParts(System):
    """Parts that tell of the class, with neither boxes nor key points.

    Clusters are found on 1,250 photos drawn by chance, so that they take no longer on more photos;
    their importance, and the support vectors, on all.

    Args:
        num_classes: K.
        side: S.
        objects: object proposals of a photo, beside the whole of it: V - 1.
        view_side: px at which the photo and each proposal are seen.
        windows: L sizes of part proposals, in cells of a view's map.
        values: D.
        clusters: T.
        kept: share of all clusters that is kept, by their importance.
        cost: C of the support vectors.
        tuned: the backbone learns from the labels first; False leaves ImageNet's.
        backbone: of `Backbone`.
        stage: of the backbone, whose map's windows are parts.
        smoothing: mass taken from the true label in tuning.
        backbone_lr_mult: multiplier of the learning rate of the backbone.
        pretrained: ImageNet weights, or those of a file (`Pretraining`); False: none.

    Raises:
        ValueError: a number out of its range.
    """

    def __init__(
        self,
        num_classes: int,
        side: int = 192,
        *,
        objects: CountFromZero = 3,
        view_side: Pixels = 128,
        windows: tuple[int, ...] = (1, 2, 4),
        values: Count = 48,
        clusters: Count = 32,
        kept: Share = 0.5,
        cost: NonNegative = 1.0,
        tuned: bool = True,
        backbone: str = "efficientnet_lite0",
        stage: int = -2,
        smoothing: Share = 0.05,
        backbone_lr_mult: NonNegative = 0.3,
        pretrained: Pretraining = True,
    ) -> None:
        super().__init__(num_classes, side)
        if min(objects, values, clusters, *windows) < 1 or not 0 < kept <= 1:
            raise ValueError(
                "weak parts: expected objects, values, clusters and windows of 1 or more and "
                f"0 < kept <= 1, got {objects}, {values}, {clusters}, {windows}, {kept}"
            )
        self.objects, self.view_side, self.windows = objects, view_side, windows
        self.cost, self.tuned = cost, tuned
        self.smoothing, self.backbone_lr_mult = smoothing, backbone_lr_mult
        self.backbone = Backbone(backbone, (stage, -1), pretrained=pretrained)
        channels = self.backbone.channels
        self.head = nn.Linear(sum(channels), num_classes)  # of use in tuning alone
        self.parts = PartClusters(len(windows), channels[0], values, clusters)
        chosen = max(round(kept * len(windows) * clusters), 1)
        self.register_buffer("importance", torch.zeros(len(windows) * clusters))
        self.register_buffer("chosen", torch.arange(chosen))  # numbers of the clusters kept
        self.register_buffer("svm_weights", torch.zeros(num_classes, chosen * 2 * values))
        self.register_buffer("svm_bias", torch.zeros(num_classes))

    importance: Tensor
    chosen: Tensor
    svm_weights: Tensor
    svm_bias: Tensor

    def forward(self, images: Tensor) -> Tensor:
        """Photos (B, 3, S, S) to scores (B, K), those of the support vectors."""
        vectors = [self._vector(self.parts.gradients(own)) for own in self.describe(images)]
        found = np.stack(vectors) if vectors else np.zeros((0, self.svm_weights.shape[1]))
        tensor = torch.from_numpy(found).to(self.svm_weights)
        return F.linear(tensor, self.svm_weights, self.svm_bias)

    @torch.no_grad()
    def proposals(self, images: Tensor) -> Tensor:
        """Views (B, V, 4) of photos, x1, y1, x2, y2 from -1 to 1: the whole, then objects."""
        maps = self.backbone(images)[0].float()
        whole = maps.new_tensor([-1.0, -1.0, 1.0, 1.0]).repeat(len(maps), 1, 1)
        return torch.cat([whole, object_proposals(maps.sum(dim=1), self.objects)], dim=1)

    @torch.no_grad()
    def describe(self, images: Tensor) -> Iterator[list[NDArray[Any]]]:
        """Of each photo its part proposals, reduced: of each size (N, D)."""
        for own in self._proposed(images, self.proposals(images)):
            yield self.parts.reduced(own)

    def phases(self) -> tuple[Phase, ...]:
        """The backbone, clusters of parts, which of them tell, support vectors."""
        fits = (
            FitPhase("part clusters", self._fit_clusters),
            FitPhase("support vectors", self._fit_svm),
        )
        if not self.tuned:
            return fits
        backbone = ParameterGroup(list(self.backbone.learnable()), self.backbone_lr_mult)
        head = ParameterGroup(list(self.head.parameters()))
        return (GradientPhase("backbone", (head, backbone), self._tuning_loss), *fits)

    @torch.no_grad()
    def look(self, images: Tensor) -> list[Look]:
        """The parts that add most to the score of the class that is named."""
        views = self.proposals(images)
        looks = []
        for places, parts in zip(views, self.describe(images), strict=True):
            boxes = _array(self._boxes(places, [len(own) for own in parts]))
            added = self._added(parts)
            order = nms(torch.from_numpy(boxes), torch.from_numpy(added).float(), _APART).numpy()[
                :_SHOWN
            ]
            order = order[added[order] > 0]
            names = tuple(f"part {n + 1}" for n in range(len(order)))
            looks.append(Look(boxes[order], names))
        return looks

    def _proposed(self, images: Tensor, views: Tensor) -> Iterator[list[Tensor]]:
        """Of each photo the unit descriptors of its part proposals: of each size (N, C)."""
        for image, places in zip(images, views, strict=True):
            halves = (places[:, 2:] - places[:, :2]) / 2
            windows = window_transforms((places[:, :2] + places[:, 2:]) / 2, halves)
            pixels = image.float().expand(len(places), -1, -1, -1)
            maps = self.backbone(affine_view(pixels, windows, self.view_side))[0].float()
            if min(maps.shape[2:]) < max(self.windows):
                raise DataError(
                    f"weak parts: windows of {max(self.windows)} cells do not fit a map of "
                    f"{maps.shape[2]} x {maps.shape[3]}; make view_side larger"
                )
            found = (part_proposals(maps, size).flatten(0, 1) for size in self.windows)
            yield [F.normalize(parts, dim=1) for parts in found]

    def _boxes(self, places: Tensor, counts: list[int]) -> Tensor:
        """Boxes (all of N, 4) px of a photo's part proposals, N by size, in its views (V, 4)."""
        centre, half = (places[:, :2] + places[:, 2:]) / 2, (places[:, 2:] - places[:, :2]) / 2
        found = []
        for size, count in zip(self.windows, counts, strict=True):
            cells = round((count / len(places)) ** 0.5) + size - 1  # of the map, across
            grid = window_boxes_of(cells, cells, (size, size)).to(places)
            inner = centre.repeat(1, 2)[:, None] + half.repeat(1, 2)[:, None] * grid
            found.append(inner.flatten(0, 1))
        return (torch.cat(found) + 1) / 2 * self.side

    def _vector(self, gradients: NDArray[Any]) -> NDArray[Any]:
        """The clusters that are kept of (L * T, 2 * D), with signed root and unit length."""
        vector: NDArray[Any] = power_normalised(gradients[_array(self.chosen)].ravel())
        return vector

    def _added(self, parts: list[NDArray[Any]]) -> NDArray[np.float64]:
        """The share of each part proposal, of all sizes, in the score of the likeliest class."""
        gradients, chosen = self.parts.gradients(parts), _array(self.chosen)
        weights = _array(self.svm_weights)
        label = int((weights @ self._vector(gradients) + _array(self.svm_bias)).argmax())
        slopes = np.zeros_like(gradients)
        own = weights[label].reshape(len(chosen), -1)
        slopes[chosen] = linear_slopes(gradients[chosen], own)
        return self.parts.added(parts, slopes)

    def _tuning_loss(self, batch: Batch, chance: torch.Generator) -> Losses:
        """Photo and a window of it, by chance: a half to all of its side."""
        windows = windows_by_chance(len(batch), 0.5, chance).to(batch.boxes)
        whole = torch.eye(3)[:2].expand_as(windows).to(batch.boxes)
        terms = {}
        for name, transforms in (("whole", whole), ("window", windows)):
            view = affine_view(batch.images.float(), transforms, self.view_side)
            pooled = pooled_depths(self.backbone(view))
            terms[name] = 0.5 * class_loss(self.head(pooled), batch, self.smoothing)
        return terms

    @torch.no_grad()
    def _fit_clusters(self, passes: Passes) -> None:
        """Directions in which parts vary, and clusters of them, of each size of windows."""
        samples: list[list[NDArray[Any]]] = [[] for _ in self.windows]
        for batch in passes.some(_SEEN):
            images = batch.images.to(self.svm_bias.device)
            for photo in self._proposed(images, self.proposals(images)):
                for sample, own in zip(samples, photo, strict=True):
                    rows = passes.rng.permutation(len(own))[:_FROM_PHOTO]
                    sample.append(_array(own)[rows])
        for size, sample in enumerate(samples):
            try:
                self.parts.fit(size, np.concatenate(sample), int(passes.rng.integers(2**31)))
            except ValueError as error:
                text = f"weak parts: windows of {self.windows[size]} cells: {error}"
                raise DataError(text) from error

    @torch.no_grad()
    def _fit_svm(self, passes: Passes) -> None:
        """Which clusters tell of the class, and support vectors on those."""
        found, labels = [], []
        for batch in passes.once():
            parts = self.describe(batch.images.to(self.svm_bias.device))
            found += [self.parts.gradients(own).astype(np.float32) for own in parts]
            labels.append(_array(batch.labels))
        known = np.concatenate(labels)
        importance = cluster_importance(np.stack(found), known)
        self.importance.copy_(torch.from_numpy(importance))
        best = np.sort(np.argsort(-importance, kind="stable")[: len(self.chosen)])
        self.chosen.copy_(torch.from_numpy(best))
        vectors = np.stack([self._vector(own) for own in found])
        weights, bias = fit_linear_svm(vectors, known, self.num_classes, cost=self.cost)
        self.svm_weights.copy_(torch.from_numpy(weights))
        self.svm_bias.copy_(torch.from_numpy(bias))


def _array(values: Tensor) -> NDArray[Any]:
    array: NDArray[Any] = values.detach().cpu().numpy()
    return array
