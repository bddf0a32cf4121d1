"""Agreement with pycocotools, case by case: seeded, named edges, and whatever hypothesis finds."""

import contextlib
import copy
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from rpc.metrics import FoundBoxes, detection_metrics, detection_metrics_by_group
from rpc.metrics.box_matching import ItemBoxes, match_boxes

IDS = [40, 7, 19, 3, 88]  # of the images: neither ascending nor consecutive


def by_pycocotools(truth, results, image_ids=None):
    """(mAP50, mmAP), by the tool itself with all its settings."""
    truth, results = copy.deepcopy((truth, results))
    with contextlib.redirect_stdout(io.StringIO()):
        gt, dt = COCO(), COCO()
        gt.dataset = truth
        for number, r in enumerate(results, start=1):
            r |= {"id": number, "area": r["bbox"][2] * r["bbox"][3], "iscrowd": 0}
        dt.dataset = {**truth, "annotations": results}
        for coco in (gt, dt):
            coco.createIndex()
        evaluation = COCOeval(gt, dt, "bbox")
        if image_ids is not None:
            evaluation.params.imgIds = list(image_ids)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return tuple(max(0.0, evaluation.stats[n]) for n in (1, 0))  # -1: no items


def agree(truth, results, image_ids=None):
    ours = detection_metrics(truth, results, image_ids)
    expected = by_pycocotools(truth, results, image_ids)
    assert (ours.mAP50, ours.mmAP) == pytest.approx(expected, abs=1e-9)


def item(image, sku, box, **more):
    return {"image_id": image, "category_id": sku, "bbox": box, "area": box[2] * box[3], **more}


def coco(items, skus=3, images=IDS):
    numbered = [{"id": n, "iscrowd": 0, **a} for n, a in enumerate(items, start=1)]
    return {
        "images": [{"id": i, "file_name": f"{i}.jpg", "width": 99, "height": 99} for i in images],
        "categories": [{"id": k + 1, "name": f"sku {k}"} for k in range(skus)],
        "annotations": numbered,
    }


def found(image, sku, box, score):
    return {"image_id": image, "category_id": sku, "bbox": box, "score": score}


# A coarse grid: overlaps, equal IoUs, equal scores and IoUs of just 0.5 must be drawn often.
places = st.tuples(*[st.integers(0, 3)] * 2, *[st.integers(0, 4)] * 2).map(list)
skus = st.integers(1, 3)


@st.composite
def cases(draw):
    items = draw(
        st.lists(
            st.builds(
                item,
                st.sampled_from(IDS),
                skus,
                places,
                iscrowd=st.sampled_from([0, 0, 0, 1]),
            ),
            max_size=12,
        )
    )
    scores = st.sampled_from([0.0, 0.5, 0.5, 0.9]) | st.floats(0, 1)
    boxes = st.builds(found, st.sampled_from(IDS), skus, places, scores)
    return coco(items), draw(st.lists(boxes, max_size=20))


@settings(max_examples=300)
@given(cases())
def test_any_small_case_agrees(case):
    agree(*case)


@given(cases(), st.lists(st.sampled_from(IDS), unique=True, min_size=1))
def test_any_group_of_images_agrees(case, image_ids):
    agree(*case, image_ids)


def seeded(seed, images, skus, items, boxes, decimals):
    """A middling detector's boxes, of many images."""
    rng = np.random.default_rng(seed)
    ids = rng.permutation(10 * images)[:images].tolist()
    truth, results = [], []
    for i in ids:
        there = []
        for _ in range(items):
            box = np.round(rng.random(4) * [50, 50, 30, 30] + [0, 0, 8, 8], 1).tolist()
            there.append((int(rng.integers(1, skus + 1)), box))
            truth.append(item(i, *there[-1]))
        for _ in range(rng.integers(0, boxes + 1)):
            sku, box = there[rng.integers(items)]
            moved = np.round(np.array(box) + rng.normal(0, 2, 4), 1)
            sku = sku if rng.random() < 0.8 else int(rng.integers(1, skus + 1))
            box = np.maximum(moved, [0, 0, 1, 1]).tolist()
            results.append(found(i, sku, box, round(float(rng.random()), decimals)))
    return coco(truth, skus, ids), results


