"""The plainest descriptor of a gallery: the last maps of a network, pooled.

Key: N pictures, V views of a picture, D dimensions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from rpc.features.backbones.embedding import Embedder
from rpc.retrieval.descriptors.exemplar_views import rotated_embeddings
from rpc.runs.devices import resolve_device

FloatArray = NDArray[np.float32]
Rgb = NDArray[np.uint8]
TURNS: Final = 4


class PlainDescriptor:
    """Average and maximum of the last maps of EfficientNet-lite0 (`Embedder`).

    Args:
        side: pictures are fitted into a square of this many pixels.
        device: that the network runs on, see `rpc.runs.devices`.

    Raises:
        DataError: an unknown device.
    """

    def __init__(self, side: int = 160, *, device: str | torch.device = "cpu") -> None:
        self.side = side
        self.device = resolve_device(device)
        self._embedder: Embedder | None = None

    @property
    def recipe(self) -> Mapping[str, Any]:
        """All that decides a descriptor."""
        return {
            "name": "plain",
            "version": 1,
            "backbone": "efficientnet_lite0",
            "pooling": "average and maximum of the last two stages",
            "side": self.side,
            "turns": TURNS,
        }

    def __call__(self, pictures: Sequence[Rgb]) -> FloatArray:
        """Unit vectors (N, D) of N pictures (H, W, 3)."""
        if self._embedder is None:
            self._embedder = Embedder(side=self.side, device=self.device)
        return self._embedder(pictures)

    def exemplar_embeddings(self, pictures: Sequence[Rgb]) -> list[FloatArray]:
        """A product may lie on a tray in any direction: (4, D), the four quarter turns of each."""
        return rotated_embeddings(self, pictures, TURNS)
