"""The losses of a GAN: of discriminators and generators, from the discriminators' scores.

Key: B pictures, H x W pixels.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from synth.render.training.networks import PatchDiscriminator
from synth.render.training.settings import DiscriminatorSettings, GanLoss


class Discriminators(nn.Module):
    """One discriminator for each domain: does a picture belong to it?

    Args:
        domains: names, such as "target".
        settings: the shape of each discriminator.
        loss: of the game.
    """

    def __init__(
        self, domains: Iterable[str], settings: DiscriminatorSettings, loss: GanLoss
    ) -> None:
        super().__init__()
        self.loss: GanLoss = loss
        self.of = nn.ModuleDict({domain: PatchDiscriminator(settings) for domain in domains})

    def forward(self, real: Mapping[str, Tensor], made: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The discriminators' losses, by domain.

        Args:
            real: pictures (B, 3, H, W) of each domain.
            made: translations (B, 3, H, W) to each domain, detached.
        """
        return {
            f"discriminator {domain}": discriminator_loss(
                discriminator(real[domain]), discriminator(made[domain]), self.loss
            )
            for domain, discriminator in self.of.items()
        }

    def generator_loss(self, domain: str, made: Tensor) -> Tensor:
        """The loss of a generator: small where translations (B, 3, H, W) pass for real ones."""
        return generator_loss(self.of[domain](made), self.loss)


def generator_loss(scores: Tensor, loss: GanLoss) -> Tensor:
    """How far the scores of translations are from those of real pictures, on average."""
    if loss == "least_squares":
        return (scores - 1).square().mean()
    return F.binary_cross_entropy_with_logits(scores, torch.ones_like(scores))


def discriminator_loss(real: Tensor, made: Tensor, loss: GanLoss) -> Tensor:
    """How far a discriminator is from 1 on real and 0 on made pictures; halved, as published."""
    if loss == "least_squares":
        return 0.5 * ((real - 1).square().mean() + made.square().mean())
    against = F.binary_cross_entropy_with_logits(made, torch.zeros_like(made))
    return 0.5 * (generator_loss(real, loss) + against)
