"""mAP50 and mmAP of the raw boxes, as pycocotools defines them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from operator import attrgetter
from typing import Any

import numpy as np

from rpc.data.dataset import Dataset
from rpc.metrics.average_precision import average_precisions
from rpc.metrics.box_matching import (
    LARGEST_AREA,
    BoolArray,
    FoundBoxes,
    IntArray,
    ItemBoxes,
    match_boxes,
)
from rpc.structures.boxes import FloatArray, xyxy_to_xywh

Truth = Dataset | Mapping[str, Any]
Found = FoundBoxes | Sequence[Mapping[str, Any]]


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
    truth: Truth, results: Found, image_ids: Collection[int] | None = None
) -> DetectionMetrics:
    """mAP50 and mmAP over all raw detections, as pycocotools computes them: no threshold.

    Of one SKU on one image the 100 best boxes are taken, as there. An item with the annotation id 0
    counts like any other: pycocotools gives the same figure with ids from 1 on.

    Args:
        truth: a data set, or the object of its COCO JSON.
        results: boxes by row and label of `truth`; or COCO results: `image_id`, `category_id`,
            `bbox` (x, y, w, h in pixels), `score`.
        image_ids: only these images; all of them where it is None.

    Returns:
        The metrics; 0 where nothing is detected, or where no item is on these images.

    Raises:
        ValueError: a result or `image_ids` names an image that the truth does not have.
    """
    return detection_metrics_by_group(truth, results, {"": image_ids})[""]


def detection_metrics_by_group(
    truth: Truth,
    results: Found,
    groups: Mapping[str, Collection[int] | None],
    *,
    lose_id_0: bool = False,
) -> dict[str, DetectionMetrics]:
    """`detection_metrics` of several sets of images, such as the clutter levels, by name.

    Boxes are matched once: an image is matched the same way in every set.

    Args:
        truth: as in `detection_metrics`.
        results: likewise.
        groups: ids of images by name; all of them where it is None.
        lose_id_0: never find the item with the annotation id 0, as pycocotools does: it takes this
            0 for "no match". For the figure that it prints, which is too low.

    Raises:
        ValueError: as in `detection_metrics`.
    """
    image_ids, sku_ids, items = (
        _of_dataset(truth) if isinstance(truth, Dataset) else _of_coco(truth)
    )
    found = results if isinstance(results, FoundBoxes) else _of_entries(results, image_ids, sku_ids)
    # pycocotools goes through the images by ascending id, which decides between equal scores.
    place = np.argsort(np.argsort(image_ids))
    lost = items.nameless & lose_id_0
    items = replace(items, rows=place[items.rows], nameless=lost)
    members = {
        name: _members(np.sort(image_ids), ids, f"group {name!r}") for name, ids in groups.items()
    }
    matches = match_boxes(
        items, FoundBoxes(place[found.rows], found.labels, found.boxes, found.scores)
    )
    return {
        name: _metrics(average_precisions(matches, items, images))
        for name, images in members.items()
    }


def _metrics(precisions: FloatArray) -> DetectionMetrics:
    """The means of (T, K)."""
    if precisions.size == 0:
        return DetectionMetrics(0.0, 0.0)
    return DetectionMetrics(mAP50=float(precisions[0].mean()), mmAP=float(precisions.mean()))


def _of_dataset(truth: Dataset) -> tuple[IntArray, IntArray, ItemBoxes]:
    """Ids of the N images by row, ids of the K SKUs by label, and the items."""
    rows, labels = truth.places()
    corners = chain.from_iterable(map(attrgetter("bbox"), truth.annotations))
    boxes = xyxy_to_xywh(np.fromiter(corners, np.float64, 4 * len(rows)).reshape(-1, 4))
    boxes[:, 2:] = np.round(boxes[:, 2:], 6)  # as in the file: x + w - x is not quite w
    areas = np.fromiter(map(attrgetter("area"), truth.annotations), np.float64, len(rows))
    has_id_0 = np.fromiter((one.id == 0 for one in truth.annotations), np.bool_, len(rows))
    none = np.zeros(len(rows), dtype=np.bool_)
    image_ids = np.array([image.id for image in truth.images], dtype=np.int64)
    items = ItemBoxes(rows, labels, boxes, none, areas > LARGEST_AREA, has_id_0)
    return image_ids, np.array(truth.taxonomy.ids), items


def _of_coco(truth: Mapping[str, Any]) -> tuple[IntArray, IntArray, ItemBoxes]:
    """`_of_dataset` of a JSON object; what is on no image or of no SKU of it is left out."""
    image_ids, sku_ids = (
        np.array([entry["id"] for entry in truth[name]], dtype=np.int64)
        for name in ("images", "categories")
    )
    rows, labels, entries = _placed(truth["annotations"], image_ids, sku_ids)
    boxes = np.array([entry["bbox"] for entry in entries], dtype=np.float64).reshape(-1, 4)
    areas = np.array([entry.get("area", 0.0) for entry in entries], dtype=np.float64)
    crowd = np.array([bool(entry.get("iscrowd")) for entry in entries], dtype=np.bool_)
    ids = np.array([entry["id"] for entry in entries])
    outside = (areas < 0) | (areas > LARGEST_AREA)
    return image_ids, sku_ids, ItemBoxes(rows, labels, boxes, crowd, crowd | outside, ids == 0)


def _of_entries(
    results: Sequence[Mapping[str, Any]], image_ids: IntArray, sku_ids: IntArray
) -> FoundBoxes:
    """The boxes of COCO results; those of a SKU that the truth does not know are left out."""
    unknown = {entry["image_id"] for entry in results} - set(image_ids.tolist())
    if unknown:
        raise ValueError(f"results: no image of the truth has the id {min(unknown)}")
    rows, labels, entries = _placed(results, image_ids, sku_ids)
    boxes = np.array([entry["bbox"] for entry in entries], dtype=np.float64).reshape(-1, 4)
    scores = np.array([entry["score"] for entry in entries], dtype=np.float64)
    return FoundBoxes(rows, labels, boxes, scores)


def _placed(
    entries: Sequence[Mapping[str, Any]], image_ids: IntArray, sku_ids: IntArray
) -> tuple[IntArray, IntArray, list[Mapping[str, Any]]]:
    """Row and label of the entries that have both, and these entries."""
    rows = {number: row for row, number in enumerate(image_ids.tolist())}
    labels = {number: label for label, number in enumerate(sku_ids.tolist())}
    known = [e for e in entries if e["image_id"] in rows and e["category_id"] in labels]
    return (
        np.array([rows[entry["image_id"]] for entry in known], dtype=np.int64),
        np.array([labels[entry["category_id"]] for entry in known], dtype=np.int64),
        known,
    )


def _members(image_ids: IntArray, wanted: Collection[int] | None, what: str) -> BoolArray:
    """Which of the N images are wanted; all of them where it is None."""
    if wanted is None:
        return np.ones(len(image_ids), dtype=np.bool_)
    ids = np.array(sorted(wanted), dtype=np.int64)
    unknown = ids[~np.isin(ids, image_ids)]
    if len(unknown):
        raise ValueError(f"{what}: no image of the truth has the id {unknown[0]}")
    return np.isin(image_ids, ids)
