"""Interface of the ways to learn a translation: the one training loop knows nothing else.

Key: B pictures, S x S pixels of a crop.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, Literal

import numpy as np
from torch import Tensor, nn

from synth.render.training.networks import Generator

Domain = Literal["target", "source"]
# The generators' part of the game: how far translations to a domain are from passing for real.
GeneratorLoss = Callable[[Domain, Tensor], Tensor]


class Objective(nn.Module, ABC):
    """Generators, whatever else learns with them, and what they have to learn.

    Attributes:
        domains: those that pictures are translated to; each has a discriminator.
        translator: makes scenes look like photos.
    """

    domains: ClassVar[tuple[Domain, ...]]
    translator: Generator

    @abstractmethod
    def forward(
        self,
        source: Tensor,
        target: Tensor,
        generator_loss: GeneratorLoss,
        chance: np.random.Generator,
    ) -> tuple[dict[str, Tensor], dict[Domain, Tensor]]:
        """One batch.

        Args:
            source: crops of scenes (B, 3, S, S) in [-1, 1].
            target: crops of photos, of the same shape.
            generator_loss: of translations to a domain, by the discriminators.
            chance: for what is drawn.

        Returns:
            Terms to be added up, weighted; and the translations to each domain, detached.
        """
