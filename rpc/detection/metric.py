"""Checkout metrics on validation trays while a detector is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmdet.registry import METRICS
from mmengine.evaluator import BaseMetric
from mmengine.logging import MessageHub

from rpc.counting import choose_rule
from rpc.data.dataset import Dataset
from rpc.data.taxonomy import Taxonomy
from rpc.detection.dataset import Source, read_source
from rpc.detection.resume import COUNTING
from rpc.metrics.detection import detection_metrics
from rpc.metrics.specs import metrics_of
from rpc.structures import Detections, order_corners, xyxy_to_xywh


@METRICS.register_module()
class CheckoutMetric(BaseMetric):
    """cAcc, ACD, mCCD and mCIoU at the counting rule chosen on these very trays, and mAP50.

    The rule makes the four count metrics optimistic; they tell how a training goes. The report
    takes the rule from here and measures on other trays.

    Args:
        root: the store.
        source: "val".
        agnostic: as the data set's.
        **kwargs: of mmengine's `BaseMetric`.
    """

    default_prefix = "checkout"

    def __init__(
        self, root: str, source: Source = "val", agnostic: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self._truth, _ = read_source(root, source, agnostic=agnostic)

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Keep the detections of a batch, in pixels of the original photos."""
        for sample in data_samples:
            found = sample["pred_instances"]
            arrays = (found[key].cpu().numpy() for key in ("bboxes", "scores", "labels"))
            self.results.append((sample["img_id"], *arrays))

    def compute_metrics(self, results: list[Any]) -> dict[str, float]:
        """The metrics over all images that were seen."""
        found = {
            image_id: Detections(order_corners(boxes), scores, labels)
            for image_id, boxes, scores, labels in results
        }
        metrics, rule = evaluate(self._truth.subset(found), found)
        MessageHub.get_current_instance().update_info(COUNTING, rule)
        return metrics


def evaluate(
    truth: Dataset, found: Mapping[int, Detections]
) -> tuple[dict[str, float], dict[str, Any]]:
    """Metrics by name, and the counting rule as a dict.

    Args:
        truth: N trays.
        found: detections by image id; a missing image has none.
    """
    detections = [found.get(image.id, Detections.empty()) for image in truth.images]
    choice = choose_rule(detections, truth.counts())
    names = [spec.name for spec in metrics_of("counts")]
    metrics = {name: float(getattr(choice.metrics, name)) for name in names}
    precision = detection_metrics(truth, coco_results(truth, detections))
    return {**metrics, "mAP50": precision.mAP50}, choice.rule.to_dict()


def coco_results(truth: Dataset, detections: Sequence[Detections]) -> list[dict[str, Any]]:
    """COCO's results list of detections in the order of the images."""
    return [
        row
        for image, found in zip(truth.images, detections, strict=True)
        for row in to_coco(image.id, found, truth.taxonomy)
    ]


def to_coco(image_id: int, found: Detections, taxonomy: Taxonomy) -> list[dict[str, Any]]:
    """COCO's results of one photo, with `item_score` where it is known."""
    boxes = xyxy_to_xywh(found.boxes).tolist()
    rows = zip(boxes, found.scores.tolist(), found.labels.tolist(), strict=True)
    entries = [
        {
            "image_id": image_id,
            "category_id": taxonomy.category_id(label),
            "bbox": box,
            "score": score,
        }
        for box, score, label in rows
    ]
    if found.item_scores is not None:
        for entry, item_score in zip(entries, found.item_scores.tolist(), strict=True):
            entry["item_score"] = item_score
    return entries
