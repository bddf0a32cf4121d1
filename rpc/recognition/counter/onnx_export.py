"""A counter's recogniser as an ONNX file: from crops to scores."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rpc.inference.network_counter import CROPS, EXTENTS, FEATURES, LOGITS
from rpc.recognition.systems.crop_classifier import CropClassifier
from rpc.runs.onnx_files import onnx_bytes


class RawRecogniser(nn.Module):
    """Crops as `rpc.inference.naming` cuts them, to scores before the softmax, and features."""

    def __init__(self, model: CropClassifier) -> None:
        super().__init__()
        self.model = model

    def forward(self, crops: Tensor, extents: Tensor) -> tuple[Tensor, Tensor]:
        """Scores (B, K), features (B, F) of crops (B, S, S, 3) uint8 and their extents (B, 2)."""
        features = self.model.features(crops.permute(0, 3, 1, 2))
        return self.model.decided(features, extents), features


def recogniser_onnx(model: CropClassifier) -> bytes:
    """The content of the ONNX file."""
    crops = torch.zeros((2, model.side, model.side, 3), dtype=torch.uint8)
    given = {CROPS: crops, EXTENTS: torch.zeros((2, 2))}
    return onnx_bytes(RawRecogniser(model).eval(), given, [LOGITS, FEATURES])
