"""Generators and discriminators have the published shape, and take pictures of any size."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from synth.render.training.networks import Generator, PatchDiscriminator, draw_weights
from synth.render.training.settings import DiscriminatorSettings, GeneratorSettings

SMALL = GeneratorSettings(width=4, blocks=2)


def made(network, seed=0):
    draw_weights(network, torch.Generator().manual_seed(seed))
    return network.eval()


def without_norms(network):
    """Instance statistics tie all pixels together; what a score sees is up to the convolutions."""
    for name, part in network.named_children():
        if isinstance(part, nn.InstanceNorm2d):
            setattr(network, name, nn.Identity())
        else:
            without_norms(part)
    return network


def test_the_published_generator_and_critic_have_the_published_numbers_of_weights():
    # CycleGAN's own program prints 11.378 M for its generator and 2.765 M for its discriminator.
    count = [
        sum(p.numel() for p in network.parameters())
        for network in (Generator(GeneratorSettings()), PatchDiscriminator(DiscriminatorSettings()))
    ]
    assert [round(n / 1e6, 3) for n in count] == [11.378, 2.765]


@pytest.mark.parametrize(("layers", "field"), [(1, 16), (2, 34), (3, 70)])
def test_a_score_sees_patches_of_the_published_size(layers, field):
    discriminator = without_norms(
        made(PatchDiscriminator(DiscriminatorSettings(width=4, layers=layers)))
    ).double()
    rgb = torch.zeros(1, 3, 192, 192, dtype=torch.float64, requires_grad=True)
    scores = discriminator.layers(rgb)
    middle = scores.shape[-1] // 2
    scores[0, 0, middle, middle].backward()
    rows, columns = rgb.grad.abs().sum((0, 1)).nonzero().T
    assert (rows.max() - rows.min() + 1, columns.max() - columns.min() + 1) == (field, field)


@given(
    height=st.integers(8, 41),
    width=st.integers(8, 41),
    upsampling=st.sampled_from(("transposed", "resize")),
    output=st.sampled_from(("tanh", "residual")),
)
def test_a_translation_has_the_size_of_its_input(height, width, upsampling, output):
    settings = GeneratorSettings(width=2, blocks=1, upsampling=upsampling, output=output)
    generator = made(Generator(settings))
    with torch.inference_mode():
        out = generator(torch.rand(1, 3, height, width) * 2 - 1)
    assert out.shape == (1, 3, height, width)
    assert out.isfinite().all()


def test_a_padded_picture_is_translated_as_if_it_were_whole():
    generator = made(Generator(SMALL))
    rgb = torch.rand(1, 3, 30, 33) * 2 - 1
    padded = nn.functional.pad(rgb, (0, 3, 0, 2), mode="reflect")
    with torch.inference_mode():
        assert torch.equal(generator(rgb), generator(padded)[..., :30, :33])


def test_a_tanh_generator_stays_in_range():
    generator = Generator(SMALL)
    draw_weights(generator, torch.Generator().manual_seed(0), spread=2.0)
    assert generator(torch.rand(2, 3, 32, 32)).abs().max() <= 1


def test_a_residual_generator_changes_little_by_a_first_step():
    generator = made(Generator(GeneratorSettings(output="residual", norm="none", blocks=1)))
    rgb = torch.rand(1, 3, 32, 32) * 2 - 1
    optimizer = torch.optim.Adam(generator.parameters(), lr=2e-4)
    generator(rgb).mean().neg().backward()
    optimizer.step()
    assert 0 < (generator(rgb) - rgb).abs().max() < 0.2


def test_a_residual_generator_starts_from_no_change_and_can_learn():
    generator = made(Generator(GeneratorSettings(width=4, blocks=1, output="residual")))
    rgb = torch.rand(1, 3, 32, 32) * 2 - 1
    out = generator(rgb)
    assert torch.equal(out, rgb)
    out.sum().backward()
    assert generator.layers[-1].weight.grad.abs().max() > 0


@pytest.mark.parametrize("blocks", [1, 4, 9])
def test_encoding_gives_the_maps_that_a_translation_passes_through(blocks):
    generator = made(Generator(GeneratorSettings(width=4, blocks=blocks)))
    rgb = torch.rand(2, 3, 32, 40) * 2 - 1
    _, passed = generator.translate(rgb)
    seen = generator.encode(rgb)
    assert all(torch.equal(a, b) for a, b in zip(seen, passed, strict=True))
    channels = generator.tap_channels
    sizes = [(32, 40), (16, 20), *[(8, 10)] * 3]
    assert [m.shape for m in seen] == [
        (2, c, *size) for c, size in zip(channels, sizes, strict=True)
    ]


def test_weights_are_drawn_with_the_published_spread_and_repeatably():
    one, two, other = (made(Generator(GeneratorSettings(width=16)), s) for s in (3, 3, 4))
    weights = torch.cat([p.flatten() for n, p in one.named_parameters() if n.endswith("weight")])
    assert weights.std().item() == pytest.approx(0.02, rel=0.01)
    assert abs(weights.mean().item()) < 1e-4
    assert all(not p.any() for n, p in one.named_parameters() if n.endswith("bias"))
    same = [torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True)]
    assert all(same)
    assert not torch.equal(one.layers[1].weight, other.layers[1].weight)


def test_a_resizing_generator_leaves_no_checkerboard_on_even_ground():
    # Transposed convolutions of 3 px at stride 2 add up 1, 2 or 4 weights, by turns.
    even = torch.zeros(1, 3, 64, 64)
    uneven = {}
    for upsampling in ("transposed", "resize"):
        settings = GeneratorSettings(width=8, blocks=1, upsampling=upsampling)
        generator = without_norms(Generator(settings))
        with torch.no_grad():
            for part in generator.modules():
                if hasattr(part, "weight"):
                    part.weight.normal_(0, 0.1, generator=torch.Generator().manual_seed(1))
                    part.bias.fill_(0.1)
            out = generator(even)[..., 24:40, 24:40]
        uneven[upsampling] = out.std((2, 3)).max().item()
    assert uneven["resize"] < 1e-6 < 1e-3 < uneven["transposed"]


@pytest.mark.parametrize("make", [Generator, PatchDiscriminator])
def test_without_norms_signals_keep_their_size(make):
    settings = (GeneratorSettings if make is Generator else DiscriminatorSettings)(
        width=16, norm="none"
    )
    network = made(make(settings))
    sizes = []
    for part in network.modules():
        if isinstance(part, nn.Conv2d | nn.ConvTranspose2d):
            part.register_forward_hook(lambda _m, _i, out: sizes.append(out.std().item()))
    with torch.inference_mode():
        network(torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1)
    assert 0.02 < min(sizes)
    assert max(sizes) < 10


@pytest.mark.parametrize(("norm", "seen"), [("instance", False), ("none", True)])
def test_only_without_norms_does_a_generator_see_the_colour_of_the_whole(norm, seen):
    settings = GeneratorSettings(width=8, blocks=1, norm=norm)
    generator = made(Generator(settings))
    grey = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 0.2
    tinted = grey + torch.tensor([0.3, 0.0, -0.2]).view(1, 3, 1, 1)
    with torch.inference_mode():
        deep = [generator.encode(rgb)[-1] for rgb in (grey, tinted)]
    alike = torch.allclose(*deep, atol=1e-3 * deep[0].std().item())
    assert alike is not seen
