"""One vector a picture, for comparing what is seen rather than where.

Key: N pictures, H x W pixels, D dimensions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from rpc.features.backbones.efficientnet_lite import (
    IMAGENET_LITE_MEAN,
    IMAGENET_LITE_STD,
    create_efficientnet_lite,
)
from rpc.inference.crops import fit_square
from rpc.runs.devices import resolve_device

FloatArray = NDArray[np.float32]


class Embedder:
    """Average and maximum of the last maps of a pretrained network, each L2-normalised.

    Args:
        side: pictures are fitted into a square of this many pixels.
        batch: pictures at once.
        device: that the network runs on, see `rpc.runs.devices`.

    Raises:
        DataError: an unknown device.
    """

    def __init__(
        self, side: int = 128, batch: int = 16, *, device: str | torch.device = "cpu"
    ) -> None:
        self.side = side
        self.batch = batch
        self.device = resolve_device(device)
        network: nn.Module = create_efficientnet_lite(out_indices=(3, 4))
        self.network = network.eval().to(self.device).to(memory_format=torch.channels_last)

    @torch.inference_mode()
    def __call__(
        self,
        pictures: Iterable[NDArray[np.uint8]],
        progress: Callable[[int], None] | None = None,
    ) -> FloatArray:
        """Vectors (N, D) of unit length.

        Args:
            pictures: N of them, RGB (H, W, 3), of any sizes.
            progress: is told how many are done.

        Returns:
            (N, D); (0, 0) without a picture.
        """
        vectors: list[FloatArray] = []
        waiting: list[NDArray[np.uint8]] = []
        done = 0
        for picture in pictures:
            waiting.append(fit_square(picture, self.side))
            if len(waiting) == self.batch:
                vectors.append(self._embed(waiting))
                done += len(waiting)
                waiting = []
                if progress is not None:
                    progress(done)
        if waiting:
            vectors.append(self._embed(waiting))
        return np.concatenate(vectors) if vectors else np.zeros((0, 0), np.float32)

    def _embed(self, squares: list[NDArray[np.uint8]]) -> FloatArray:
        array = (np.stack(squares).astype(np.float32) - IMAGENET_LITE_MEAN) / IMAGENET_LITE_STD
        batch = torch.from_numpy(array).permute(0, 3, 1, 2)  # (B, 3, S, S), channels last in memory
        parts = []
        for maps in self.network(batch.to(self.device)):
            parts += [maps.mean(dim=(2, 3)), maps.amax(dim=(2, 3))]
        unit = [nn.functional.normalize(part, dim=1) for part in parts]
        return np.asarray(nn.functional.normalize(torch.cat(unit, dim=1), dim=1).cpu().numpy())
