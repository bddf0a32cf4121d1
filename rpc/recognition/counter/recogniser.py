"""A trained crop classifier at a counter: boxes of a photo to probabilities of its SKUs.

Key: B crops, N boxes of a photo, S x S pixels of a crop, K SKUs; class K is 'no single product'.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rpc.data.files import DataError
from rpc.inference.naming import SETTLED, TURNS, NamesCrops
from rpc.recognition.systems.crop_classifier import CropClassifier
from rpc.runs.devices import resolve_device
from rpc.runs.saved_network import saved_network


class Recogniser:
    """A trained crop classifier at work, see `rpc.inference.naming.NamesCrops`.

    Args:
        model: of K + 1 classes; it is put into evaluation mode.
        turns: doubtful crops are seen in so many of the four quarter turns, 1 to 4.
        settled: probability from which a first answer stands; above 1 none does.
        device: that the network runs on, see `rpc.runs.devices`; the model is moved there.
    """

    def __init__(
        self,
        model: CropClassifier,
        turns: int = TURNS,
        *,
        settled: float = SETTLED,
        device: str | torch.device = "cpu",
    ) -> None:
        self.device = resolve_device(device)
        self.model = model.eval().to(self.device)
        self._names = NamesCrops(
            self._logits, model.side, model.num_classes, turns, settled, self._pooled
        )

    @classmethod
    def from_state(
        cls,
        state: Mapping[str, Tensor],
        turns: int = TURNS,
        *,
        device: str | torch.device = "cpu",
        where: str = "recogniser",
    ) -> Recogniser:
        """From the weights of a model file, `where` in errors.

        Raises:
            DataError: the weights are those of something else.
        """
        bias = state.get("head.bias")
        if bias is None or bias.ndim != 1:
            raise DataError(f"{where}: expected weights with a list 'head.bias', one for each SKU")
        model = saved_network(lambda: CropClassifier(len(bias), pretrained=False), state, where)
        return cls(model, turns, device=device)

    def probabilities(
        self, rgb: NDArray[np.uint8], boxes: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Probabilities (N, K + 1), each row summing to 1, of boxes (N, 4) of a photo (H, W, 3)."""
        return self._names.probabilities(rgb, boxes)

    def batch_probabilities(
        self, photos: Sequence[NDArray[np.uint8]], boxes: Sequence[NDArray[np.float64]]
    ) -> list[NDArray[np.float64]]:
        """As `probabilities`, of each photo and its boxes; the network sees all crops at once."""
        return self._names.batch_probabilities(photos, boxes)

    def features(self, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Features (N, F) of pictures (h, w, 3) of one product each, N of one or more."""
        return self._names.features(pictures)

    @torch.inference_mode()
    def _logits(
        self, crops: NDArray[np.uint8], extents: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Scores (B, K + 1) of crops (B, S, S, 3)."""
        given = self._pixels(crops), torch.from_numpy(extents).to(self.device)
        return np.asarray(self.model(*given).float().cpu().numpy())

    @torch.inference_mode()
    def _pooled(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Features (B, F) of crops (B, S, S, 3)."""
        return np.asarray(self.model.features(self._pixels(crops)).cpu().numpy())

    def _pixels(self, crops: NDArray[np.uint8]) -> Tensor:
        pixels = torch.from_numpy(np.ascontiguousarray(crops.transpose(0, 3, 1, 2)))
        return pixels.to(self.device)
