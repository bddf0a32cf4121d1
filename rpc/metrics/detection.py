"""mAP50 and mmAP of the raw boxes, as pycocotools defines them."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from rpc.data.dataset import Dataset

MAX_DETECTIONS = 100  # per image, COCO's own; RPC's fullest tray holds 20 items


@dataclass(frozen=True)
class DetectionMetrics:
    """Average precision of boxes, over the SKUs that are in the truth.

    Attributes:
        mAP50: at an IoU of 0.5, 0 to 1.
        mmAP: mean over the IoUs 0.50, 0.55, ..., 0.95, 0 to 1.
    """

    mAP50: float
    mmAP: float


def detection_metrics(
    truth: Dataset | Mapping[str, Any],
    results: Sequence[Mapping[str, Any]],
    image_ids: Collection[int] | None = None,
) -> DetectionMetrics:
    """mAP50 and mmAP by pycocotools over all raw detections: no threshold, 100 an image at most.

    Args:
        truth: a data set, or the object of its COCO JSON.
        results: COCO results: `image_id`, `category_id`, `bbox` (x, y, w, h in pixels), `score`.
        image_ids: only these images; all of them where it is None.

    Returns:
        The metrics; 0 where nothing is detected, or where no item is on these images.

    Raises:
        ValueError: a result or `image_ids` names an image that the truth does not have.
    """
    return detection_metrics_by_group(truth, results, {"": image_ids})[""]


def detection_metrics_by_group(
    truth: Dataset | Mapping[str, Any],
    results: Sequence[Mapping[str, Any]],
    groups: Mapping[str, Collection[int] | None],
) -> dict[str, DetectionMetrics]:
    """`detection_metrics` of several sets of images, such as the clutter levels, by name.

    Raises:
        ValueError: as in `detection_metrics`.
    """
    raw = truth.to_coco() if isinstance(truth, Dataset) else truth
    known = {image["id"] for image in raw["images"]}
    for what, ids in [("results", {r["image_id"] for r in results})] + [
        (f"group {name!r}", set(ids)) for name, ids in groups.items() if ids is not None
    ]:
        if not ids <= known:
            raise ValueError(f"{what}: no image of the truth has the id {min(ids - known)}")
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints its progress
        gt = _indexed(raw, [_truth_entry(a) for a in raw["annotations"]])
        dt = _indexed(raw, [_result_entry(r, i) for i, r in enumerate(results, start=1)])
        return {
            name: _evaluate(gt, dt, known if ids is None else set(ids))
            for name, ids in groups.items()
        }


def _evaluate(gt: Any, dt: Any, image_ids: set[int]) -> DetectionMetrics:
    evaluation = COCOeval(gt, dt, "bbox")
    evaluation.params.imgIds = sorted(image_ids)
    # Items of any size and the full 100 detections are all that mAP50 and mmAP look at; COCO's
    # other size ranges would take four times as long.
    evaluation.params.areaRng = evaluation.params.areaRng[:1]
    evaluation.params.areaRngLbl = evaluation.params.areaRngLbl[:1]
    evaluation.params.maxDets = [MAX_DETECTIONS]
    if not image_ids:
        return DetectionMetrics(0.0, 0.0)
    evaluation.evaluate()
    evaluation.accumulate()
    precision = evaluation.eval["precision"][..., 0, 0]  # (IoU, recall, SKU)
    found = precision[:, :, (precision > -1).any(axis=(0, 1))]  # -1: a SKU not in the truth
    if found.size == 0:
        return DetectionMetrics(0.0, 0.0)
    return DetectionMetrics(mAP50=float(found[0].mean()), mmAP=float(found.mean()))


def _indexed(raw: Mapping[str, Any], annotations: list[dict[str, Any]]) -> Any:
    coco = COCO()
    coco.dataset = {
        "images": list(raw["images"]),
        "categories": list(raw["categories"]),
        "annotations": annotations,
    }
    coco.createIndex()
    return coco


def _truth_entry(annotation: Mapping[str, Any]) -> dict[str, Any]:
    # A copy: pycocotools writes fields of its own into the annotations.
    width, height = annotation["bbox"][2:]
    return {"area": width * height, "iscrowd": 0, **annotation}


def _result_entry(result: Mapping[str, Any], number: int) -> dict[str, Any]:
    width, height = result["bbox"][2:]
    return {
        "id": number,
        "image_id": result["image_id"],
        "category_id": result["category_id"],
        "bbox": list(result["bbox"]),
        "score": result["score"],
        "area": width * height,
        "iscrowd": 0,
    }
