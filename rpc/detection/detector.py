"""A trained detector at work: photo in, detections out.

Key: H x W pixels of a photo, N detections.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.config import ConfigDict
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData
from torch import nn

from rpc.data.files import DataError
from rpc.data.taxonomy import Taxonomy
from rpc.detection.dense_heads import dense_head, raw_maps
from rpc.detection.description import read_description
from rpc.detection.model_file import SavedModel, load_model
from rpc.inference.dense_head import Found
from rpc.inference.finding import find_on_photos
from rpc.inference.letterbox import PAD_VALUE, Rgb
from rpc.runs.devices import resolve_device
from rpc.runs.saved_network import saved_network
from rpc.runs.tensor_files import first_misfit
from rpc.structures import Detections


class Detector:
    """A detector with its SKUs and, where it was chosen, its counting rule.

    Args:
        model: mmdet's detector in evaluation mode.
        saved: what came with it in its file.
        image_size: longest that the longer and the shorter side of a photo become, in pixels.
        device: that the network runs on, see `rpc.runs.devices`; the model is moved there.

    Raises:
        DataError: an unknown device.
    """

    def __init__(
        self,
        model: nn.Module,
        saved: SavedModel,
        image_size: tuple[int, int],
        *,
        device: str | torch.device = "cpu",
    ) -> None:
        self.device = resolve_device(device)
        # Two steps: mmengine's own `to` learns the device of the inputs from the first.
        self.model: Any = model.eval().to(self.device).to(memory_format=torch.channels_last)
        self.saved = saved
        self.image_size = image_size
        self.head = dense_head(self.model)  # None: mmdet decodes

    @classmethod
    def load(cls, path: str | Path, *, device: str | torch.device = "cpu") -> Detector:
        """Build the network that a model file describes, with its weights, on a device.

        Raises:
            DataError: the file is missing, damaged, unsafe, or does not fit what it describes; or
                an unknown device.
        """
        saved = load_model(path)
        try:
            described = read_description(saved.config, len(saved.taxonomy))
        except ValueError as error:
            raise DataError(
                f"{path}: {error}; expected the model.pth of a training, nothing was built"
            ) from error
        init_default_scope("mmdet")
        config = ConfigDict(described.model)
        network = saved_network(lambda: MODELS.build(config), saved.state_dict, str(path))
        detector = cls(network, saved, described.image_size)
        try:  # a wiring that does not fit shows here, not at the first photo
            detector.predict(np.full((64, 64, 3), PAD_VALUE, np.uint8))
        except Exception as error:
            raise DataError(
                f"{path}: its network fails on a plain photo: {first_misfit(error)}; "
                "train the model anew"
            ) from error
        return cls(network, saved, described.image_size, device=device)

    @property
    def agnostic(self) -> bool:
        """Whether it knows products only as such, and needs a recogniser to name them."""
        model = json.loads(self.saved.config)["model"]
        head = model.get("bbox_head") or model["roi_head"]["bbox_head"]  # one stage or two
        return bool(head.get("num_classes") == 1 and len(self.taxonomy) > 1)

    @property
    def taxonomy(self) -> Taxonomy:
        """The SKUs that it knows."""
        return self.saved.taxonomy

    def predict(self, rgb: Rgb) -> Detections:
        """All detections of a photo, before any counting rule.

        Args:
            rgb: (H, W, 3) uint8.

        Returns:
            N boxes in pixels of the photo, best score first.

        Raises:
            ValueError: not an RGB photo.
        """
        return self.predict_batch([rgb])[0]

    def predict_batch(self, photos: Sequence[Rgb]) -> list[Detections]:
        """All detections of each photo, as `predict`; the network sees equal shapes at once.

        Photos of different shapes are not padded to one another: what a photo shows does not
        depend on its neighbours.

        Raises:
            ValueError: one of them is not an RGB photo.
        """
        return find_on_photos(photos, self.image_size, self._run)

    @torch.inference_mode()
    def _run(self, pictures: Sequence[Rgb]) -> list[Found]:
        """All that is found on pictures of one shape, in pixels of the pictures."""
        shape = pictures[0].shape[:2]
        about = {"ori_shape": shape, "img_shape": shape, "scale_factor": (1.0, 1.0)}
        inputs = [torch.from_numpy(np.ascontiguousarray(p.transpose(2, 0, 1))) for p in pictures]
        samples = [DetDataSample(metainfo=about) for _ in pictures]
        batch = self.model.data_preprocessor({"inputs": inputs, "data_samples": samples})
        if self.head is None:
            answers = self.model.predict(batch["inputs"], batch["data_samples"])
            return [_of_tensors(answer.pred_instances) for answer in answers]
        raw = raw_maps(self.model.bbox_head, self.model.extract_feat(batch["inputs"]))
        classes, sides, objects = (
            [level.float().cpu().numpy() for level in levels] for levels in raw
        )
        return self.head.decode_batch(classes, sides, objects, shape)


def _of_tensors(found: InstanceData) -> Found:
    """The answer of mmdet's own decoding."""
    corners, scores = (one.cpu().double().numpy() for one in (found.bboxes, found.scores))
    return corners, scores, found.labels.cpu().numpy()
