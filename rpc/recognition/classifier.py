"""A plain backbone with a linear head on crops: the baseline, and what names products by default.

Key: B crops, N boxes of a photo, S x S pixels of a crop, K SKUs; class K is 'no single product'.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rpc.features.backbones.efficientnet_lite import (
    IMAGENET_LITE_MEAN,
    IMAGENET_LITE_STD,
    create_efficientnet_lite,
)
from rpc.recognition.crops import box_extents, cut_crops
from rpc.runs.devices import resolve_device

CROP_SIDE = 128
EXTENT_WIDTH = 16


class CropClassifier(nn.Module):
    """EfficientNet-lite0 without its last block; pooled maps of two depths; one linear layer.

    How large a product appears goes in beside what is printed on it: a counter's camera hangs
    still, and 200 g and 320 g of the same crackers differ in little else.

    Args:
        num_labels: K; the head has K + 1 outputs.
        pretrained: start from the ImageNet weights (False where a model file follows).
        frozen_blocks: the stem and so many blocks get no gradient.
        dropout: before the head, in training.
    """

    def __init__(
        self,
        num_labels: int,
        *,
        pretrained: bool = True,
        frozen_blocks: int = 2,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        body = create_efficientnet_lite("efficientnet_lite0", pretrained=pretrained)
        self.stem = nn.Sequential(body.conv_stem, body.bn1)
        self.blocks = nn.ModuleList(body.blocks[:6])
        for part in (self.stem, *self.blocks[:frozen_blocks]):
            part.requires_grad_(False)
        self.dropout = nn.Dropout(dropout)
        self.extent = nn.Sequential(nn.Linear(2, EXTENT_WIDTH), nn.ReLU(inplace=True))
        self.head = nn.Linear(112 + 192 + EXTENT_WIDTH, num_labels + 1)

    def forward(self, crops: Tensor, extents: Tensor) -> Tensor:
        """Crops (B, 3, S, S), RGB 0..255, and `box_extents` (B, 2) to logits (B, K + 1)."""
        maps = (crops.float() - IMAGENET_LITE_MEAN) / IMAGENET_LITE_STD
        maps = self.stem(maps.contiguous(memory_format=torch.channels_last))
        pooled = []
        for depth, block in enumerate(self.blocks):
            maps = block(maps)
            if depth >= 4:
                pooled.append(maps.float().mean(dim=(2, 3)))  # (B, 112), (B, 192)
        pooled.append(self.extent(extents).float())
        logits: Tensor = self.head(self.dropout(torch.cat(pooled, dim=1)))
        return logits


class Recogniser:
    """A trained crop classifier at work.

    Args:
        model: in evaluation mode.
        turns: crops are seen in so many of the four quarter turns, and the answers averaged.
        device: that the network runs on, see `rpc.runs.devices`; the model is moved there.
    """

    def __init__(
        self, model: CropClassifier, turns: int = 4, *, device: str | torch.device = "cpu"
    ) -> None:
        self.device = resolve_device(device)
        self.model = model.eval().to(self.device, memory_format=torch.channels_last)
        self.turns = turns

    @classmethod
    def from_state(
        cls, state: Mapping[str, Tensor], turns: int = 4, *, device: str | torch.device = "cpu"
    ) -> Recogniser:
        """From the weights of a model file."""
        model = CropClassifier(len(state["head.bias"]) - 1, pretrained=False)
        model.load_state_dict(dict(state))
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
        labels = self.model.head.out_features
        pairs = [pair for pair in zip(photos, boxes, strict=True) if len(pair[1])]
        ends = np.cumsum([len(places) for places in boxes])
        if not pairs:
            return [np.zeros((0, labels)) for _ in photos]
        crops = np.concatenate([cut_crops(rgb, places, CROP_SIDE) for rgb, places in pairs])
        sizes = np.concatenate([box_extents(places, rgb.shape[1]) for rgb, places in pairs])
        extents = torch.from_numpy(sizes).to(self.device)
        total = np.zeros((len(crops), labels))
        for turn in range(self.turns):
            rotated = np.ascontiguousarray(np.rot90(crops, turn, axes=(1, 2)).transpose(0, 3, 1, 2))
            logits = self.model(torch.from_numpy(rotated).to(self.device), extents)
            total += torch.softmax(logits, dim=1).double().cpu().numpy()
        return np.split(total / self.turns, ends[:-1])
