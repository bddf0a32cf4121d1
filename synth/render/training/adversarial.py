"""The game of a GAN: what critics and generators are told about the critics' scores.

Key: B pictures, H x W pixels.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from synth.render.training.networks import PatchCritic
from synth.render.training.settings import CriticSettings, GanLoss


class Critics(nn.Module):
    """One critic for each side: does a picture belong to it?

    Args:
        sides: names, such as "target".
        settings: the shape of each critic.
        loss: of the game.
    """

    def __init__(self, sides: Iterable[str], settings: CriticSettings, loss: GanLoss) -> None:
        super().__init__()
        self.loss: GanLoss = loss
        self.of = nn.ModuleDict({side: PatchCritic(settings) for side in sides})

    def forward(self, real: Mapping[str, Tensor], made: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What the critics have to learn, by side.

        Args:
            real: pictures (B, 3, H, W) of each side.
            made: translations (B, 3, H, W) to each side, detached.
        """
        return {
            f"critic {side}": critic_loss(critic(real[side]), critic(made[side]), self.loss)
            for side, critic in self.of.items()
        }

    def fooled(self, side: str, made: Tensor) -> Tensor:
        """What a generator has to learn: translations (B, 3, H, W) taken for real ones."""
        return generator_loss(self.of[side](made), self.loss)


def generator_loss(scores: Tensor, loss: GanLoss) -> Tensor:
    """How far the scores of translations are from those of real pictures, on average."""
    if loss == "least_squares":
        return (scores - 1).square().mean()
    return F.binary_cross_entropy_with_logits(scores, torch.ones_like(scores))


def critic_loss(real: Tensor, made: Tensor, loss: GanLoss) -> Tensor:
    """How far the critic is from 1 on real pictures and 0 on made ones; halved, as published."""
    if loss == "least_squares":
        return 0.5 * ((real - 1).square().mean() + made.square().mean())
    against = F.binary_cross_entropy_with_logits(made, torch.zeros_like(made))
    return 0.5 * (generator_loss(real, loss) + against)
