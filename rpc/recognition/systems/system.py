"""Interface of a recognition system: a network with a schedule of its own, learned by one loop.

Key: B photos of a batch, S x S pixels, K classes, P key points, N boxes.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

Losses = Mapping[str, Tensor]
LARGEST: Final = 4096  # px of a photo's side; the papers take 448


@dataclass(frozen=True)
class Batch:
    """A batch as systems see it in learning.

    Attributes:
        images: (B, 3, S, S) uint8 RGB.
        labels: (B,) int64.
        boxes: (B, 4) float32, x1, y1, x2, y2 of the object in pixels of `images`; the whole image
            where none is known.
        points: (B, P, 3) float32: x and y in pixels of `images`, and 1 where it is in sight, else
            0. P is 0 where the data have no key points.
        extents: (B, 2) float32, how large the object appears in the photo that it was cut from
            (`rpc.inference.crops.box_extents`); None where that is not known.
    """

    images: Tensor
    labels: Tensor
    boxes: Tensor
    points: Tensor
    extents: Tensor | None = None

    def to(self, device: torch.device) -> Batch:
        """The batch on a device."""
        parts = {name: part for name, part in vars(self).items() if part is not None}
        return Batch(**{n: part.to(device, non_blocking=True) for n, part in parts.items()})

    def __len__(self) -> int:
        """B."""
        return len(self.labels)


class Passes(Protocol):
    """The training photos for steps that are no gradient descent, unaugmented and in order."""

    def once(self) -> Iterator[Batch]:
        """Every photo once."""
        ...

    def some(self, count: int) -> Iterator[Batch]:
        """So many photos, drawn by chance, each once; all of them where there are not as many."""
        ...

    @property
    def mirrored(self) -> bool:
        """Whether a mirror image shows something of the same class."""
        ...

    @property
    def rng(self) -> np.random.Generator:
        """Chance, the same for the same seed."""
        ...


@dataclass(frozen=True)
class ParameterGroup:
    """Parameters that learn, with a multiplier on the learning rate."""

    parameters: list[nn.Parameter]
    lr_mult: float = 1.0


@dataclass(frozen=True)
class GradientPhase:
    """A phase of learning by gradient descent.

    Attributes:
        name: for messages.
        groups: what learns; every other parameter rests.
        loss: terms, summed, of a batch. The generator is the phase's chance.
        share: of the whole budget, in parts of the sum over phases.
        decay: weight decay.
        warm_up: share of the phase in which the learning rates rise.
        average: decay of a running mean of what learns, which takes its place when the phase is
            done; None keeps the last weights.

    Raises:
        ValueError: the share is not above 0.
    """

    name: str
    groups: tuple[ParameterGroup, ...]
    loss: Callable[[Batch, torch.Generator], Losses]
    share: float = 1.0
    decay: float = 0.02
    warm_up: float = 0.05
    average: float | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.share) and self.share > 0):
            raise ValueError(
                f"phase '{self.name}': expected a share of the budget above 0, got {self.share}"
            )


@dataclass(frozen=True)
class FitPhase:
    """A phase in closed form, such as a clustering or a support vector machine.

    Attributes:
        name: for messages.
        fit: changes the system's buffers and parameters.
    """

    name: str
    fit: Callable[[Passes], None]


Phase = GradientPhase | FitPhase


@dataclass(frozen=True)
class Look:
    """The places that a system looked at on one photo, to be drawn.

    Attributes:
        boxes: (N, 4) x1, y1, x2, y2 in pixels of the input.
        names: of the boxes.
        heat: (h, w) where attention lies, any range; None where there is no such map.
    """

    boxes: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    names: tuple[str, ...] = ()
    heat: NDArray[np.float32] | None = None


class System(nn.Module, ABC):
    """A recognition system.

    Attributes:
        num_classes: K.
        side: S of the photos that it is trained and tested on, px.
        needs: what the data must have besides labels: "boxes", "points".
    """

    needs: tuple[str, ...] = ()

    def __init__(self, num_classes: int, side: int) -> None:
        super().__init__()
        if num_classes < 2 or not 32 <= side <= LARGEST:
            raise ValueError(
                f"system: expected 2 classes or more and a side of 32 to {LARGEST} px, got "
                f"{num_classes} and {side}"
            )
        self.num_classes = num_classes
        self.side = side

    @classmethod
    def needs_of(cls, options: Mapping[str, object]) -> tuple[str, ...]:
        """The `needs` of a system that is built with these options."""
        return cls.needs

    @classmethod
    def options_of_file(
        cls, options: Mapping[str, object], state: Container[str]
    ) -> Mapping[str, object]:
        """The options that a file was made with, which tells those alone that were given.

        Args:
            options: of the file.
            state: names of its weights, which show what was the default when it was written.
        """
        return options

    @abstractmethod
    def forward(self, images: Tensor) -> Tensor:
        """Photos (B, 3, S, S), RGB 0..255, to scores (B, K), the largest of the likeliest class."""

    @abstractmethod
    def phases(self) -> tuple[Phase, ...]:
        """How it learns, in order."""

    def look(self, images: Tensor) -> list[Look]:
        """The places it looked at on each of B photos; none by default."""
        return [Look() for _ in images]


def class_loss(scores: Tensor, batch: Batch, smoothing: float) -> Tensor:
    """Mean cross-entropy of scores (B, K), in single precision.

    Args:
        scores: of the batch's photos.
        batch: with the true labels.
        smoothing: mass taken from the true label.
    """
    return F.cross_entropy(scores.float(), batch.labels, label_smoothing=smoothing)
