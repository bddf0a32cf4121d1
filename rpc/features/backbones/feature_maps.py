"""Feature maps of one photo at a time: never padded, never batched with others of another size.

Padding or forcing photos into one shape would change the mean activation that SCDA cuts at.

Key: H x W pixels, C channels, h x w cells.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rpc.data.files import DataError
from rpc.features.backbones.network import LAST, Layer
from rpc.features.backbones.pretrained import open_pretrained
from rpc.runs.devices import resolve_device

Map = NDArray[np.float32]  # (C, h, w)

SHORT_SIDE: Final = 700  # px: SCDA shrinks photos whose short side is longer
LEAST_SIDE: Final = 64  # px: smaller photos are enlarged, or deep maps would have no cell
MOST_PIXELS: Final = 4_000_000  # reached only by strips of more than 8 to 1


class FeatureMaps:
    """A pretrained network as a function from a photo to the maps of chosen layers.

    The layers "last" and "finer" are, for every backbone, what `pool5` and `relu5_2` are for
    VGG-16 in SCDA: the deepest map, and the last one of twice its resolution, both rectified:

    | backbone | "last" | "finer" |
    |---|---|---|
    | vgg16, vgg19 | `pool5` (512, stride 32) | `relu5_2` (512, stride 16) |
    | EfficientNets, lite too | `bn2`: the head (1280, stride 32) | last expansion of stride 16 |
    | others of timm | the last stage | the stage before |

    The last expansion has 672 channels in efficientnet_lite0. A number is a stage (-1 the last; for
    EfficientNets a linear bottleneck, whose values have any sign), a text is any module by its own
    name; VGG's also go by the names of the papers, `conv5_4`, `relu5_3`, `pool4`, ...

    Args:
        backbone: "efficientnet_lite0", "vgg16", "vgg19" or any name of timm.
        layers: which maps, in the order wanted.
        weights: a file of weights; None takes the published ones.
        short_side: photos whose shorter side has more pixels are shrunk to it (their shape is
            kept); None never shrinks. SCDA: 700, DDT: 800.
        least_side: photos whose shorter side has fewer pixels are enlarged to it.
        device: that the network runs on, see `rpc.runs.devices`.

    Raises:
        DataError: an unknown backbone, layer or device, or weights that are not at hand.
    """

    def __init__(
        self,
        backbone: str = "efficientnet_lite0",
        layers: tuple[Layer, ...] = (LAST,),
        *,
        weights: str | Path | None = None,
        short_side: int | None = SHORT_SIDE,
        least_side: int = LEAST_SIDE,
        device: str | torch.device = "cpu",
    ) -> None:
        if not layers or not 1 <= least_side <= (short_side or least_side):
            raise ValueError(
                "expected at least one layer, and 1 <= least_side <= short_side (pixels), got "
                f"layers={layers}, short_side={short_side}, least_side={least_side}"
            )
        self.device = resolve_device(device)
        self.network = open_pretrained(backbone, weights)
        self.backbone = backbone
        self.layers = tuple(self.network.layer(layer) for layer in layers)
        self.short_side = short_side
        self.least_side = least_side
        self.network.module.to(self.device)
        self._mean = np.array(self.network.mean, np.float32)
        self._std = np.array(self.network.std, np.float32)

    @property
    def identity(self) -> dict[str, Any]:
        """All that decides the maps, as plain values: other identities cannot be compared."""
        return {
            "backbone": self.backbone,
            "weights": self.network.weights,
            "layers": [str(layer) for layer in self.layers],
            "short_side": self.short_side,
            "least_side": self.least_side,
        }

    @torch.inference_mode()
    def __call__(self, rgb: NDArray[np.uint8]) -> tuple[Map, ...]:
        """The maps of a photo.

        Args:
            rgb: (H, W, 3) uint8.

        Returns:
            One float32 array (C, h, w) for each layer.

        Raises:
            ValueError: not such an array, or one without a pixel.
            DataError: the network answers with values that are not finite (damaged weights).
        """
        maps = self.network.run(self._prepared(rgb), self.layers)
        return tuple(
            self._checked(one, layer) for one, layer in zip(maps, self.layers, strict=True)
        )

    def _prepared(self, rgb: NDArray[np.uint8]) -> Tensor:
        """The photo, resized and normalised, as a batch of one (1, 3, H', W')."""
        check_photo(rgb)
        height, width = fitted_size(
            rgb.shape[0],
            rgb.shape[1],
            short_side=self.short_side,
            least_side=self.least_side,
            multiple=self.network.multiple,
        )
        if (height, width) != rgb.shape[:2]:
            how = cv2.INTER_AREA if height < rgb.shape[0] else cv2.INTER_LINEAR
            resized = cv2.resize(rgb, (width, height), interpolation=how)
        else:
            resized = rgb
        pixels = (resized.astype(np.float32) - self._mean) / self._std
        return torch.from_numpy(pixels[None]).permute(0, 3, 1, 2).to(self.device)

    def _checked(self, one: Tensor, layer: Layer) -> Map:
        if one.ndim != 4:
            raise DataError(
                f"backbone {self.backbone}: layer {layer!r} is no map: it has shape "
                f"{tuple(one.shape)}, expected (1, C, h, w); choose another layer"
            )
        found: Map = np.ascontiguousarray(one[0].float().cpu().numpy())
        if not np.isfinite(found).all():
            raise DataError(
                f"backbone {self.backbone}: layer {layer!r} gives values that are not finite: "
                f"the weights ({self.network.weights}) are damaged or of another network"
            )
        return found


def check_photo(rgb: NDArray[np.uint8]) -> None:
    """Refuse what is not RGB (H, W, 3) uint8.

    Raises:
        ValueError: says what it is instead.
    """
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or not rgb.size:
        raise ValueError(f"photo: expected uint8 (H, W, 3), got {rgb.dtype} {rgb.shape}")


def fitted_size(
    height: int,
    width: int,
    *,
    short_side: int | None = SHORT_SIDE,
    least_side: int = LEAST_SIDE,
    multiple: int = 1,
    most_pixels: int = MOST_PIXELS,
) -> tuple[int, int]:
    """Height and width at which a photo goes through the network.

    A photo whose shorter side exceeds `short_side` is shrunk to it, one below `least_side` is
    enlarged to it, and its shape is kept. Both sides are rounded to a `multiple`. A strip that
    would have more than `most_pixels` is shrunk further, but no side below `least_side`: the
    longest strips lose their shape.
    """
    short = min(height, width)
    scale = 1.0
    if short_side is not None and short > short_side:
        scale = short_side / short
    elif short < least_side:
        scale = least_side / short
    scale *= min(1.0, float((most_pixels / (height * width * scale**2)) ** 0.5))
    longest = max(most_pixels // least_side, least_side)
    sides = (min(max(round(side * scale), least_side), longest) for side in (height, width))
    new_height, new_width = (round(side / multiple) * multiple or multiple for side in sides)
    return new_height, new_width