@pytest.mark.parametrize(
    "size",
    [(5, 2, 4, 8, 1), (40, 6, 6, 20, 2), (120, 20, 12, 30, 6)],
    ids=["small", "middling", "large"],
)
@pytest.mark.parametrize("seed", range(2))
def test_seeded_data_of_three_sizes_agree(seed, size):
    agree(*seeded(seed, *size))


BOX = [10, 10, 20, 20]


@pytest.mark.parametrize(
    ("items", "results"),
    [
        pytest.param([item(7, 1, BOX)], [], id="no detections"),
        pytest.param([], [found(7, 1, BOX, 0.5)], id="no items"),
        pytest.param([item(7, 1, BOX)], [found(7, 2, BOX, 0.5)], id="SKU absent from the truth"),
        pytest.param([item(7, 1, BOX)], [found(3, 1, BOX, 0.5)], id="item and box on two images"),
        pytest.param(
            [item(7, 1, BOX), item(3, 1, BOX)],
            [found(40, 1, BOX, 0.5), found(7, 1, BOX, 0.5), found(3, 1, BOX, 0.5)],
            id="equal scores on several images",
        ),
        pytest.param(
            [item(7, 1, BOX)], [found(7, 1, BOX, s) for s in (0.5, 0.5, 0.9)], id="duplicate boxes"
        ),
        pytest.param(
            [item(7, 1, BOX), item(7, 1, BOX)], [found(7, 1, BOX, 0.5)], id="duplicate items"
        ),
        pytest.param(
            [item(7, 1, [0, 0, 0, 9]), item(7, 1, BOX)],
            [found(7, 1, [0, 0, 0, 9], 0.9), found(7, 1, [5, 5, 0, 0], 0.8)],
            id="boxes without area",
        ),
        pytest.param(
            [item(7, 1, BOX, iscrowd=1), item(7, 1, [12, 10, 20, 20])],
            [found(7, 1, BOX, s) for s in (0.9, 0.8, 0.7)],
            id="a crowd takes every box that is left",
        ),
        pytest.param(
            [item(7, 1, BOX), item(3, 1, BOX)],
            [found(7, 1, [10, 10, 20, 20 + n / 9], 1 - n / 150) for n in range(130)],
            id="more than 100 boxes of a SKU on an image",
        ),
        pytest.param(
            [item(7, 1, BOX)],
            [found(7, 2, BOX, 0.9 - n / 999) for n in range(130)] + [found(7, 1, BOX, 0.1)],
            id="more than 100 boxes on an image, the right one last",
        ),
        pytest.param([item(7, 1, BOX)], [found(7, 1, [10, 10, 20, 10], 0.5)], id="an IoU of 0.5"),
        pytest.param(
            [item(7, 1, BOX), item(7, 1, [0, 0, 2e5, 2e5])],
            [found(7, 1, [0, 0, 2e5, 2e5], 0.9), found(7, 1, [0, 0, 3e5, 3e5], 0.8)],
            id="larger than COCO's area range",
        ),
    ],
)
def test_named_edges_agree(items, results):
    agree(coco(items), results)


@settings(max_examples=50)
@given(cases())
def test_the_annotation_id_0_counts_as_pycocotools_counts_it_by_another_id(case):
    truth, results = case
    from_0 = [{**a, "id": a["id"] - 1} for a in truth["annotations"]]
    ours = detection_metrics({**truth, "annotations": from_0}, results)
    assert ours == detection_metrics(truth, results)
    assert (ours.mAP50, ours.mmAP) == pytest.approx(by_pycocotools(truth, results), abs=1e-9)


