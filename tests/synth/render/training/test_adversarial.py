"""Least squares and logistic games, against their formulas."""

import math

import pytest
import torch

from synth.render.training.adversarial import Discriminators, discriminator_loss, generator_loss
from synth.render.training.settings import DiscriminatorSettings


def test_least_squares_by_hand():
    real, made = torch.tensor([1.0, 0.5]), torch.tensor([0.0, 1.0])
    assert generator_loss(made, "least_squares").item() == pytest.approx((1 + 0) / 2)
    expected = 0.5 * ((0 + 0.25) / 2 + (0 + 1) / 2)
    assert discriminator_loss(real, made, "least_squares").item() == pytest.approx(expected)


def test_logistic_by_hand():
    real, made = torch.tensor([2.0]), torch.tensor([-1.0])
    assert generator_loss(made, "logistic").item() == pytest.approx(math.log(1 + math.e))
    expected = 0.5 * (math.log(1 + math.exp(-2)) + math.log(1 + math.exp(-1)))
    assert discriminator_loss(real, made, "logistic").item() == pytest.approx(expected)


@pytest.mark.parametrize("loss", ["least_squares", "logistic"])
def test_a_critic_learns_to_tell_bright_from_dark_and_a_generator_is_told_so(loss):
    torch.manual_seed(0)
    discriminators = Discriminators(["target"], DiscriminatorSettings(width=4, layers=1), loss)
    optimizer = torch.optim.Adam(discriminators.parameters(), lr=0.01)
    for _ in range(30):
        real, made = torch.rand(4, 3, 16, 16), -torch.rand(4, 3, 16, 16)
        optimizer.zero_grad()
        sum(discriminators({"target": real}, {"target": made}).values()).backward()
        optimizer.step()
    assert discriminators.generator_loss("target", real) < discriminators.generator_loss(
        "target", made
    )


def test_each_domain_has_its_own_discriminator():
    discriminators = Discriminators(
        ["target", "source"], DiscriminatorSettings(width=4, layers=1), "least_squares"
    )
    rgb = torch.rand(1, 3, 16, 16)
    assert discriminators.generator_loss("target", rgb) != discriminators.generator_loss(
        "source", rgb
    )
    values = discriminators(
        dict.fromkeys(discriminators.of, rgb), dict.fromkeys(discriminators.of, rgb)
    )
    assert list(values) == ["discriminator target", "discriminator source"]
