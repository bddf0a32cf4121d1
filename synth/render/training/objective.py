"""What every way of learning a translation is: the one training loop knows nothing else.

Key: B pictures, S x S pixels of a crop.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, Literal

import numpy as np
from torch import Tensor, nn

from synth.render.training.networks import Generator
from synth.render.training.settings import ContrastiveSettings, CycleSettings, GeneratorSettings

Side = Literal["target", "source"]
# The generators' part of the game: how far translations to a side are from being taken for real.
Judge = Callable[[Side, Tensor], Tensor]


class Objective(nn.Module, ABC):
    """Generators, whatever else learns with them, and what they have to learn.

    Attributes:
        sides: those that pictures are translated to; each has a critic.
        translator: makes scenes look like photos.
    """

    sides: ClassVar[tuple[Side, ...]]
    translator: Generator

    @abstractmethod
    def forward(
        self, source: Tensor, target: Tensor, judge: Judge, chance: np.random.Generator
    ) -> tuple[dict[str, Tensor], dict[Side, Tensor]]:
        """One batch.

        Args:
            source: crops of scenes (B, 3, S, S) in [-1, 1].
            target: crops of photos, of the same shape.
            judge: the critics' word on translations.
            chance: for what is drawn.

        Returns:
            Terms to be added up, weighted; and the translations to each side, detached.
        """


def make_objective(
    settings: CycleSettings | ContrastiveSettings, generator: GeneratorSettings
) -> Objective:
    """The objective that the settings belong to; its weights are yet to be drawn."""
    from synth.render.training.contrastive import ContrastiveTranslation
    from synth.render.training.cyclegan import CycleTranslation

    if isinstance(settings, CycleSettings):
        return CycleTranslation(settings, generator)
    return ContrastiveTranslation(settings, generator)
