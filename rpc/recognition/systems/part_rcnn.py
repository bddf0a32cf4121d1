"""Part-based R-CNN (Zhang, Donahue, Girshick, Darrell, ECCV 2014).

Detectors of the object and of its parts give candidates; geometry chooses among them jointly; each
chosen box is described by a backbone of its own, and support vectors know the class.

The paper's: regions show a part from an IoU of 0.7 with its true box and nothing below 0.3; the
joint choice and its constraints; a part whose boxes all fall below a threshold set for high recall
is not there, and its vector is zero. Ours: one detecting network with region proposals for the
linear machines on selective search; the threshold is on the score times the constraint, not on the
score alone (the same with geometry "none"), and is what a missing part counts in the product, of
which the paper says nothing.

A part's true box comes from key points (`rpc.features.parts.part_boxes`): the paper's head
and body were boxes drawn by hand. The object's is the photo's box.

Key: B photos, S x S pixels, G parts, M remembered photos, D values, K classes.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from rpc.data.files import DataError
from rpc.features.backbones.trainable_backbone import Backbone, Pretraining, pooled_depths
from rpc.features.encodings.linear_svm import fit_linear_svm
from rpc.features.parts.key_point_groups import BIRD, checked_groups
from rpc.features.parts.layout_memory import LayoutMemory
from rpc.features.parts.part_boxes import layouts_of, part_boxes
from rpc.features.parts.part_detector import PartDetector
from rpc.features.parts.part_geometry import (
    MISSING,
    NONE,
    Candidates,
    Constraints,
    LayoutPrior,
    choose,
    least_worth,
)
from rpc.features.parts.warp import affine_view, window_transforms
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
from rpc.structures.boxes import box_iou

Geometry = Literal["none", "box", "mixture", "neighbours"]

_WHOLE_SCORE = 0.01  # of the whole photo as the object, where no detector is surer
_RIGHT = 0.5  # IoU with its true box from which a part's box is right, as in PCP
_CONTEXT = 1.15  # how much wider than its box a region is seen; R-CNN's is 16 of 227 px a side


@register(
    "part_rcnn",
    title="Part-based R-CNN",
    source="Zhang, Donahue, Girshick, Darrell, ECCV 2014",
    needs=("points",),
)
class PartRcnn(System):
    """Detected parts, each described by itself.

    Args:
        num_classes: K.
        side: S.
        groups: numbers of the key points of each of G parts; the two of a bird by default.
        geometry: "none": each detector's surest box; "box": parts inside the object; "mixture",
            "neighbours": that, and a prior on where a part lies in the object, a mixture of
            Gaussians or a Gaussian around the training photos that look alike.
        slack: share of S by which a part may reach out of the object. The paper's is 10 px of
            photos of about 500; boxes on maps of stride 16 are not as exact.
        power: alpha, of the priors.
        foreground: IoU with a part's true box from which a region shows the part; the paper's.
        background: IoU below which a region shows nothing; the paper's.
        recall: share of the right boxes on training photos that a part's threshold keeps; the
            paper says "high". None: the threshold is 0.0001, so that nearly always some box is
            taken for the part.
        neighbours: training photos that look alike.
        remembered: M: training photos among which neighbours are looked for, of each part.
        view_side: px at which a region is seen.
        cost: C of the support vectors.
        backbone: of `Backbone`: one for the detectors, and one each for the object and the parts.
        stages: whose maps are pooled.
        smoothing: mass taken from the true label in fine-tuning.
        backbone_lr_mult: multiplier of the learning rate of the backbones.
        pretrained: ImageNet weights, or those of a file (`Pretraining`); False: none.

    Raises:
        ValueError: no part, one called object, or a number out of its range.
    """

    needs = ("points",)

    def __init__(
        self,
        num_classes: int,
        side: int = 192,
        *,
        groups: Mapping[str, Sequence[int]] = BIRD,
        geometry: Geometry = "neighbours",
        slack: NonNegative = 0.05,
        power: NonNegative = 0.1,
        foreground: Share = 0.7,
        background: Share = 0.3,
        recall: Share | None = 0.95,
        neighbours: Count = 20,
        remembered: Count = 500,
        view_side: Pixels = 96,
        cost: NonNegative = 1.0,
        backbone: str = "efficientnet_lite0",
        stages: tuple[int, ...] = (-2, -1),
        smoothing: Share = 0.05,
        backbone_lr_mult: NonNegative = 0.3,
        pretrained: Pretraining = True,
    ) -> None:
        super().__init__(num_classes, side)
        self.groups = checked_groups(groups, "Part-based R-CNN")
        if min(neighbours, remembered) < 1 or slack < 0:
            raise ValueError(
                "Part-based R-CNN: expected neighbours and remembered of 1 or more and a slack of "
                f"0 or more; got {neighbours}, {remembered}, {slack}"
            )
        self.geometry, self.slack, self.power, self.recall = geometry, slack, power, recall
        self.neighbours = neighbours
        self.view_side, self.cost = view_side, cost
        self.smoothing, self.backbone_lr_mult = smoothing, backbone_lr_mult
        parts = len(self.groups)
        self.detector = PartDetector(
            parts,
            side,
            backbone=backbone,
            foreground=foreground,
            background=background,
            pretrained=pretrained,
        )
        self.backbones = nn.ModuleList(
            Backbone(backbone, stages, pretrained=pretrained) for _ in range(1 + parts)
        )
        self.width = sum(self._backbone(0).channels)  # of a region's vector
        self.heads = nn.ModuleList(nn.Linear(self.width, num_classes) for _ in range(1 + parts))
        self.memory = LayoutMemory(parts, self.detector.appearance_size, remembered=remembered)
        self.register_buffer("svm_weights", torch.zeros(num_classes, self.width * (1 + parts)))
        self.register_buffer("svm_bias", torch.zeros(num_classes))
        if recall is not None:
            self.register_buffer("least", torch.full((parts,), MISSING))

    least: Tensor
    svm_weights: Tensor
    svm_bias: Tensor

    def forward(self, images: Tensor) -> Tensor:
        """Photos (B, 3, S, S) to scores (B, K), those of the support vectors."""
        vectors = self.describe(images, self.find(images))
        return F.linear(vectors, self.svm_weights, self.svm_bias)

    @torch.no_grad()
    def find(self, images: Tensor) -> Tensor:
        """Boxes (B, 1 + G, 4) px of the object and its parts; NaN of a part that is not found."""
        maps = self.detector.maps(images)
        whole = Candidates(np.array([[0.0, 0, self.side, self.side]]), np.array([_WHOLE_SCORE]))
        found = np.full((len(images), 1 + len(self.groups), 4), np.nan)
        for row, (objects, *parts) in enumerate(self.detector.candidates(maps)):
            objects = Candidates(
                np.concatenate([objects.boxes, whole.boxes]),
                np.concatenate([objects.scores, whole.scores]),
            )
            choice = choose(objects, parts, self._constraints(maps[row], parts))
            found[row, 0] = objects.boxes[choice.whole]
            for number, (part, chosen) in enumerate(zip(parts, choice.parts, strict=True), 1):
                if chosen != NONE:
                    found[row, number] = part.boxes[chosen]
        return torch.from_numpy(found).to(maps)

    def describe(self, images: Tensor, boxes: Tensor) -> Tensor:
        """Describe boxes (B, 1 + G, 4): unit vectors side by side, (B, D).

        A box that is not there (NaN) gives zeros.
        """
        found = []
        for number in range(1 + len(self.groups)):
            there = torch.isfinite(boxes[:, number]).all(dim=1)
            vectors = F.normalize(self._region(number, images, boxes[:, number]).float(), dim=1)
            found.append(vectors * there[:, None])
        return torch.cat(found, dim=1)

    def phases(self) -> tuple[Phase, ...]:
        """Layouts, detectors, how parts look; the regions' backbones; support vectors."""
        detector = self.detector
        backbone = ParameterGroup(list(detector.backbone.learnable()), self.backbone_lr_mult)
        rest = [
            parameter
            for module in (detector.joins, detector.rpn, detector.roi_heads)
            for parameter in module.parameters()
        ]
        own = [p for n in range(len(self.backbones)) for p in self._backbone(n).learnable()]
        backbones, heads = (
            ParameterGroup(own, self.backbone_lr_mult),
            ParameterGroup(list(self.heads.parameters())),
        )
        return (
            FitPhase("layouts", self._fit_layouts),
            GradientPhase(
                "detectors", (ParameterGroup(rest, 0.5), backbone), self._detector_loss, 0.5
            ),
            FitPhase("looks of parts", self._fit_looks),
            FitPhase("least worth of parts", self._fit_least),
            GradientPhase("regions", (heads, backbones), self._region_loss, 0.5),
            FitPhase("support vectors", self._fit_svm),
        )

    @classmethod
    def options_of_file(
        cls, options: Mapping[str, object], state: Container[str]
    ) -> Mapping[str, object]:
        """Files from before parts had a threshold of their own have none."""
        return options if "least" in state else {"recall": None, **options}

    @torch.no_grad()
    def look(self, images: Tensor) -> list[Look]:
        """The object's box and those of the parts that were found."""
        names = ("object", *self.groups)
        looks = []
        for boxes in self.find(images).cpu().numpy():
            there = np.isfinite(boxes).all(axis=1)
            own = tuple(name for name, seen in zip(names, there, strict=True) if seen)
            looks.append(Look(boxes[there].astype(np.float32), own))
        return looks

    @property
    def part_names(self) -> tuple[str, ...]:
        """Names of the G parts."""
        return tuple(self.groups)

    def found_parts(self, images: Tensor) -> Tensor:
        """Boxes (B, G, 4) px of the parts; NaN of one that is not found."""
        return self.find(images)[:, 1:]

    def true_parts(self, batch: Batch) -> Tensor:
        """Boxes (B, G, 4) px of the parts from key points; NaN of one that is out of sight."""
        return self.true_boxes(batch)[:, 1:]

    def true_boxes(self, batch: Batch) -> Tensor:
        """Boxes (B, 1 + G, 4) of the object and of its parts from key points; NaN where hidden.

        Raises:
            DataError: the photos lack key points that the parts are made of.
        """
        wanted, count = (
            1 + max(max(group) for group in self.groups.values()),
            batch.points.shape[1],
        )
        if count < wanted:
            raise DataError(
                f"Part-based R-CNN: the photos have {count or 'no'} key points; its parts "
                f"({', '.join(self.groups)}) are made of {wanted}: give data with key points, name "
                "the groups that these data have, or choose a system that needs none"
            )
        whole = batch.boxes.double().cpu().numpy()
        points = batch.points.double().cpu().numpy()
        parts = part_boxes(points, whole, list(self.groups.values()), self.side)
        return torch.from_numpy(np.concatenate([whole[:, None], parts], axis=1)).to(batch.boxes)

    def _constraints(self, maps: Tensor, parts: Sequence[Candidates]) -> Constraints:
        """Delta for a photo with this map (C, h, w) and these candidates."""
        priors: list[LayoutPrior | None] = [None] * len(parts)
        if self.geometry == "mixture":
            priors = [self.memory.mixture(number) for number in range(len(parts))]
        elif self.geometry == "neighbours":
            priors = [self._alike(number, maps, part) for number, part in enumerate(parts)]
        slack = None if self.geometry == "none" else self.slack * self.side
        missing = MISSING if self.recall is None else self.least.tolist()
        return Constraints(slack, priors, self.power, missing)

    def _alike(self, part: int, maps: Tensor, candidates: Candidates) -> LayoutPrior | None:
        """The prior around the training photos whose part looks like the surest candidate."""
        if not len(candidates):
            return None
        surest = torch.from_numpy(candidates.boxes[candidates.scores.argmax()][None])
        look = self.detector.appearances(maps[None], [surest.to(maps)])[0]
        return self.memory.alike(part, _array(look), self.neighbours)

    def _fit_layouts(self, passes: Passes) -> None:
        """Where parts lie in training; also the first to see whether there are any."""
        found = []
        for photos in passes.once():
            boxes = _array(self.true_boxes(photos))
            found.append(layouts_of(boxes[:, 1:], boxes[:, :1]))
        layouts = np.concatenate(found)  # (N, G, 4)
        for part, name in enumerate(self.groups):
            own = layouts[np.isfinite(layouts[:, part]).all(axis=1), part]
            if not len(own):
                raise DataError(
                    f"Part-based R-CNN: no key point of part '{name}' is in sight on any training "
                    "photo; leave the part out"
                )
            self.memory.fit(part, own, passes.rng)

    @torch.no_grad()
    def _fit_looks(self, passes: Passes) -> None:
        """How parts look to the detectors, beside their layouts."""
        looks: list[list[NDArray[Any]]] = [[] for _ in self.groups]
        layouts: list[list[NDArray[Any]]] = [[] for _ in self.groups]
        for batch in passes.once():
            maps = self.detector.maps(batch.images.to(self.svm_bias.device))
            true = self.true_boxes(batch).to(maps)
            for part in range(len(self.groups)):
                there = torch.isfinite(true[:, 1 + part]).all(dim=1)
                own = [
                    box[None][seen[None]]
                    for box, seen in zip(true[:, 1 + part], there, strict=True)
                ]
                looks[part].append(_array(self.detector.appearances(maps, own)))
                layouts[part].append(
                    layouts_of(_array(true[there, 1 + part]), _array(true[there, 0]))
                )
        for part in range(len(self.groups)):
            look, layout = np.concatenate(looks[part]), np.concatenate(layouts[part])
            self.memory.remember(part, look, layout, passes.rng)

    @torch.no_grad()
    def _fit_least(self, passes: Passes) -> None:
        """The worth below which a box is not taken for a part, from the true boxes' worth."""
        if self.recall is None:
            return
        worths: list[list[float]] = [[] for _ in self.groups]
        for batch in passes.once():
            maps = self.detector.maps(batch.images.to(self.svm_bias.device))
            true = _array(self.true_boxes(batch))
            for row, (_, *parts) in enumerate(self.detector.candidates(maps)):
                rules = self._constraints(maps[row], parts)
                for number, part in enumerate(parts):
                    own = true[row, 1 + number][None]
                    if not len(part) or not np.isfinite(own).all():
                        continue
                    right = box_iou(part.boxes, own)[:, 0] >= _RIGHT
                    worth = part.scores * rules.delta(true[row, :1], part.boxes, number)[0]
                    if right.any():
                        worths[number].append(float(worth[right].max()))
        found = [least_worth(np.array(own), self.recall) for own in worths]
        self.least.copy_(torch.tensor(found))

    @torch.no_grad()
    def _fit_svm(self, passes: Passes) -> None:
        """Support vectors on the true boxes of the training photos."""
        vectors, labels = [], []
        for batch in passes.once():
            images = batch.images.to(self.svm_bias.device)
            vectors.append(_array(self.describe(images, self.true_boxes(batch).to(images.device))))
            labels.append(_array(batch.labels))
        weights, bias = fit_linear_svm(
            np.concatenate(vectors), np.concatenate(labels), self.num_classes, cost=self.cost
        )
        self.svm_weights.copy_(torch.from_numpy(weights))
        self.svm_bias.copy_(torch.from_numpy(bias))

    def _detector_loss(self, batch: Batch, chance: torch.Generator) -> Losses:
        return self.detector.losses(batch.images, self.true_boxes(batch))

    def _region_loss(self, batch: Batch, chance: torch.Generator) -> Losses:
        """Each region names the class by itself, on true boxes moved a little."""
        boxes = self.true_boxes(batch)
        sides = (boxes[..., 2:] - boxes[..., :2]).repeat(1, 1, 2)
        moves = torch.randn(boxes.shape, generator=chance).to(boxes)
        boxes = boxes + 0.07 * sides * moves
        terms = {}
        for number, (name, head) in enumerate(
            zip(("object", *self.groups), self.heads, strict=True)
        ):
            there = torch.isfinite(boxes[:, number]).all(dim=1)
            scores = head(self._region(number, batch.images, boxes[:, number]))
            loss = F.cross_entropy(
                scores.float(), batch.labels, label_smoothing=self.smoothing, reduction="none"
            )
            terms[name] = (loss * there).sum() / there.sum().clamp_min(1)
        return terms

    def _region(self, number: int, images: Tensor, boxes: Tensor) -> Tensor:
        """Pooled maps (B, D) of the boxes (B, 4), warped to a square; of NaN the whole photo."""
        whole = boxes.new_tensor([0.0, 0.0, self.side, self.side])
        ends = torch.where(torch.isfinite(boxes).all(dim=1)[:, None], boxes, whole)
        ends = ends * 2 / self.side - 1
        halves = ((ends[:, 2:] - ends[:, :2]) / 2 * _CONTEXT).clamp_min(0.02)
        windows = window_transforms((ends[:, :2] + ends[:, 2:]) / 2, halves)
        view = affine_view(images.float(), windows, self.view_side)
        return pooled_depths(self._backbone(number)(view))

    def _backbone(self, number: int) -> Backbone:
        backbone = self.backbones[number]
        assert isinstance(backbone, Backbone)
        return backbone


def _array(values: Tensor) -> NDArray[Any]:
    array: NDArray[Any] = values.detach().cpu().numpy()
    return array
