"""CUT and FastCUT: each patch must stay recognisable among its neighbours (Park et al. 2020).

Key: B pictures, S x S pixels of a crop, C channels, h x w places of a map, P patches, D
dimensions of a compared vector, L layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from synth.render.training.content import content_loss
from synth.render.training.networks import Generator
from synth.render.training.objective import Domain, GeneratorLoss, Objective
from synth.render.training.settings import ContrastiveSettings, GeneratorSettings


class ContrastiveTranslation(Objective):
    """One generator and one way; its own encoder says whether a patch is still itself (eq. 5).

    Args:
        settings: weights of the terms, and how patches are compared.
        generator: its shape.
    """

    domains: ClassVar[tuple[Domain, ...]] = ("target",)

    def __init__(self, settings: ContrastiveSettings, generator: GeneratorSettings) -> None:
        super().__init__()
        self.settings = settings
        self.translator = Generator(generator)
        width = settings.width
        self.heads = nn.ModuleList(
            nn.Sequential(nn.Linear(channels, width), nn.ReLU(), nn.Linear(width, width))
            for channels in self.translator.tap_channels
        )

    def forward(
        self,
        source: Tensor,
        target: Tensor,
        generator_loss: GeneratorLoss,
        chance: np.random.Generator,
    ) -> tuple[dict[str, Tensor], dict[Domain, Tensor]]:
        """See `Objective`; places of patches and the mirroring are drawn."""
        weights = self.settings
        mirrored = weights.flip and chance.random() < 0.5
        made, keys = self._translate(source, mirrored)
        share = 0.5 * weights.nce if weights.identity else weights.nce
        terms = {
            "generator": generator_loss("target", made),
            "nce": share * self._contrast(made, keys, mirrored, chance),
        }
        if weights.identity:
            same, keys = self._translate(target, mirrored)
            terms["identity"] = share * self._contrast(same, keys, mirrored, chance)
        if weights.same:
            terms["same"] = weights.same * F.mse_loss(self.translator(target), target)
        if weights.content:
            seen = source.flip(3) if mirrored else source
            terms["content"] = weights.content * content_loss(seen, made)
        return terms, {"target": made.detach()}

    def _translate(self, rgb: Tensor, mirrored: bool) -> tuple[Tensor, list[Tensor]]:
        """The translation, mirrored or not, and the maps of the upright input."""
        if not mirrored:
            return self.translator.translate(rgb)
        # In this order: autocast remembers its copies of the weights, and copies made without
        # gradients would leave the translator without any.
        made = self.translator(rgb.flip(3))
        with torch.no_grad():  # keys are not learned from: see `patch_nce`
            return made, self.translator.encode(rgb)

    def _contrast(
        self, made: Tensor, keys: Sequence[Tensor], mirrored: bool, chance: np.random.Generator
    ) -> Tensor:
        """Mean over L layers of the contrast between patches of the output and of the input."""
        total = made.new_zeros(())
        queries = self.translator.encode(made)
        for head, query, key in zip(self.heads, queries, keys, strict=True):
            query = query.flip(3) if mirrored else query
            if self.settings.free_tint:
                query, key = (F.instance_norm(maps.float()) for maps in (query, key))
            places = draw_places(query, self.settings.patches, chance)
            one, other = (F.normalize(head(_at(m, places)).float(), dim=2) for m in (query, key))
            total = total + patch_nce(one, other, self.settings.temperature)
        return total / len(self.heads)


def draw_places(maps: Tensor, patches: int, chance: np.random.Generator) -> Tensor:
    """Indices (P,) into the h * w places of maps (B, C, h, w), none twice; all where there are few.

    The same places serve all pictures of a batch.
    """
    places = maps.shape[2] * maps.shape[3]
    drawn = chance.permutation(places)[: min(patches, places)]
    return torch.from_numpy(drawn).to(maps.device)


def patch_nce(queries: Tensor, keys: Tensor, temperature: float) -> Tensor:
    """InfoNCE where the other patches of the same picture are the negatives (eq. 3).

    Args:
        queries: unit vectors (B, P, D) of the output.
        keys: of the input at the same places; gradients do not flow into them.
        temperature: tau.

    Returns:
        Mean cross-entropy of picking the right one of P keys.
    """
    batch, patches, _ = queries.shape
    # An exponential of differences up to 2 / tau = 29: not for half precision.
    with torch.autocast(queries.device.type, enabled=False):
        logits = queries.float() @ keys.detach().float().transpose(1, 2) / temperature  # (B, P, P)
    right = torch.arange(patches, device=queries.device).repeat(batch)
    return F.cross_entropy(logits.flatten(0, 1), right)


def _at(maps: Tensor, places: Tensor) -> Tensor:
    """Vectors (B, P, C) of maps (B, C, h, w)."""
    return maps.flatten(2)[:, :, places].transpose(1, 2)