@settings(max_examples=50)
@given(cases())
def test_with_the_annotation_id_0_pycocotools_prints_what_we_say_it_does(case):
    truth, results = case
    from_0 = {**truth, "annotations": [{**a, "id": a["id"] - 1} for a in truth["annotations"]]}
    lost = detection_metrics_by_group(from_0, results, {"": None}, lose_id_0=True)[""]
    assert (lost.mAP50, lost.mmAP) == pytest.approx(by_pycocotools(from_0, results), abs=1e-9)


def test_one_item_with_the_annotation_id_0_is_found():
    truth, results = coco([item(7, 1, BOX, id=0)]), [found(7, 1, BOX, 0.9)]
    assert detection_metrics(truth, results).mAP50 == 1.0
    assert by_pycocotools(truth, results) == (0.0, 0.0)


def test_the_worked_example_of_the_docs():
    square = [0, 0, 100, 100]
    truth = coco([item(7, 1, square), item(3, 1, square)])
    results = [
        found(7, 1, [0, 0, 100, 72], 0.9),
        found(7, 1, [500, 0, 100, 72], 0.8),
        found(3, 1, [0, 0, 100, 92], 0.6),
    ]
    half, tight = (51 + 50 * 2 / 3) / 101, (51 / 3) / 101
    metrics = detection_metrics(truth, results)
    assert metrics.mAP50 == pytest.approx(half) == pytest.approx(0.835, abs=5e-4)
    assert metrics.mmAP == pytest.approx((5 * half + 4 * tight) / 10)
    assert metrics.mmAP == pytest.approx(0.485, abs=5e-4)
    agree(truth, results)


def test_levels_agree_and_are_what_each_of_them_is_alone():
    truth, results = seeded(5, 30, 4, 5, 12, 2)
    ids = [image["id"] for image in truth["images"]]
    groups = {"easy": ids[::3], "medium": ids[1::3], "hard": ids[2::3], "averaged": None}
    for name, metrics in detection_metrics_by_group(truth, results, groups).items():
        assert metrics == detection_metrics(truth, results, groups[name])
        expected = by_pycocotools(truth, results, groups[name])
        assert (metrics.mAP50, metrics.mmAP) == pytest.approx(expected, abs=1e-9)


@given(cases())
def test_a_box_is_right_or_ignored_and_an_item_found_once(case):
    truth, results = case
    items = ItemBoxes(
        rows=np.array([IDS.index(a["image_id"]) for a in truth["annotations"]], dtype=np.int64),
        labels=np.array([a["category_id"] for a in truth["annotations"]], dtype=np.int64),
        boxes=np.array([a["bbox"] for a in truth["annotations"]], dtype=float).reshape(-1, 4),
        crowd=np.zeros(len(truth["annotations"]), dtype=bool),
        ignored=np.zeros(len(truth["annotations"]), dtype=bool),
        nameless=np.zeros(len(truth["annotations"]), dtype=bool),
    )
    boxes = FoundBoxes(
        rows=np.array([IDS.index(r["image_id"]) for r in results], dtype=np.int64),
        labels=np.array([r["category_id"] for r in results], dtype=np.int64),
        boxes=np.array([r["bbox"] for r in results], dtype=float).reshape(-1, 4),
        scores=np.array([r["score"] for r in results], dtype=float),
    )
    matches = match_boxes(items, boxes)
    assert not (matches.right & matches.ignored).any()
    assert not matches.ignored.any()
    for t in range(10):
        right = int((matches.right >> t & 1).sum())
        assert right <= min(len(items.rows), len(boxes.rows))
        stricter = int((matches.right >> t + 1 & 1).sum()) if t < 9 else 0
        # A stricter IoU may match otherwise, but with one box a cell it never finds more.
        cells = boxes.rows * 9 + boxes.labels
        assert len(np.unique(cells)) < len(cells) or stricter <= right
