"""Features of a photo by a pretrained network: its look, its parts, the whole tray.

Key: B pictures, P patches, C channels, H x W pixels, D dimensions.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rpc.features.backbones.efficientnet_lite import (
    IMAGENET_LITE_MEAN,
    IMAGENET_LITE_STD,
    create_efficientnet_lite,
)
from rpc.inference.crops import fit_square
from rpc.runs.devices import resolve_device
from synth.quality.crops import PATCHES, Rgb, patches

FloatArray = NDArray[np.float32]

ENCODER: Final = "efficientnet_lite0, ImageNet"
VIEWS: Final = ("look", "parts", "tray")
TRAY: Final = 320
# About the root mean square of the maps' means and deviations on photos; without it the cubic
# kernel would see little but the few largest vectors.
MEAN_UNIT: Final = 2.5
DEVIATION_UNIT: Final = 6.0


class PhotoEncoder:
    """Three views of a photo by an ImageNet EfficientNet-lite0.

    - look, of patches: mean and standard deviation over places of each channel of the maps at
      strides 2, 4 and 8 (D = 160): noise, blur, colour, texture, whatever is shown.
    - parts, of the same patches: mean of the maps at strides 16 and 32 (D = 432): what is shown.
    - tray, of the whole photo: the same means (D = 432): layout and what lies there.

    Args:
        count: patches of a photo.
        tray: px of the square that holds the whole photo.
        device: that the network runs on, see `rpc.runs.devices`.

    Raises:
        DataError: an unknown device.
    """

    def __init__(
        self, count: int = PATCHES, tray: int = TRAY, *, device: str | torch.device = "cpu"
    ) -> None:
        self.count = count
        self.tray = tray
        self.device = resolve_device(device)
        network: nn.Module = create_efficientnet_lite(out_indices=(0, 1, 2, 3, 4))
        self.network = network.eval().to(self.device).to(memory_format=torch.channels_last)

    @torch.inference_mode()
    def __call__(self, rgb: Rgb, rng: np.random.Generator) -> dict[str, FloatArray]:
        """Vectors by view, `look` and `parts` (P, D), `tray` (1, D), of a photo (H, W, 3).

        Args:
            rgb: at the size that all photos are compared at, see `crops.fit`.
            rng: places of the patches.
        """
        near = self._maps(patches(rgb, rng, self.count))
        far = self._maps(fit_square(rgb, self.tray)[None])
        views = (_moments(near[:3]), _means(near[3:]), _means(far[3:]))
        return {name: view.cpu().numpy() for name, view in zip(VIEWS, views, strict=True)}

    def _maps(self, pictures: NDArray[np.uint8]) -> list[Tensor]:
        array = (pictures.astype(np.float32) - IMAGENET_LITE_MEAN) / IMAGENET_LITE_STD
        batch = torch.from_numpy(array).permute(0, 3, 1, 2)  # (B, 3, H, W), channels last
        return list(self.network(batch.to(self.device)))


def _means(maps: list[Tensor]) -> Tensor:
    return torch.cat([m.mean(dim=(2, 3)) for m in maps], dim=1) / MEAN_UNIT  # (B, C)


def _moments(maps: list[Tensor]) -> Tensor:
    deviations = [m.std(dim=(2, 3), correction=0) for m in maps]
    return torch.cat([_means(maps), torch.cat(deviations, dim=1) / DEVIATION_UNIT], dim=1)
