"""A detector as an ONNX file: from pixels to what its head says, before anything is decoded."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from rpc.data.files import DataError
from rpc.detection.dense_heads import raw_maps
from rpc.detection.detector import Detector
from rpc.inference.letterbox import square_side
from rpc.inference.network_counter import PICTURES, map_names
from rpc.runs.onnx_files import onnx_bytes


class RawDetector(nn.Module):
    """Pictures to raw maps; the normalisation of pixels is inside.

    Args:
        model: mmdet's detector, whose head `rpc.detection.dense_heads.dense_head` knows.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, pictures: Tensor) -> tuple[Tensor, ...]:
        """Maps of all levels, as `rpc.inference.network_counter.map_names` lists them.

        Args:
            pictures: (B, S, S, 3) uint8 RGB.
        """
        pixels = pictures.permute(0, 3, 1, 2).float()
        given = self.model.data_preprocessor
        if given._channel_conversion:
            pixels = pixels.flip(1)
        pixels = (pixels - given.mean) / given.std
        kinds = raw_maps(self.model.bbox_head, self.model.extract_feat(pixels))
        return tuple(level for levels in kinds for level in levels)


def detector_onnx(detector: Detector) -> bytes:
    """The content of the ONNX file.

    Raises:
        DataError: it is of a kind that is not exported.
    """
    where = detector.saved.path
    if detector.head is None:
        raise DataError(
            f"{where}: a detector of two stages, or one that mmdet has to decode, is not exported; "
            "train one of RTMDet's configs"
        )
    longer, shorter = detector.image_size
    if longer != shorter:
        raise DataError(
            f"{where}: sees pictures of {longer} x {shorter} px; only detectors of square pictures "
            "are exported"
        )
    side = square_side(longer)
    picture = torch.zeros((2, side, side, 3), dtype=torch.uint8)
    names = map_names(len(detector.head.strides), objectness=has_objectness(detector))
    return onnx_bytes(RawDetector(detector.model).eval(), {PICTURES: picture}, names)


def has_objectness(detector: Detector) -> bool:
    """Whether its head says apart how likely there is anything."""
    return bool(detector.model.bbox_head.with_objectness)
