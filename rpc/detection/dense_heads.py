"""Which of mmdet's detectors have a head whose maps `rpc.inference.dense_head` decodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from torch import Tensor, nn

from rpc.inference.dense_head import DenseHead

_HEADS: Final = ("RTMDetHead", "RTMDetSepBNHead")  # by name: importing them imports all of mmdet
_SUPPRESSION: Final = {"type", "iou_threshold", "split_thr"}  # settings of nms that change nothing


def dense_head(model: Any) -> DenseHead | None:
    """The head of a built detector; None for one that mmdet itself has to decode.

    Those of two stages, and of one stage with anchors, centredness, soft suppression or boxes that
    may leave the picture, are decoded by mmdet.
    """
    head: Any = getattr(model, "bbox_head", None)
    if type(head).__name__ not in _HEADS or not _plain(head):
        return None
    settings, points = head.test_cfg, head.prior_generator
    try:
        return DenseHead(
            strides=tuple(int(stride[0]) for stride in points.strides),
            offset=float(points.offset),
            score_threshold=float(settings.get("score_thr", 0)),
            candidates=settings.get("nms_pre", -1),
            nms_iou=float(settings["nms"]["iou_threshold"]),
            most=settings["max_per_img"],
            least_side=settings.get("min_bbox_size", -1),
        )
    except ValueError:  # a setting with a meaning of its own, such as no limit
        return None


def raw_maps(head: Any, features: Sequence[Tensor]) -> tuple[list[Tensor], ...]:
    """All that `head` says before anything is joined or decoded, by level.

    mmdet's own head joins classes and objectness to one number and takes its logarithm near zero,
    which loses digits that two runtimes then differ in.

    Args:
        head: one that `dense_head` knows.
        features: (B, C, h, w) of each level.

    Returns:
        Class scores (B, K, h, w) before the sigmoid, distances (B, 4, h, w) in px and, from a head
        that has it, objectness (B, 1, h, w) before the sigmoid.
    """
    classes, sides, objects = [], [], []
    for level, maps in enumerate(features):
        stride = head.prior_generator.strides[level][0]
        named, placed = maps, maps
        for layer in _of_level(head.cls_convs, level):
            named = layer(named)
        for layer in _of_level(head.reg_convs, level):
            placed = layer(placed)
        classes.append(_of_level(head.rtm_cls, level)(named))
        away = _of_level(head.rtm_reg, level)(placed)
        if type(head).__name__ == "RTMDetHead":
            sides.append(head.scales[level](away.exp()).float() * stride)
        else:
            sides.append((away.exp() if head.exp_on_reg else away) * stride)
        if head.with_objectness:
            objects.append(_of_level(head.rtm_obj, level)(placed))
    return classes, sides, objects


def _of_level(part: Any, level: int) -> Any:
    """The layers of a level: each has its own in `RTMDetSepBNHead`, all share one elsewhere."""
    own = isinstance(part, nn.ModuleList) and isinstance(part[0], nn.ModuleList | nn.Conv2d)
    return part[level] if own else part


def _plain(head: Any) -> bool:
    """Whether its parts are points, distances, a sigmoid a class and plain suppression."""
    points, coder = head.prior_generator, head.bbox_coder
    nms = head.test_cfg.get("nms") or {}
    return (
        type(points).__name__ == "MlvlPointGenerator"
        and all(wide == high for wide, high in points.strides)
        and type(coder).__name__ == "DistancePointBBoxCoder"
        and bool(coder.clip_border)
        and bool(head.use_sigmoid_cls)
        and not getattr(head.loss_cls, "custom_cls_channels", False)
        and nms.get("type") == "nms"
        and set(nms) <= _SUPPRESSION
    )
