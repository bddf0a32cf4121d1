"""Recurrent attention: RA-CNN (Fu, Zheng, Mei, CVPR 2017), which looks closer, and closer again.

At each scale a backbone classifies, and a small network says which square is looked at next. The
square is cut out differentiably by a sampling grid (its exact gradient, where the paper multiplies
with a soft box and sets the gradient's signs by hand; that box is the option "boxcar"). A ranking
loss wants each scale surer of the true class than the one before.

Key: B photos, S x S pixels, R scales, C channels, K classes.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rpc.features.trunk import Trunk
from rpc.features.warp import affine_view, inside, window_boxes, window_transforms
from rpc.recognition.system import Group, Learn, Look, Losses, Photos, System

Cut = Literal["grid", "boxcar"]

STEEPNESS = 10.0  # of the soft box, a pixel: in units of the photo's side it would be a blur
_CELLS = 7  # of the map that the attention network reads, a side
_START = 0.6  # half side of the squares that attention starts from, of the photo's half side


class RaCnn(System):
    """Classify, look closer, classify again.

    Args:
        num_classes: K.
        side: S of the photo; the paper's is 448.
        scales: R; the paper's is 3.
        close_side: px at which squares are seen; the paper's is 224.
        cut: "grid" or "boxcar", see above.
        least: smallest half side of a square, of the half side of what it is cut from.
        margin: by which the true class's probability shall rise from scale to scale.
        rounds: of classifying and attending in turn.
        backbone: of `Trunk`, one for each scale.
        smoothing: mass taken from the true label in learning.
        trunk_factor: on the learning rate of the backbones.
        pretrained: ImageNet weights; False where a file follows.
    """

    def __init__(
        self,
        num_classes: int,
        side: int = 192,
        *,
        scales: int = 3,
        close_side: int = 128,
        cut: Cut = "grid",
        least: float = 1 / 3,
        margin: float = 0.05,
        rounds: int = 2,
        backbone: str = "efficientnet_lite0",
        smoothing: float = 0.05,
        trunk_factor: float = 0.3,
        pretrained: bool = True,
    ) -> None:
        super().__init__(num_classes, side)
        if scales < 2 or not 0 < least < 1 or rounds < 1:
            raise ValueError(
                f"RA-CNN: expected 2 scales or more, 0 < least < 1 and a round, got {scales}, "
                f"{least}, {rounds}"
            )
        self.scales, self.close_side, self.cut, self.least = scales, close_side, cut, least
        self.margin, self.rounds, self.smoothing = margin, rounds, smoothing
        self.trunk_factor = trunk_factor
        self.trunks = nn.ModuleList(Trunk(backbone, pretrained=pretrained) for _ in range(scales))
        channels = self._trunk(0).channels[0]
        self.heads = nn.ModuleList(nn.Linear(channels, num_classes) for _ in range(scales))
        self.attention = nn.ModuleList(
            nn.Sequential(
                nn.AdaptiveAvgPool2d(_CELLS),
                nn.Flatten(),
                nn.Linear(channels * _CELLS**2, 256),
                nn.Tanh(),
                nn.Linear(256, 3),
            )
            for _ in range(scales - 1)
        )
        for network in self.attention:
            assert isinstance(network, nn.Sequential)
            last = network[-1]
            assert isinstance(last, nn.Linear)
            nn.init.normal_(last.weight, std=1e-3)
            nn.init.zeros_(last.bias)
        self.fusion = nn.Linear(channels * scales, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Photos (B, 3, S, S) to the fused scores (B, K)."""
        pooled = [maps.mean(dim=(2, 3)) for maps, _ in self._scan(images.float())]
        return self._fused(pooled)

    def scores(self, images: Tensor) -> list[Tensor]:
        """The scores (B, K) of each scale by itself."""
        return [
            head(maps.mean(dim=(2, 3)))
            for head, (maps, _) in zip(self.heads, self._scan(images.float()), strict=True)
        ]

    def phases(self) -> tuple[Learn, ...]:
        """Backbones, then where they respond, then by turns, then how they are put together."""
        classify = self._classifying()
        attend = Group(list(self.attention.parameters()))
        phases = [
            Learn("classify", classify, self._class_loss, 0.3),
            Learn("attention start", (attend,), self._start_loss, 0.05),
        ]
        for turn in range(1, self.rounds + 1):
            attend_more = Group(attend.parameters, 0.1)
            phases.append(Learn(f"attend {turn}", (attend_more,), self._rank_loss, 0.15))
            phases.append(Learn(f"classify {turn}", classify, self._class_loss, 0.3))
        fusion = Group(list(self.fusion.parameters()))
        return (*phases, Learn("fusion", (fusion,), self._fusion_loss, 0.1))

    @torch.no_grad()
    def look(self, images: Tensor) -> list[Look]:
        """The squares, in pixels of the photo."""
        whole = torch.eye(3)[:2].to(images.device).expand(len(images), 2, 3).float()
        boxes, seen = [], whole
        for _, transform in self._scan(images.float()):
            if transform is not None:
                seen = _after(seen, transform)
                boxes.append(window_boxes(seen, self.side))
        stacked = torch.stack(boxes, dim=1).cpu().numpy()
        names = tuple(f"scale {n + 2}" for n in range(self.scales - 1))
        return [Look(each, names) for each in stacked]

    def _scan(self, pixels: Tensor) -> list[tuple[Tensor, Tensor | None]]:
        """Maps of each scale, and the square (B, 2, 3) it was cut by; None for the first."""
        found: list[tuple[Tensor, Tensor | None]] = []
        transform: Tensor | None = None
        for scale in range(self.scales):
            maps = self._trunk(scale)(pixels)[0]
            found.append((maps, transform))
            if scale + 1 < self.scales:
                transform = self._square(scale, maps)
                pixels = self._closer(pixels, transform)
        return found

    def _square(self, scale: int, maps: Tensor) -> Tensor:
        """Where to look next, (B, 2, 3)."""
        said = self.attention[scale](maps).float()
        halves = self.least + (1 - self.least) * torch.sigmoid(said[:, 2] + _logit(self.least))
        return window_transforms(inside(torch.tanh(said[:, :2]), halves), halves)

    def _closer(self, pixels: Tensor, transform: Tensor) -> Tensor:
        if self.cut == "grid":
            return affine_view(pixels, transform, self.close_side)
        return affine_view(
            pixels * boxcar(transform, pixels.shape[-1]), transform.detach(), self.close_side
        )

    def _fused(self, pooled: list[Tensor]) -> Tensor:
        unit = [F.normalize(vectors.float(), dim=1) for vectors in pooled]
        return 4.0 * self.fusion(torch.cat(unit, dim=1))  # type: ignore[no-any-return]

    def _class_loss(self, photos: Photos, chance: torch.Generator) -> Losses:
        return {
            f"scale {n + 1}": F.cross_entropy(
                scores.float(), photos.labels, label_smoothing=self.smoothing
            )
            for n, scores in enumerate(self.scores(photos.images))
        }

    def _start_loss(self, photos: Photos, chance: torch.Generator) -> Losses:
        """Towards squares of one size about where the backbone responds most."""
        losses = {}
        pixels = photos.images.float()
        for scale in range(self.scales - 1):
            maps = self._trunk(scale)(pixels)[0].detach()
            wanted = window_transforms(
                inside(peaks(maps), _START), torch.full_like(maps[:, 0, 0, 0], _START)
            )
            square = self._square(scale, maps)
            losses[f"square {scale + 1}"] = F.smooth_l1_loss(square, wanted)
            pixels = affine_view(pixels, wanted, self.close_side)
        return losses

    def _rank_loss(self, photos: Photos, chance: torch.Generator) -> Losses:
        return {"rank": rank_loss(self.scores(photos.images), photos.labels, self.margin)}

    def _fusion_loss(self, photos: Photos, chance: torch.Generator) -> Losses:
        scores = self(photos.images)
        return {"class": F.cross_entropy(scores, photos.labels, label_smoothing=self.smoothing)}

    def _classifying(self) -> tuple[Group, ...]:
        trunks = [p for n in range(self.scales) for p in self._trunk(n).learnable()]
        return Group(list(self.heads.parameters())), Group(trunks, self.trunk_factor)

    def _trunk(self, scale: int) -> Trunk:
        trunk = self.trunks[scale]
        assert isinstance(trunk, Trunk)
        return trunk


