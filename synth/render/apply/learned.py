"""The renderer that a training makes: a generator, applied to pictures of any size.

Key: H x W pixels of a picture, h x w at the working scale.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from rpc.runs.devices import resolve_device
from rpc.runs.saved_network import saved_network
from rpc.runs.settings import read_settings_class
from rpc.runs.tensor_files import weights_of
from synth.render.apply.tiles import in_tiles
from synth.render.training.crops import to_rgb, to_tensor
from synth.render.training.networks import Generator
from synth.render.training.settings import GeneratorSettings, TilingSettings

Rgb = NDArray[np.uint8]
LEAST_SIDE = 8  # px at the working scale: below, there is nothing to translate


@dataclass(frozen=True)
class LearnedRenderer:
    """Renders by a generator, on the device that the generator is on.

    Attributes:
        generator: the translator, in evaluation mode.
        scale: at which the generator works. Below 1 the picture keeps its own detail, and what
            the generator changed at this scale is added to it: print stays sharp, and the work
            falls with the square of the scale.
        tiling: when and how a picture is taken in pieces.

    Raises:
        ValueError: the scale is not in (0, 1].
    """

    generator: Generator
    scale: float = 1.0
    tiling: TilingSettings = field(default_factory=TilingSettings)

    def __post_init__(self) -> None:
        if not 0 < self.scale <= 1:
            raise ValueError(f"learned renderer: expected a scale in (0, 1], got {self.scale!r}")

    @torch.inference_mode()
    def render(self, rgb: Rgb, rng: np.random.Generator) -> Rgb:
        """The scene (H, W, 3) as the target camera would show it; nothing is drawn from `rng`."""
        device = next(self.generator.parameters()).device
        whole = to_tensor(rgb).to(device)[None]
        height, width = rgb.shape[:2]
        size = tuple(max(LEAST_SIDE, round(side * self.scale)) for side in (height, width))
        if size == (height, width):
            return to_rgb(self._translate(whole)[0])
        small = _resized(whole, size)
        change = self._translate(small) - small
        return to_rgb((whole + _resized(change, (height, width)))[0])

    def to_state(self) -> dict[str, Any]:
        """Tensors and plain values that `from_state` reads."""
        return {
            "generator": {name: w.cpu() for name, w in self.generator.state_dict().items()},
            "settings": asdict(self.generator.settings),
            "scale": self.scale,
            "tiling": asdict(self.tiling),
        }

    def _translate(self, picture: Tensor) -> Tensor:
        tile = self.tiling.tile
        if not tile and picture.shape[-2] * picture.shape[-1] > self.tiling.max_pixels:
            # Too much to take whole: square pieces as large as allowed.
            tile = max(int(self.tiling.max_pixels**0.5), 2 * self.tiling.overlap, LEAST_SIDE)
        if not tile:
            return self.generator(picture)  # type: ignore[no-any-return]
        return in_tiles(self.generator, picture, tile, self.tiling.overlap)


def from_state(state: Mapping[str, Any], device: str | torch.device = "cpu") -> LearnedRenderer:
    """The renderer that `LearnedRenderer.to_state` described.

    Args:
        state: tensors and plain values.
        device: that the generator runs on, see `rpc.runs.devices`.

    Raises:
        DataError: an unknown device, or weights that are those of something else.
        KeyError, TypeError, ValueError: the state is something else.
    """
    where = resolve_device(device)
    settings = read_settings_class(GeneratorSettings, state["settings"], "generator")
    weights = weights_of(state["generator"], "its generator")
    generator = saved_network(lambda: Generator(settings), weights, "its generator")
    tiling = read_settings_class(TilingSettings, state["tiling"], "tiling")
    return LearnedRenderer(generator.eval().to(where), float(state["scale"]), tiling)


def _resized(picture: Tensor, size: tuple[int, ...]) -> Tensor:
    """Another size, smoothed where it becomes smaller."""
    return F.interpolate(picture, size, mode="bilinear", antialias=True, align_corners=False)
