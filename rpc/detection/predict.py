"""A trained detector at work: photo in, detections out.

Key: H x W pixels of a photo, N detections.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.config import ConfigDict
from mmengine.registry import init_default_scope
from numpy.typing import NDArray
from torch import nn

import rpc.detection.backbones  # noqa: F401  registers the backbone by its name
from rpc.checkout import Checkout
from rpc.counting import CountingRule
from rpc.data.files import DataError
from rpc.data.taxonomy import Taxonomy
from rpc.detection.checkpoint import SavedModel, load_model
from rpc.recognition import Recogniser
from rpc.recognition.gallery_namer import GalleryNamer
from rpc.recognition.renaming_file import read_renamer
from rpc.retrieval.gallery import Gallery
from rpc.retrieval.gallery_files import read_state
from rpc.retrieval.recipes import describer_of
from rpc.structures import Detections, clip_boxes, order_corners

PAD_VALUE = 114


class Detector:
    """A detector with its SKUs and, where it was chosen, its counting rule.

    Args:
        model: mmdet's detector in evaluation mode.
        saved: what came with it in its file.
        image_size: longest that the longer and the shorter side of a photo become, in pixels.
    """

    def __init__(self, model: nn.Module, saved: SavedModel, image_size: tuple[int, int]) -> None:
        self.model = model.eval()
        self.saved = saved
        self.image_size = image_size

    @classmethod
    def load(cls, path: str | Path) -> Detector:
        """Build the network that a model file describes, with its weights.

        Raises:
            DataError: the file is missing, damaged, unsafe, or does not fit what it describes.
        """
        saved = load_model(path)
        try:
            described = json.loads(saved.config)
            size = _pair(described["image_size"])
            init_default_scope("mmdet")
            model = MODELS.build(ConfigDict(described["model"]))
            model.load_state_dict(dict(saved.state_dict))
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise DataError(
                f"{path}: its weights do not fit its own description: {_gist(error)}; "
                "train the model anew"
            ) from error
        return cls(model.to(memory_format=torch.channels_last), saved, size)

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

    @torch.inference_mode()
    def predict(self, rgb: NDArray[np.uint8]) -> Detections:
        """All detections of a photo, before any counting rule.

        Args:
            rgb: (H, W, 3) uint8.

        Returns:
            N boxes in pixels of the photo, best score first.

        Raises:
            ValueError: not an RGB photo.
        """
        if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8:
            raise ValueError(f"photo: expected (H, W, 3) uint8, got {rgb.shape} {rgb.dtype}")
        padded, scale = letterbox(rgb, *self.image_size)
        sample = DetDataSample(
            metainfo={
                "ori_shape": padded.shape[:2],
                "img_shape": padded.shape[:2],
                "scale_factor": (1.0, 1.0),
            }
        )
        tensor = torch.from_numpy(np.ascontiguousarray(padded.transpose(2, 0, 1)))
        batch = self.model.data_preprocessor({"inputs": [tensor], "data_samples": [sample]})
        found = self.model.predict(batch["inputs"], batch["data_samples"])[0].pred_instances
        return _detections(found.bboxes, found.scores, found.labels, scale, rgb.shape[:2])


def load_checkout(path: str | Path, *, named: bool = True) -> Checkout:
    """A checkout counter from one model file: detector, counting rule, and a recogniser if any.

    Args:
        path: the model file.
        named: refuse a detector that only finds, where nothing in the file can name.

    Raises:
        DataError: the file is missing, damaged or unsafe, or its parts do not fit one another.
    """
    detector = Detector.load(path)
    recogniser = _recogniser(detector.saved)
    if named and recogniser is None and detector.agnostic:
        raise DataError(f"{path}: a class-agnostic detector without a recogniser can not name SKUs")
    return Checkout(
        detector, detector.taxonomy, recogniser, _rule(detector.saved.counting, detector.saved.path)
    )


def load_gallery_checkout(
    path: str | Path, folder: str | Path, *, fusion: bool = False
) -> Checkout:
    """A checkout counter that finds with a model and names with a gallery.

    The SKUs are the gallery's; those that the model was trained on do not matter. The counting
    rule is the one that was chosen for this gallery, else the model's.

    Args:
        path: a model file; its detector finds.
        folder: the gallery.
        fusion: ask the model's own recogniser as well, as was chosen for this gallery.

    Raises:
        DataError: a file is missing or damaged, the gallery is empty or of an unknown recipe, or
            the model has no recogniser to ask.
    """
    detector = Detector.load(path)
    describe = describer_of(read_state(Path(folder)).recipe)
    gallery = Gallery.open(folder, describe.recipe)
    recogniser = _recogniser(detector.saved) if fusion else None
    if fusion and recogniser is None:
        raise DataError(f"{path}: has no recogniser to ask; leave --fusion out")
    names = detector.taxonomy.names
    namer = GalleryNamer(gallery, describe, recogniser=recogniser, recogniser_names=names)
    settings = gallery.state.settings
    chosen = settings["fusion"].get("counting") if fusion else settings.get("counting")
    rule = _rule(detector.saved.counting, path) if chosen is None else _rule(chosen, folder)
    return Checkout(detector, namer.taxonomy, namer, rule)


def load_renaming_checkout(path: str | Path, folder: str | Path) -> Checkout:
    """A checkout counter whose recogniser is joined with a recognition system.

    The counting rule is the one that was chosen with the system, else the model's.

    Args:
        path: a model file with a recogniser.
        folder: of `tools/fuse_recogniser.py`.

    Raises:
        DataError: a file is missing or damaged, the model has no recogniser, or the system was
            joined with another counter's.
    """
    detector = Detector.load(path)
    own = _recogniser(detector.saved)
    if own is None:
        raise DataError(f"{path}: has no recogniser to join with; leave --recogniser out")
    joined, renaming = read_renamer(folder, own, detector.taxonomy.names)
    chosen = renaming.counting
    rule = _rule(detector.saved.counting, path) if chosen is None else _rule(chosen, folder)
    return Checkout(detector, detector.taxonomy, joined, rule)


def open_checkout(
    path: str | Path,
    gallery: str | Path | None = None,
    *,
    fusion: bool = False,
    recogniser: str | Path | None = None,
) -> Checkout:
    """What a tool is told to count with: a model; its detector and a gallery; or a system besides.

    Raises:
        DataError: as `load_checkout`, `load_gallery_checkout` and `load_renaming_checkout`; or
            options that do not go together.
    """
    if gallery is not None and recogniser is not None:
        raise DataError("--gallery and --recogniser: expected one of them")
    if gallery is not None:
        return load_gallery_checkout(path, gallery, fusion=fusion)
    if fusion:
        raise DataError("--fusion: expected a gallery to join the model's recogniser with")
    if recogniser is not None:
        return load_renaming_checkout(path, recogniser)
    return load_checkout(path)


def check_gallery(gallery: Taxonomy, data: Taxonomy, folder: str | Path) -> None:
    """Make sure that a gallery's SKUs are those of a data set, or some of them.

    Raises:
        DataError: the data set has no such SKU, or calls its id by another name.
    """
    known = {category.id: category.name for category in data.categories}
    for category in gallery.categories:
        if known.get(category.id) != category.name:
            raise DataError(
                f"{folder}: its SKU {category.id} {category.name!r:.60} is "
                f"{known.get(category.id, 'not there')!r:.60} in the data; "
                "make a gallery of this data's exemplars"
            )


def _recogniser(saved: SavedModel) -> Recogniser | None:
    """The recogniser of a model file, where there is one."""
    if saved.recogniser is None:
        return None
    try:
        recogniser = Recogniser.from_state(saved.recogniser)
    except (KeyError, RuntimeError) as error:
        raise DataError(
            f"{saved.path}: its recogniser's weights do not fit: {_gist(error)}; "
            "train the model anew"
        ) from error
    outputs = recogniser.model.head.out_features
    if outputs != len(saved.taxonomy) + 1:
        raise DataError(
            f"{saved.path}: its recogniser knows {outputs - 1} SKUs, the file {len(saved.taxonomy)}"
        )
    return recogniser


def _rule(values: Mapping[str, Any] | None, path: str | Path) -> CountingRule | None:
    try:
        return None if values is None else CountingRule.from_dict(values)
    except ValueError as error:
        raise DataError(f"{path}: {error}") from error


def letterbox(rgb: NDArray[np.uint8], longer: int, shorter: int) -> tuple[NDArray[np.uint8], float]:
    """Scale a photo (H, W, 3) as large as both sides allow; pad it where one square serves all.

    Args:
        rgb: the photo.
        longer: pixels that its longer side may have.
        shorter: pixels that its shorter side may have; as `longer` for a square.

    Returns:
        The scaled photo, in the upper left corner of a square whose sides are a multiple of 32
        where both lengths are equal; and the factor from photo to picture.
    """
    height, width = rgb.shape[:2]
    scale = min(longer / max(height, width), shorter / min(height, width))
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    # As mmdet's own Resize in training: bilinear, whatever the factor.
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_LINEAR)
    if longer != shorter:  # the network's own preprocessor pads, as it did in training
        return small, scale
    full = math.ceil(longer / 32) * 32
    padded = np.full((full, full, 3), PAD_VALUE, np.uint8)
    padded[: size[1], : size[0]] = small
    return padded, scale


def _pair(size: int | list[int]) -> tuple[int, int]:
    """A model file's `image_size`: one number is both sides."""
    longer, shorter = (size, size) if isinstance(size, int) else size
    if not (isinstance(longer, int) and isinstance(shorter, int) and longer >= shorter >= 32):
        raise ValueError(f"image_size: expected the longer and the shorter side, got {size!r:.40}")
    return longer, shorter


def _gist(error: Exception) -> str:
    """The line of an error that says most: torch heads its list of misfits with an empty phrase."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = [line for line in lines if not line.endswith(":")] or lines or [type(error).__name__]
    return told[0] if len(told[0]) <= 120 else told[0][:117] + "..."


def _detections(
    boxes: torch.Tensor,
    scores: torch.Tensor,
    labels: torch.Tensor,
    scale: float,
    shape: tuple[int, ...],
) -> Detections:
    """From tensors in pixels of the padded picture to boxes inside the photo, best first."""
    corners = boxes.cpu().double().numpy() / scale
    inside = clip_boxes(order_corners(corners), shape[1], shape[0])
    found = Detections(inside, scores.cpu().double().numpy(), labels.cpu().numpy())
    sides = inside[:, 2:] - inside[:, :2]
    found = found.select((sides > 1).all(axis=1))
    return found.select(np.argsort(-found.scores, kind="stable"))
