"""Generators and discriminators of unpaired translation, as in CycleGAN (Zhu et al. 2017, 7.2).

Key: B pictures, C channels, H x W pixels, w the width of a network. Pixels lie in [-1, 1].
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from synth.render.training.settings import DiscriminatorSettings, GeneratorSettings, Norm

MULTIPLE = 4  # two halvings of the resolution
# Adam moves each of the 49 w weights of the last layer by about its rate, all in one direction at
# first: unscaled, a single step could change a picture by a tenth of its range.
CAUTION = 0.1


class Generator(nn.Module):
    """c7s1-w, d2w, d4w, residual blocks, u2w, uw, c7s1-3, with instance normalisation.

    Any height and width from 4 px on: the input is padded by reflection to a multiple of 4, and
    the output cut back.

    Args:
        settings: its shape.
    """

    def __init__(self, settings: GeneratorSettings) -> None:
        super().__init__()
        self.settings = settings
        w, norm = settings.width, _norm(settings.norm)
        encoder = [nn.ReflectionPad2d(3), nn.Conv2d(3, w, 7), norm(w), nn.ReLU()]
        for channels in (w, 2 * w):
            halve = nn.Conv2d(channels, 2 * channels, 3, stride=2, padding=1)
            encoder += [halve, norm(2 * channels), nn.ReLU()]
        body = [_Block(4 * w, norm) for _ in range(settings.blocks)]
        decoder: list[nn.Module] = []
        for channels in (4 * w, 2 * w):
            decoder += [*_double(channels, settings.upsampling)]
            decoder += [norm(channels // 2), nn.ReLU()]
        last = nn.Conv2d(w, 3, 7)
        self.layers = nn.ModuleList([*encoder, *body, *decoder, nn.ReflectionPad2d(3), last])
        # CUT's five: pixels, both halving convolutions, the first and the middle block.
        first = len(encoder)
        self.taps = (0, 4, 7, first, first + settings.blocks // 2)
        self.tap_channels = (3, 2 * w, 4 * w, 4 * w, 4 * w)

    @property
    def last(self) -> nn.Conv2d:
        """The layer that makes pixels."""
        layer = self.layers[-1]
        assert isinstance(layer, nn.Conv2d)
        return layer

    def forward(self, rgb: Tensor) -> Tensor:
        """Translate (B, 3, H, W)."""
        return self.translate(rgb)[0]

    def translate(self, rgb: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The translation (B, 3, H, W), and what `encode` gives for the same input."""
        height, width = rgb.shape[-2:]
        padded = _pad(rgb)
        x, seen = self._run(padded, len(self.layers))
        x = x.float()
        if self.settings.output == "residual":
            x = padded + torch.tanh(CAUTION * x)
        else:
            x = torch.tanh(x)
        return x[..., :height, :width], seen

    def encode(self, rgb: Tensor) -> list[Tensor]:
        """Maps (B, C, h, w) at five depths, from pixels to the middle block; nothing beyond runs.

        The shapes follow `tap_channels`; h and w are those of the padded input, whole, halved, and
        quartered three times.
        """
        return self._run(_pad(rgb), self.taps[-1] + 1)[1]

    def _run(self, x: Tensor, end: int) -> tuple[Tensor, list[Tensor]]:
        seen = [x]
        for index, layer in enumerate(self.layers[:end]):
            x = layer(x)
            # Of one block alone, it is both the first and the middle one.
            seen += [x] * self.taps[1:].count(index)
        return x, seen


class PatchDiscriminator(nn.Module):
    """C64-C128-C256-C512 and a score: 4x4 convolutions that each judge a patch.

    With 3 layers a score sees 70x70 px. Leaky rectifiers of slope 0.2; no normalisation in the
    first layer.

    Args:
        settings: its shape.
    """

    def __init__(self, settings: DiscriminatorSettings) -> None:
        super().__init__()
        self.settings = settings
        w, rise, norm = settings.width, 0.2, _norm(settings.norm)
        parts: list[nn.Module] = [nn.Conv2d(3, w, 4, stride=2, padding=1), nn.LeakyReLU(rise)]
        before = w
        for depth in range(1, settings.layers + 1):
            channels = w * min(2**depth, 8)
            stride = 2 if depth < settings.layers else 1
            parts += [
                nn.Conv2d(before, channels, 4, stride=stride, padding=1),
                norm(channels),
                nn.LeakyReLU(rise),
            ]
            before = channels
        parts.append(nn.Conv2d(before, 1, 4, padding=1))
        self.layers = nn.Sequential(*parts)

    def forward(self, rgb: Tensor) -> Tensor:
        """Scores (B, 1, h, w) of overlapping patches of (B, 3, H, W)."""
        scores: Tensor = self.layers(rgb)
        return scores.float()


def draw_weights(network: nn.Module, chance: torch.Generator, spread: float = 0.02) -> None:
    """Weights from N(0, spread), biases 0, as published.

    Without normalisation, where nothing else keeps signals from fading, the spread is He's (2015).
    The last layer of a generator that adds to its input starts at 0: no change at all.
    """
    with torch.no_grad():
        for part in network.modules():
            if isinstance(part, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
                part.weight.normal_(0.0, spread, generator=chance)
                if part.bias is not None:
                    part.bias.zero_()
        for part in network.modules():
            if isinstance(part, Generator | PatchDiscriminator) and part.settings.norm == "none":
                _spread_like_he(part, spread)
            if isinstance(part, Generator) and part.settings.output == "residual":
                part.last.weight.zero_()


class _Block(nn.Module):
    """x + conv(relu(conv(x))): R256 of the paper; no rectifier after the sum."""

    def __init__(self, channels: int, norm: Callable[[int], nn.Module]) -> None:
        super().__init__()
        self.change = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            norm(channels),
            nn.ReLU(),
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            norm(channels),
        )

    @property
    def last(self) -> nn.Conv2d:
        """The second convolution."""
        layer = self.change[5]
        assert isinstance(layer, nn.Conv2d)
        return layer

    def forward(self, x: Tensor) -> Tensor:
        change: Tensor = self.change(x)
        return x + change


def _spread_like_he(network: nn.Module, spread: float) -> None:
    """Bring weights of this spread to the one that keeps the size of signals under rectifiers."""
    for part in network.modules():
        if isinstance(part, nn.Conv2d | nn.ConvTranspose2d):
            inputs = part.weight[0].numel()
            part.weight.mul_((2 / inputs) ** 0.5 / spread)
        if isinstance(part, _Block):  # sums grow with the blocks: each starts as a small change
            part.last.weight.mul_(0.1)


def _norm(name: Norm) -> Callable[[int], nn.Module]:
    """Maker of a normalisation for so many channels."""
    return nn.InstanceNorm2d if name == "instance" else lambda channels: nn.Identity()


def _double(channels: int, upsampling: str) -> list[nn.Module]:
    """Layers that double the resolution and halve the channels."""
    if upsampling == "transposed":
        return [
            nn.ConvTranspose2d(channels, channels // 2, 3, stride=2, padding=1, output_padding=1)
        ]
    grow = nn.Upsample(scale_factor=2, mode="nearest")
    return [grow, nn.ReflectionPad2d(1), nn.Conv2d(channels, channels // 2, 3)]


def _pad(rgb: Tensor) -> Tensor:
    """To multiples of 4 by reflection, at the lower and right edge."""
    height, width = rgb.shape[-2:]
    more = (0, -width % MULTIPLE, 0, -height % MULTIPLE)
    return F.pad(rgb, more, mode="reflect") if any(more) else rgb