def rank_loss(scores: list[Tensor], labels: Tensor, margin: float = 0.05) -> Tensor:
    """Mean over photos of sum over scales of max(0, p_s - p_(s+1) + margin) (CVPR 2017, eq. 9).

    p is the softmax probability of the true class (of raw scores, margins would mean nothing).

    Args:
        scores: (B, K) of each scale.
        labels: (B,).
        margin: see above.
    """
    sure = [s.float().softmax(dim=1).gather(1, labels[:, None])[:, 0] for s in scores]
    steps = [torch.relu(before - after + margin) for before, after in pairwise(sure)]
    return torch.stack(steps).sum(dim=0).mean()


def boxcar(transform: Tensor, side: int, steepness: float = STEEPNESS) -> Tensor:
    """A soft box (B, 1, side, side): 1 inside the square of a transform, 0 outside (eq. 5 and 6).

    Args:
        transform: (B, 2, 3) of `window_transforms`.
        side: px of the picture.
        steepness: of the flanks, a pixel.
    """
    boxes = window_boxes(transform, side)
    places = torch.arange(side, dtype=boxes.dtype, device=boxes.device) + 0.5
    flanks = []
    for low, high in ((boxes[:, 0], boxes[:, 2]), (boxes[:, 1], boxes[:, 3])):
        rise = torch.sigmoid(steepness * (places - low[:, None]))
        fall = torch.sigmoid(steepness * (places - high[:, None]))
        flanks.append(rise - fall)  # (B, side)
    across, down = flanks
    return (down[:, :, None] * across[:, None, :])[:, None]


def peaks(maps: Tensor) -> Tensor:
    """Where the mean over channels of maps (B, C, h, w) is largest: (B, 2), x and y, -1 to 1."""
    mean = maps.mean(dim=1)
    height, width = mean.shape[1:]
    best = mean.flatten(1).argmax(dim=1)
    x, y = best % width, best // width
    return torch.stack([(2 * x + 1) / width - 1, (2 * y + 1) / height - 1], dim=1)


def _after(first: Tensor, second: Tensor) -> Tensor:
    """The view that `second` has of what `first` sees, (B, 2, 3)."""
    linear = first[:, :, :2] @ second[:, :, :2]
    shift = first[:, :, :2] @ second[:, :, 2:] + first[:, :, 2:]
    return torch.cat([linear, shift], dim=2)


def _logit(least: float) -> float:
    """What makes an untrained square `_START` large."""
    share = torch.tensor((_START - least) / (1 - least)).clamp(0.05, 0.95)
    return float(torch.logit(share))
