"""A model file's description of its network, held against what a detector may be built of.

The text in a model file decides which classes are called with which values. So nothing is built of
it but parts of one list, with plain values in their usual ranges: no name that would be imported,
no file and no address, no number that would fill the memory.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mmdet.registry import MODELS, TASK_UTILS

import rpc.detection.backbones  # noqa: F401  registers the backbone by its name
from rpc.runs.settings import nearest

# Parts of mmdet and its layers whose constructors read no file; our own (`rpc.detection`) as well.
PARTS: Final = frozenset(
    """
    ATSS FasterRCNN FCOS FSAF GFL RetinaNet RTMDet TOOD VFNet DetDataPreprocessor
    CSPDarknet CSPNeXt MobileNetV2 RegNet Res2Net ResNet ResNetV1d ResNeXt SwinTransformer
    ChannelMapper CSPNeXtPAFPN FPN PAFPN
    ATSSHead FCOSHead FSAFHead GFLHead RetinaHead RetinaSepBNHead RPNHead RTMDetHead
    RTMDetSepBNHead TOODHead VFNetHead
    ConvFCBBoxHead Shared2FCBBoxHead Shared4Conv1FCBBoxHead SingleRoIExtractor StandardRoIHead
    AnchorGenerator DeltaXYWHBBoxCoder DistancePointBBoxCoder MlvlPointGenerator TBLRBBoxCoder
    RoIAlign nms soft_nms
    BalancedL1Loss CIoULoss CrossEntropyLoss DIoULoss DistributionFocalLoss FocalLoss GIoULoss
    IoULoss L1Loss QualityFocalLoss SmoothL1Loss VarifocalLoss
    BN BN2d GN IN LN SyncBN Conv Conv2d DCN DCNv2
    ELU GELU HSigmoid HSwish LeakyReLU ReLU ReLU6 Sigmoid SiLU Swish
    """.split()
)
# What only training needs: first weights may come from files, and the rest is dead weight.
_TRAINING: Final = frozenset({"init_cfg", "pretrained", "train_cfg", "batch_augments"})
_SUPPRESSION: Final = ("nms", "soft_nms")
_WORD: Final = re.compile(r"[A-Za-z0-9][\w.\-]{0,39}", re.ASCII)
_NAME: Final = re.compile(r"[A-Za-z_]\w{0,79}", re.ASCII)
_MOST: Final = 4096.0  # of a number whose name is not below: channels, layers, ...
_HUGE: Final = 1e8  # "infinity" of mmdet's ranges of sizes
_RANGES: Final[Mapping[str, tuple[float, float]]] = {
    "std": (1e-3, 1e4),
    "mean": (-1e4, 1e4),
    "pad_size_divisor": (1, 1024),
    "num_classes": (1, 100_000),
    "nms_pre": (1, 100_000),
    "max_per_img": (1, 10_000),
    "score_thr": (0, 1),
    "iou_threshold": (0, 1),
    "split_thr": (1, 100_000),
    "min_bbox_size": (-1, 10_000),
    "strides": (0, 256),
    "stride": (0, 256),
    "featmap_strides": (1, 256),
    "dilations": (1, 64),
    "dilation": (1, 64),
    "padding": (0, 64),
    "kernel_size": (1, 64),
    "output_size": (1, 64),
    "roi_feat_size": (1, 64),
    "sampling_ratio": (0, 16),
    "scales": (1e-3, 1024),
    "ratios": (1e-3, 1024),
    "base_sizes": (1e-3, 4096),
    "octave_base_scale": (1e-3, 1024),
    "scales_per_octave": (1, 16),
    "target_stds": (1e-6, 1e3),
    "stacked_convs": (0, 64),
    "num_csp_blocks": (0, 64),
    "deepen_factor": (1e-3, 16),
    "widen_factor": (1e-3, 64),
    "expand_ratio": (1e-3, 64),
    "regress_ranges": (-_HUGE, _HUGE),
    "sizes": (32, 8192),
}
_LONGEST: Final = 64  # list
_DEEPEST: Final = 12


@dataclass(frozen=True)
class Description:
    """A model file's text once it has been checked.

    Attributes:
        model: mmdet's config of the network, without what only training needs.
        image_size: longest that the longer and the shorter side of a photo become, px.
        num_classes: rows of the classifier.
    """

    model: Mapping[str, Any]
    image_size: tuple[int, int]
    num_classes: int


def read_description(text: str, categories: int) -> Description:
    """Read and check the text that `rpc.detection.config.model_text` wrote.

    Args:
        text: of the model file.
        categories: how many SKUs the file names.

    Raises:
        ValueError: it is something else, names a part that is not on the list, or holds a value
            that no detector is built with; says where.
    """
    try:
        parts = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"its config is not the JSON that a training writes: {error}") from error
    if not (isinstance(parts, dict) and isinstance(parts.get("model"), dict)):
        raise ValueError("its config is not the JSON that a training writes: it lacks 'model'")
    model = checked_model(parts["model"])
    return Description(model, _image_size(parts.get("image_size")), _classes(model, categories))


def checked_model(model: Mapping[str, Any]) -> dict[str, Any]:
    """A network's config without what only training needs, once all of it has been checked.

    Raises:
        ValueError: as `read_description`.
    """
    checked = _dict(model, ("model",))
    if "train_cfg" in model:
        checked["train_cfg"] = None  # detectors of two stages want it named
    if not isinstance(checked.get("type"), str):
        raise ValueError("model.type: expected the name of a detector")
    stages = checked.get("test_cfg")
    if not isinstance(stages, Mapping):
        raise ValueError(f"model.test_cfg: expected a dict of settings, got {stages!r:.40}")
    if "roi_head" in checked:
        for stage in ("rpn", "rcnn"):
            _check_stage(stages.get(stage), f"model.test_cfg.{stage}")
    else:
        _check_stage(stages, "model.test_cfg")
    return checked


def part_names() -> frozenset[str]:
    """All names that a `type` may have: the list above, and what `rpc.detection` registers."""
    own = {
        name
        for registry in (MODELS, TASK_UTILS)
        for name, made in registry.module_dict.items()
        if str(made.__module__).startswith("rpc.detection.")
    }
    return PARTS | own


def _check_stage(values: object, where: str) -> None:
    """How candidates become detections: without a limit, the first photo with many fails."""
    if not isinstance(values, Mapping):
        raise ValueError(f"{where}: expected a dict of settings, got {values!r:.40}")
    nms = values.get("nms")
    if not isinstance(nms, Mapping) or nms.get("type") not in _SUPPRESSION:
        raise ValueError(f"{where}.nms: expected a dict of type {' or '.join(_SUPPRESSION)}")
    for name, holder in (("max_per_img", values), ("iou_threshold", nms)):
        if name not in holder:
            raise ValueError(f"{where}: lacks {name}, without which no photo can be counted")


def _dict(part: Mapping[Any, Any], place: tuple[str, ...]) -> dict[str, Any]:
    where = ".".join(filter(None, place))
    if len(place) > _DEEPEST:
        raise ValueError(f"{where:.80}: dicts too deep in one another")
    for name in part:
        if not (isinstance(name, str) and _NAME.fullmatch(name)) or name.startswith("_"):
            raise ValueError(f"{where}: {name!r:.40} is no name of a setting")
    kept = {name: value for name, value in part.items() if name not in _TRAINING}
    if "type" in kept:
        _check_type(kept["type"], where)
    checked = {name: _value(value, (*place, name)) for name, value in kept.items()}
    if kept.get("type") == "EfficientNetLite":
        checked["pretrained"] = False  # the file holds better weights than the package's
    return checked


def _check_type(name: object, where: str) -> None:
    if not isinstance(name, str) or name not in part_names():
        hint = nearest(name, part_names()) if isinstance(name, str) else ""
        raise ValueError(f"{where}.type: {name!r:.60} is no part that a detector is built of{hint}")


def _value(value: object, place: tuple[str, ...]) -> Any:
    if isinstance(value, Mapping):
        return _dict(value, place)
    where = ".".join(filter(None, place))
    if isinstance(value, list | tuple):
        if len(value) > _LONGEST:
            raise ValueError(f"{where}: a list of {len(value)}, expected at most {_LONGEST}")
        if len(place) > _DEEPEST:
            raise ValueError(f"{where:.80}: lists too deep in one another")
        return [_value(item, (*place[:-1], "", place[-1])) for item in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        least, most = _RANGES.get(place[-1], (-_MOST, _MOST))
        if not (math.isfinite(value) if isinstance(value, float) else True) or not (
            least <= value <= most
        ):
            raise ValueError(f"{where}: expected {least:g} to {most:g}, got {_short(value)}")
        return value
    if isinstance(value, str) and _WORD.fullmatch(value):
        return value
    raise ValueError(f"{where}: expected a plain word or number, got {value!r:.60}")


def _short(value: float) -> str:
    """A number at a length that fits a line."""
    if isinstance(value, int) and value.bit_length() > 60:
        return "a number of more than 18 digits"
    return str(value)


def _image_size(size: object) -> tuple[int, int]:
    """One number is both sides."""
    sides = [size, size] if type(size) is int else size
    fine = isinstance(sides, list) and len(sides) == 2 and all(type(side) is int for side in sides)
    least, most = _RANGES["sizes"]
    if not fine or not most >= sides[0] >= sides[1] >= least:  # type: ignore[index]
        raise ValueError(
            "image_size: expected the longer and the shorter side, "
            f"{least:g} to {most:g} px, got {size!r:.40}"
        )
    return sides[0], sides[1]  # type: ignore[index]


def _classes(model: Mapping[str, Any], categories: int) -> int:
    """How many classes the network tells apart: all SKUs, or products as such."""
    found = list(_named(model, "num_classes"))
    if not found or any(type(n) is not int or n != found[0] for n in found):
        raise ValueError("model: expected one num_classes of its head")
    number: int = found[0]
    if number not in (1, categories):
        raise ValueError(f"model: num_classes {number}, but the file names {categories} SKUs")
    return number


def _named(part: object, name: str) -> Iterable[Any]:
    """All values of a setting, however deep."""
    if isinstance(part, Mapping):
        for key, value in part.items():
            if key == name:
                yield value
            else:
                yield from _named(value, name)
    elif isinstance(part, list):
        for value in part:
            yield from _named(value, name)
