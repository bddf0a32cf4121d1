"""CycleGAN: there and back again must be where it started (Zhu et al. 2017).

Key: B pictures, S x S pixels of a crop.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch.nn.functional as F
from torch import Tensor

from synth.render.training.content import content_loss
from synth.render.training.networks import Generator
from synth.render.training.objective import Domain, GeneratorLoss, Objective
from synth.render.training.settings import CycleSettings, GeneratorSettings


class CycleTranslation(Objective):
    """Two generators, one for each way; the full objective is eq. 3 with the identity of 5.2.

    Args:
        settings: weights of the terms.
        generator: shape of both.
    """

    domains: ClassVar[tuple[Domain, ...]] = ("target", "source")

    def __init__(self, settings: CycleSettings, generator: GeneratorSettings) -> None:
        super().__init__()
        self.settings = settings
        self.translator = Generator(generator)
        self.back = Generator(generator)

    def forward(
        self,
        source: Tensor,
        target: Tensor,
        generator_loss: GeneratorLoss,
        chance: np.random.Generator,
    ) -> tuple[dict[str, Tensor], dict[Domain, Tensor]]:
        """See `Objective`; nothing is drawn."""
        weights = self.settings
        apart = F.l1_loss if weights.distance == "l1" else F.mse_loss
        as_target, as_source = self.translator(source), self.back(target)
        terms = {
            "generator": generator_loss("target", as_target) + generator_loss("source", as_source),
            "cycle": weights.cycle
            * (apart(self.back(as_target), source) + apart(self.translator(as_source), target)),
        }
        if weights.identity:  # what is in place already must not change
            same = apart(self.translator(target), target) + apart(self.back(source), source)
            terms["identity"] = weights.cycle * weights.identity * same
        if weights.content:
            kept = content_loss(source, as_target) + content_loss(target, as_source)
            terms["content"] = weights.content * kept
        return terms, {"target": as_target.detach(), "source": as_source.detach()}
