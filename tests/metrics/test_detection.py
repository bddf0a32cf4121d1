import contextlib
import io
import json
from pathlib import Path

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from rpc.data import read_dataset
from rpc.metrics import detection_metrics, detection_metrics_by_group

TEST_JSON = Path(__file__).parents[2] / "examples" / "ministore" / "instances_test.json"


def noisy_results(raw, seed, keep=0.8):
    """Detections as a middling detector gives them: moved, sometimes misnamed, sometimes none."""
    rng = np.random.default_rng(seed)
    ids = [c["id"] for c in raw["categories"]]
    results = []
    for a in raw["annotations"]:
        if rng.random() > keep:
            continue
        box = np.array(a["bbox"]) + rng.normal(0, 8, 4)
        label = a["category_id"] if rng.random() < 0.85 else int(rng.choice(ids))
        results.append(
            {
                "image_id": a["image_id"],
                "category_id": label,
                "bbox": np.r_[box[:2], np.maximum(box[2:], 1)].tolist(),
                "score": float(rng.random()),
            }
        )
    return results


def by_pycocotools(raw, results, image_ids=None):
    with contextlib.redirect_stdout(io.StringIO()):
        gt = COCO()
        gt.dataset = json.loads(json.dumps(raw))
        gt.createIndex()
        evaluation = COCOeval(gt, gt.loadRes(json.loads(json.dumps(results))), "bbox")
        if image_ids is not None:
            evaluation.params.imgIds = list(image_ids)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats[1], evaluation.stats[0]


@pytest.fixture(scope="module")
def raw():
    return json.loads(TEST_JSON.read_text(encoding="utf-8-sig"))


@pytest.mark.parametrize("seed", range(3))
def test_the_metrics_agree_with_pycocotools_used_directly(raw, seed):
    results = noisy_results(raw, seed)
    expected = by_pycocotools(raw, results)
    for truth in (raw, read_dataset(TEST_JSON)):
        metrics = detection_metrics(truth, results)
        assert (metrics.mAP50, metrics.mmAP) == pytest.approx(expected, abs=1e-12)
    assert 0.1 < metrics.mmAP < metrics.mAP50 < 1


def test_levels_agree_with_pycocotools_on_their_images(raw):
    results = noisy_results(raw, 7)
    groups = {
        level: [i["id"] for i in raw["images"] if i["level"] == level]
        for level in ("easy", "medium", "hard")
    }
    for level, metrics in detection_metrics_by_group(raw, results, groups).items():
        expected = by_pycocotools(raw, results, groups[level])
        assert (metrics.mAP50, metrics.mmAP) == pytest.approx(expected, abs=1e-12)


def test_a_sku_without_items_is_left_out_of_the_mean(raw):
    absent = raw["categories"][0]["id"]
    fewer = {
        **raw,
        "annotations": [a for a in raw["annotations"] if a["category_id"] != absent],
    }
    results = noisy_results(raw, 3)
    metrics = detection_metrics(fewer, results)
    expected = by_pycocotools(fewer, results)
    assert (metrics.mAP50, metrics.mmAP) == pytest.approx(expected, abs=1e-12)


def test_the_truth_itself_scores_one(raw):
    results = [
        {k: a[k] for k in ("image_id", "category_id", "bbox")} | {"score": 0.9}
        for a in raw["annotations"]
    ]
    metrics = detection_metrics(raw, results)
    assert (metrics.mAP50, metrics.mmAP) == pytest.approx((1.0, 1.0))


def test_no_detection_at_all_scores_zero(raw):
    metrics = detection_metrics(raw, [])
    assert (metrics.mAP50, metrics.mmAP) == (0.0, 0.0)


def test_images_without_items_score_zero(raw):
    empty = {**raw, "annotations": []}
    assert detection_metrics(empty, noisy_results(raw, 0)).mAP50 == 0.0
    assert detection_metrics(raw, noisy_results(raw, 0), image_ids=[]).mAP50 == 0.0


def test_nothing_is_printed_and_the_arguments_stay_as_they_were(raw, capsys):
    results = noisy_results(raw, 1)
    before = json.dumps([raw, results])
    detection_metrics(raw, results)
    assert capsys.readouterr().out == ""
    assert json.dumps([raw, results]) == before


def test_a_truth_without_area_and_iscrowd_is_enough(raw):
    bare = {
        **raw,
        "annotations": [
            {k: a[k] for k in ("id", "image_id", "category_id", "bbox")} for a in raw["annotations"]
        ],
    }
    results = noisy_results(raw, 2)
    assert detection_metrics(bare, results) == detection_metrics(raw, results)


def test_an_unknown_image_is_refused(raw):
    result = {"image_id": 999, "category_id": 1, "bbox": [0, 0, 5, 5], "score": 1.0}
    with pytest.raises(ValueError, match="results: no image of the truth has the id 999"):
        detection_metrics(raw, [result])
    with pytest.raises(ValueError, match="no image of the truth has the id 77"):
        detection_metrics(raw, [], image_ids=[77])
