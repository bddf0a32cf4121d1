"""Recurrent attention: RA-CNN (Fu, Zheng, Mei, CVPR 2017), which looks closer, and closer again.

At each scale a backbone classifies, and a small network says which square is looked at next. The
square is cut out differentiably by a sampling grid (its exact gradient, where the paper multiplies
with a soft box and sets the gradient's signs by hand; that box is the option "boxcar"). A ranking
loss wants each scale surer of the true class than the one before.

Squares start about where a backbone responds, where the paper trains the attention network to go
first; the network adds what the ranking loss teaches.

The first scale learns by itself, and the closer ones start from it: networks that know the classes
already learn what is to be seen close up, where three from ImageNet would share the time.

Key: B photos, S x S pixels, R scales, C channels, D values of a scale's vector, K classes.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from rpc.features.backbones.trainable_backbone import Backbone, Pretraining, pooled_depths
from rpc.features.parts.channel_groups import cell_places
from rpc.features.parts.joined_head import JoinedHead
from rpc.features.parts.warp import affine_view, inside, window_boxes, window_transforms
from rpc.features.precision import full_precision
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

Scanned = tuple[tuple[Tensor, ...], Tensor | None]  # a scale's maps, the square it was cut by

Cut = Literal["grid", "boxcar"]

STEEPNESS = 10.0  # of the soft box, a pixel: in units of the photo's side it would be a blur
_CELLS = 7  # of the map that the attention network reads, a side
_START = 0.6  # half side of the squares that attention starts from, of the photo's half side
_SEEN = 256  # photos by which the lengths of vectors are known


@register("ra_cnn", title="RA-CNN", source="Fu, Zheng, Mei, CVPR 2017")
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
        backbone: of `Backbone`, one for each scale.
        stages: whose pooled maps describe a scale; attention reads the last one's.
        smoothing: mass taken from the true label in learning.
        backbone_lr_mult: multiplier of the learning rate of the backbones.
        pretrained: ImageNet weights, or those of a file (`Pretraining`); False: none.
    """

    def __init__(
        self,
        num_classes: int,
        side: int = 192,
        *,
        scales: Count = 3,
        close_side: Pixels = 128,
        cut: Cut = "grid",
        least: NonNegative = 1 / 3,
        margin: NonNegative = 0.05,
        rounds: CountFromZero = 2,
        backbone: str = "efficientnet_lite0",
        stages: tuple[int, ...] = (-2, -1),
        smoothing: Share = 0.05,
        backbone_lr_mult: NonNegative = 0.3,
        pretrained: Pretraining = True,
    ) -> None:
        super().__init__(num_classes, side)
        if scales < 2 or not 0 < least < 1 or rounds < 1:
            raise ValueError(
                f"RA-CNN: expected 2 scales or more, 0 < least < 1 and a round, got {scales}, "
                f"{least}, {rounds}"
            )
        self.scales, self.close_side, self.cut, self.least = scales, close_side, cut, least
        self.margin, self.rounds, self.smoothing = margin, rounds, smoothing
        self.backbone_lr_mult = backbone_lr_mult
        self.backbones = nn.ModuleList(
            Backbone(backbone, stages, pretrained=pretrained) for _ in range(scales)
        )
        channels, width = self._backbone(0).channels[-1], sum(self._backbone(0).channels)
        self.heads = nn.ModuleList(nn.Linear(width, num_classes) for _ in range(scales))
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
        self.fusion = JoinedHead([width] * scales, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Photos (B, 3, S, S) to the fused scores (B, K)."""
        return self.fusion(self.vectors(images))  # type: ignore[no-any-return]

    def vectors(self, images: Tensor) -> list[Tensor]:
        """Vectors of each scale, (B, D)."""
        return [pooled_depths(maps) for maps, _ in self._scan(images.float())]

    def scores(self, images: Tensor) -> list[Tensor]:
        """The scores (B, K) of each scale by itself."""
        return self._scores(self._scan(images.float()))

    def phases(self) -> tuple[Phase, ...]:
        """The first scale; the closer ones, by turns with where they look; all put together."""
        first = (
            ParameterGroup(list(self.heads[0].parameters())),
            ParameterGroup(list(self._backbone(0).learnable()), self.backbone_lr_mult),
        )
        attend = ParameterGroup(list(self.attention.parameters()), 0.1)
        turns: list[Phase] = []
        for turn in range(1, self.rounds + 1):
            turns += [
                GradientPhase(f"attend {turn}", (attend,), self._rank_loss, 0.2 / self.rounds),
                GradientPhase(
                    f"classify {turn}", self._classifying(), self._class_loss, 0.45 / self.rounds
                ),
            ]
        return (
            GradientPhase("classify", first, self._first_loss, 0.3),
            FitPhase("closer scales", self._copy_first),
            *turns,
            FitPhase("fusion start", self._start_fusion),
            GradientPhase(
                "fusion", (ParameterGroup(list(self.fusion.parameters())),), self._fusion_loss, 0.05
            ),
        )

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

    def _scores(self, scanned: list[Scanned]) -> list[Tensor]:
        return [
            head(pooled_depths(maps)) for head, (maps, _) in zip(self.heads, scanned, strict=True)
        ]

    def _scan(self, pixels: Tensor, *, squares_learn: bool = True) -> list[Scanned]:
        """Maps of each scale, and the square (B, 2, 3) it was cut by; None for the first.

        Where squares do not learn, no gradient goes through them, and so none into the maps that
        they were read from.
        """
        found: list[Scanned] = []
        transform: Tensor | None = None
        for scale in range(self.scales):
            maps = self._backbone(scale)(pixels)
            found.append((maps, transform))
            if scale + 1 < self.scales:
                transform = self._square(scale, maps[-1])
                if not squares_learn:
                    transform = transform.detach()
                pixels = self._closer(pixels, transform)
        return found

    def _square(self, scale: int, maps: Tensor) -> Tensor:
        """Where to look next, (B, 2, 3): about where the backbone responds, and what is learned."""
        said = self.attention[scale](maps).float()
        centres = response_centres(maps) + torch.tanh(said[:, :2])
        halves = self.least + (1 - self.least) * torch.sigmoid(said[:, 2] + _logit(self.least))
        return window_transforms(inside(centres, halves), halves)

    def _closer(self, pixels: Tensor, transform: Tensor) -> Tensor:
        if self.cut == "grid":
            return affine_view(pixels, transform, self.close_side)
        return affine_view(
            pixels * boxcar(transform, pixels.shape[-1]), transform.detach(), self.close_side
        )

    @torch.no_grad()
    def _copy_first(self, passes: Passes) -> None:
        """The closer scales begin with what the first has learned."""
        for scale in range(1, self.scales):
            self._backbone(scale).load_state_dict(self._backbone(0).state_dict())
            self.heads[scale].load_state_dict(self.heads[0].state_dict())

    @torch.no_grad()
    def _start_fusion(self, passes: Passes) -> None:
        """The scales together begin with the mean of what they say by themselves."""
        photos = (batch.images for batch in passes.some(_SEEN))
        self.fusion.start_by(self._heads(), photos, self.vectors)

    def _first_loss(self, batch: Batch, chance: torch.Generator) -> Losses:
        scores = self.heads[0](pooled_depths(self._backbone(0)(batch.images)))
        return {"scale 1": class_loss(scores, batch, self.smoothing)}

    def _class_loss(self, batch: Batch, chance: torch.Generator) -> Losses:
        scanned = self._scan(batch.images.float(), squares_learn=False)
        return {
            f"scale {n}": class_loss(scores, batch, self.smoothing)
            for n, scores in enumerate(self._scores(scanned), start=1)
        }

    def _rank_loss(self, batch: Batch, chance: torch.Generator) -> Losses:
        return {"rank": rank_loss(self.scores(batch.images), batch.labels, self.margin)}

    def _fusion_loss(self, batch: Batch, chance: torch.Generator) -> Losses:
        with torch.no_grad():
            vectors = self.vectors(batch.images)
        return {"class": class_loss(self.fusion(vectors), batch, self.smoothing)}

    def _classifying(self) -> tuple[ParameterGroup, ...]:
        backbones = [p for n in range(self.scales) for p in self._backbone(n).learnable()]
        return ParameterGroup(list(self.heads.parameters())), ParameterGroup(
            backbones, self.backbone_lr_mult
        )

    def _heads(self) -> list[nn.Linear]:
        return [head for head in self.heads if isinstance(head, nn.Linear)]

    def _backbone(self, scale: int) -> Backbone:
        backbone = self.backbones[scale]
        assert isinstance(backbone, Backbone)
        return backbone


@full_precision
def rank_loss(scores: list[Tensor], labels: Tensor, margin: float = 0.05) -> Tensor:
    """Mean over photos of sum over scales of max(0, p_s - p_(s+1) + margin) (CVPR 2017, eq. 9).

    p is the softmax probability of the true class (of raw scores, margins would mean nothing).

    Args:
        scores: (B, K) of each scale.
        labels: (B,).
        margin: see above.
    """
    sure = [s.softmax(dim=1).gather(1, labels[:, None])[:, 0] for s in scores]
    steps = [torch.relu(before - after + margin) for before, after in pairwise(sure)]
    return torch.stack(steps).sum(dim=0).mean()


@full_precision
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


def response_centres(maps: Tensor) -> Tensor:
    """Where a backbone responds: (B, 2), x and y from -1 to 1, of maps (B, C, h, w).

    The centre of what the mean over channels has above its own mean (the cells that SCDA selects);
    the middle where a map is the same everywhere. No gradient.
    """
    mean = maps.detach().float().mean(dim=1)
    height, width = mean.shape[1:]
    above = torch.relu(mean.flatten(1) - mean.mean(dim=(1, 2))[:, None])  # (B, h * w)
    places = cell_places(height, width, mean)
    return above @ places / above.sum(dim=1, keepdim=True).clamp_min(1e-12)


def _after(first: Tensor, second: Tensor) -> Tensor:
    """The view that `second` has of what `first` sees, (B, 2, 3)."""
    linear = first[:, :, :2] @ second[:, :, :2]
    shift = first[:, :, :2] @ second[:, :, 2:] + first[:, :, 2:]
    return torch.cat([linear, shift], dim=2)


def _logit(least: float) -> float:
    """The value that makes an untrained square `_START` large."""
    share = torch.tensor((_START - least) / (1 - least)).clamp(0.05, 0.95)
    return float(torch.logit(share))
