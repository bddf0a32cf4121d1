"""Boxes of an object and of its parts: torchvision's Faster R-CNN, on a backbone with few channels.

A class of its own for the object and for each part, as in Part-based R-CNN (Zhang et al., ECCV
2014); region proposals come from a network (Ren et al., NIPS 2015) and not from selective search.
Small numbers throughout: a photo shows one object.

Key: B photos of S x S pixels, G parts, C channels, h x w cells, N boxes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models.detection.anchor_utils import (
    AnchorGenerator,
)
from torchvision.models.detection.faster_rcnn import (
    FastRCNNPredictor,
    TwoMLPHead,
)
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.roi_heads import RoIHeads
from torchvision.models.detection.rpn import (
    RegionProposalNetwork,
    RPNHead,
)
from torchvision.ops import MultiScaleRoIAlign, roi_align

from rpc.features.backbones.trainable_backbone import Backbone, Pretraining
from rpc.features.parts.part_geometry import Candidates

_ANCHORS: Final = (0.12, 0.22, 0.42, 0.75)  # sides, as shares of the photo's
_LEAST_SCORE: Final = 0.01
_CELLS: Final = 2  # of an appearance, across and down


class PartDetector(nn.Module):
    """Candidates for the object and for each part.

    Args:
        parts: G.
        side: S.
        backbone: of `Backbone`; its maps of stride 16 and 32 are joined.
        channels: C of the joined map.
        proposals: regions that are looked at, in evaluation.
        foreground: IoU with a true box from which a region shows it; the paper's is 0.7.
        background: IoU below which a region shows nothing; the paper's is 0.3. Regions between
            the two are left out of the learning.
        pretrained: ImageNet weights, or those of a file (`Pretraining`); False: none.

    Raises:
        ValueError: 0 <= background <= foreground <= 1 does not hold, or foreground is 0.
    """

    def __init__(
        self,
        parts: int,
        side: int,
        *,
        backbone: str = "efficientnet_lite0",
        channels: int = 128,
        proposals: int = 64,
        foreground: float = 0.7,
        background: float = 0.3,
        pretrained: Pretraining = True,
    ) -> None:
        super().__init__()
        if not 0 <= background <= foreground <= 1 or not foreground:
            raise ValueError(
                "part detector: expected 0 <= background <= foreground <= 1 and a foreground above "
                f"0, got {background} and {foreground}"
            )
        self.parts, self.side = parts, side
        self.backbone = Backbone(backbone, (-2, -1), pretrained=pretrained)
        self.joins = nn.ModuleList(nn.Conv2d(c, channels, 1) for c in self.backbone.channels)
        self.appearance_size = channels * _CELLS**2
        sizes = tuple(round(share * side) for share in _ANCHORS)
        anchors = AnchorGenerator((sizes,), ((0.5, 1.0, 2.0),))
        self.rpn = RegionProposalNetwork(
            anchors,
            RPNHead(channels, anchors.num_anchors_per_location()[0]),
            fg_iou_thresh=0.7,
            bg_iou_thresh=0.3,
            batch_size_per_image=64,
            positive_fraction=0.5,
            pre_nms_top_n={"training": 400, "testing": 4 * proposals},
            post_nms_top_n={"training": 128, "testing": proposals},
            nms_thresh=0.7,
        )
        self.roi_heads = RoIHeads(
            MultiScaleRoIAlign(["map"], output_size=5, sampling_ratio=2),
            TwoMLPHead(channels * 25, 256),
            FastRCNNPredictor(256, 2 + parts),
            fg_iou_thresh=foreground,
            bg_iou_thresh=background,
            batch_size_per_image=48,
            positive_fraction=0.5,
            bbox_reg_weights=None,
            score_thresh=_LEAST_SCORE,
            nms_thresh=0.5,
            detections_per_img=proposals * (1 + parts),
        )

    def maps(self, images: Tensor) -> Tensor:
        """Photos (B, 3, S, S) to the joined map (B, C, h, w)."""
        fine, coarse = self.backbone(images)
        first, second = (join(maps) for join, maps in zip(self.joins, (fine, coarse), strict=True))
        raised = F.interpolate(second, first.shape[2:], mode="bilinear", align_corners=False)
        joined: Tensor = (first + raised).float()
        return joined

    def losses(self, images: Tensor, boxes: Tensor) -> dict[str, Tensor]:
        """The losses to learn from; in training mode.

        Args:
            images: (B, 3, S, S), RGB 0..255.
            boxes: (B, 1 + G, 4), of the object and of its parts, px; NaN where there is none.

        Returns:
            The four terms of Faster R-CNN.
        """
        targets = []
        for own in boxes:
            # Thinner than this there is nothing to learn, and logarithms of sides are unsteady.
            there = ((own[:, 2:] - own[:, :2]) >= 2).all(dim=1)
            labels = torch.arange(1, 2 + self.parts, device=own.device)
            targets.append({"boxes": own[there].float(), "labels": labels[there]})
        found: dict[str, Tensor] = self._through(self.maps(images), targets)[1]
        return found

    @torch.no_grad()
    def candidates(self, maps: Tensor) -> list[tuple[Candidates, ...]]:
        """Candidates for the object, then for each part, of each photo; in evaluation mode.

        Each of a class's boxes is of that class alone: one region may be the object's candidate and
        a part's. The surest come first.

        Args:
            maps: (B, C, h, w), of `maps`.
        """
        if not len(maps):
            return []
        found = []
        for one in self._through(maps, None)[0]:
            boxes, scores, labels = (
                one[key].cpu().numpy() for key in ("boxes", "scores", "labels")
            )
            classes = [labels == number for number in range(1, 2 + self.parts)]
            found.append(tuple(Candidates(boxes[own], scores[own]) for own in classes))
        return found

    @torch.no_grad()
    def appearances(self, maps: Tensor, boxes: Sequence[Tensor]) -> Tensor:
        """Descriptors of boxes, to find neighbours by: unit vectors (N, D), of all photos in order.

        Args:
            maps: (B, C, h, w).
            boxes: of each photo (n, 4), px.
        """
        pooled = roi_align(
            maps, list(boxes), _CELLS, spatial_scale=maps.shape[3] / self.side, aligned=True
        )
        return F.normalize(pooled.flatten(1), dim=1)

    def _through(
        self, maps: Tensor, targets: list[dict[str, Tensor]] | None
    ) -> tuple[list[Mapping[str, Tensor]], dict[str, Tensor]]:
        """Detections and losses, in single precision."""
        sizes = [(self.side, self.side)] * len(maps)
        # Anchors are laid out by the size of the pixels alone.
        pixels = maps.new_zeros(len(maps), 1, self.side, self.side)
        layers: dict[str, Any] = {"map": maps}
        with torch.autocast(maps.device.type, enabled=False):
            regions, first = self.rpn(ImageList(pixels, sizes), layers, targets)
            found, second = self.roi_heads(layers, regions, sizes, targets)
        return found, first | second
