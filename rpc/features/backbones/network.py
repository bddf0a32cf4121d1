"""Description of a pretrained network that lets maps be taken out of it.

Key: C channels, H x W pixels, h x w cells.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from torch import Tensor, nn

from rpc.data.files import DataError

Layer = str | int
Maps = tuple[Tensor, ...]
Run = Callable[[Tensor, tuple[Layer, ...]], Maps]

LAST: Final = "last"  # the deepest rectified map: pool5 of VGG
FINER: Final = "finer"  # the last rectified map before the last halving: relu5_2 of VGG


@dataclass(frozen=True)
class Pretrained:
    """A network in evaluation mode, and what has to be known to use it.

    Attributes:
        name: as it was asked for.
        module: the network.
        run: photo (1, 3, H, W), normalised, and layers, to one map (1, C, h, w) a layer.
        mean: of each colour, subtracted from pixels 0..255.
        std: of each colour, divided by.
        weights: where the weights came from, in words.
        stages: how many of its layers can be asked for by number.
        multiple: both sides of the photo must be multiples of so many pixels.
        aliases: names of this project for layers of this network.
    """

    name: str
    module: nn.Module
    run: Run
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    weights: str
    stages: int
    multiple: int = 1
    aliases: dict[str, Layer] = field(default_factory=dict)

    def layer(self, layer: Layer) -> Layer:
        """`layer` as the network itself calls it.

        Raises:
            DataError: the network has no such layer.
        """
        found = self.aliases.get(layer, layer) if isinstance(layer, str) else layer
        if isinstance(found, str):
            known = bool(found) and found in dict(self.module.named_modules())
        else:
            known = -self.stages <= found < self.stages
        if not known:
            raise DataError(
                f"backbone {self.name}: no layer {layer!r}; expected {', '.join(self.aliases)}, "
                f"a stage's number (0 to {self.stages - 1}, or -1 the last), or a module's own name"
            )
        return found


def reason(error: BaseException) -> str:
    """The first line of an error, not longer than a line should be."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:160]
