"""The validation metric on trays whose answer is known."""

import numpy as np
import pytest
import torch
from mmengine.logging import MessageHub

from rpc.detection.dataset import read_source
from rpc.detection.metric import CheckoutMetric, coco_results, evaluate, to_coco
from rpc.detection.resume import COUNTING
from rpc.structures import Detections, xywh_to_xyxy


def perfect(truth, keep=lambda position: True):
    found = {}
    for image in truth.images:
        items = [a for n, a in enumerate(truth.annotations_of(image.id)) if keep(n)]
        labels = truth.taxonomy.labels(a.category_id for a in items)
        found[image.id] = Detections([a.bbox for a in items], np.full(len(items), 0.9), labels)
    return found


def test_perfect_detections_are_perfect(tiny_store):
    truth, _ = read_source(tiny_store, "val")
    metrics, rule = evaluate(truth, perfect(truth))
    assert metrics == pytest.approx({"cAcc": 1, "ACD": 0, "mCCD": 0, "mCIoU": 1, "mAP50": 1})
    assert 0 < rule["threshold"] <= 0.9


def test_a_tray_with_nothing_detected_still_counts(tiny_store):
    truth, _ = read_source(tiny_store, "val")
    found = perfect(truth)
    del found[truth.images[0].id]
    metrics, _ = evaluate(truth, found)
    assert metrics["cAcc"] == pytest.approx(1 - 1 / len(truth))


def test_one_item_missed_on_every_tray_is_an_acd_of_one(tiny_store):
    truth, _ = read_source(tiny_store, "val")
    metrics, _ = evaluate(truth, perfect(truth, keep=lambda position: position > 0))
    assert (metrics["cAcc"], metrics["ACD"]) == (0, 1)


def test_coco_results_hold_the_files_ids_and_boxes(tiny_store):
    truth, _ = read_source(tiny_store, "val")
    found = perfect(truth)
    rows = coco_results(truth, [found[image.id] for image in truth.images])
    assert [r["category_id"] for r in rows] == [a.category_id for a in truth.annotations]
    assert [r["image_id"] for r in rows] == [a.image_id for a in truth.annotations]
    boxes = xywh_to_xyxy([r["bbox"] for r in rows])
    assert np.allclose(boxes, [a.bbox for a in truth.annotations])


def test_coco_results_have_item_scores_where_they_are_known(tiny_store):
    truth, _ = read_source(tiny_store, "val")
    first = truth.images[0].id
    found = perfect(truth)[first]
    assert all("item_score" not in row for row in to_coco(first, found, truth.taxonomy))
    items = np.linspace(0.9, 1, len(found))
    known = Detections(found.boxes, found.scores, found.labels, items)
    rows = to_coco(first, known, truth.taxonomy)
    assert [row["item_score"] for row in rows] == items.tolist()


def test_the_rule_is_left_for_the_model_file_and_odd_boxes_do_no_harm(tiny_store):
    hub = MessageHub.get_instance("test_metric")
    metric = CheckoutMetric(str(tiny_store))
    truth, _ = read_source(tiny_store, "val")
    reversed_order = {
        "bboxes": torch.tensor([[50.0, 40.0, 10.0, 20.0]]),  # an untrained model's: inside out
        "scores": torch.tensor([0.7]),
        "labels": torch.tensor([1]),
    }
    samples = [{"img_id": image.id, "pred_instances": reversed_order} for image in truth.images]
    metric.process(None, samples)
    values = metric.evaluate(len(samples))
    assert set(values) == {f"checkout/{n}" for n in ("cAcc", "ACD", "mCCD", "mCIoU", "mAP50")}
    assert "threshold" in hub.get_info(COUNTING)
