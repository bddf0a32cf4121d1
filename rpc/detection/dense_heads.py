"""Which of mmdet's detectors have a head whose maps `rpc.inference.dense_head` decodes."""

from __future__ import annotations

from typing import Any, Final

from rpc.inference.dense_head import DenseHead

_HEADS: Final = ("RTMDetHead", "RTMDetSepBNHead")  # by name: importing them imports all of mmdet
_SUPPRESSION: Final = {"type", "iou_threshold", "split_thr"}  # settings of nms that change nothing


def dense_head(model: Any) -> DenseHead | None:
    """The head of a built detector; None for one that mmdet itself has to decode.

    Those of two stages, and of one stage with anchors, centredness, soft suppression or boxes that
    may leave the picture, are decoded by mmdet.
    """
    head = getattr(model, "bbox_head", None)
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
