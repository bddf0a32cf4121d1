"""A trained crop classifier at a counter: boxes of a photo to probabilities of its SKUs.

Key: B crops, N boxes of a photo, S x S pixels of a crop, K SKUs; class K is 'no single product'.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rpc.data.files import DataError
from rpc.recognition.counter.crops import box_extents, cut_crops
from rpc.recognition.systems.crop_classifier import CropClassifier
from rpc.runs.devices import resolve_device
from rpc.runs.saved_network import saved_network

SETTLED: Final = 0.97  # a first answer of this probability is not asked again


class Recogniser:
    """A trained crop classifier at work.

    A crop is seen as it lies. Where the answer is less sure than `settled`, it is seen in other
    quarter turns as well, and the answers are averaged: that costs time where there is doubt alone.

    Args:
        model: of K + 1 classes; it is put into evaluation mode.
        turns: doubtful crops are seen in so many of the four quarter turns, 1 to 4.
        settled: probability from which a first answer stands; above 1 none does.
        device: that the network runs on, see `rpc.runs.devices`; the model is moved there.
    """

    def __init__(
        self,
        model: CropClassifier,
        turns: int = 4,
        *,
        settled: float = SETTLED,
        device: str | torch.device = "cpu",
    ) -> None:
        self.device = resolve_device(device)
        self.model = model.eval().to(self.device)
        self.turns, self.settled = turns, settled

    @classmethod
    def from_state(
        cls,
        state: Mapping[str, Tensor],
        turns: int = 4,
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
        return self.batch_probabilities([rgb], [boxes])[0]

    @torch.inference_mode()
    def batch_probabilities(
        self, photos: Sequence[NDArray[np.uint8]], boxes: Sequence[NDArray[np.float64]]
    ) -> list[NDArray[np.float64]]:
        """As `probabilities`, of each photo and its boxes; the network sees all crops at once."""
        labels, side = self.model.num_classes, self.model.side
        pairs = [pair for pair in zip(photos, boxes, strict=True) if len(pair[1])]
        ends = np.cumsum([len(places) for places in boxes])
        if not pairs:
            return [np.zeros((0, labels)) for _ in photos]
        crops = np.concatenate([cut_crops(rgb, places, side) for rgb, places in pairs])
        sizes = np.concatenate([box_extents(places, rgb.shape[1]) for rgb, places in pairs])
        found = self._seen(crops, sizes, 0)
        open_ = np.flatnonzero(found.max(axis=1) < self.settled)
        if len(open_) and self.turns > 1:
            others = [self._seen(crops[open_], sizes[open_], turn) for turn in range(1, self.turns)]
            found[open_] = (found[open_] + sum(others)) / self.turns
        return np.split(found, ends[:-1])

    def _seen(
        self, crops: NDArray[np.uint8], sizes: NDArray[np.float32], turn: int
    ) -> NDArray[np.float64]:
        """Probabilities (B, K + 1) of crops (B, S, S, 3) after so many quarter turns."""
        turned = np.ascontiguousarray(np.rot90(crops, turn, axes=(1, 2)).transpose(0, 3, 1, 2))
        pixels, extents = torch.from_numpy(turned), torch.from_numpy(sizes)
        logits = self.model(pixels.to(self.device), extents.to(self.device))
        return np.asarray(torch.softmax(logits, dim=1).double().cpu().numpy())
