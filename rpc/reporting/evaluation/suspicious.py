"""Likely mistakes in a truth and in results, each told with numbers; no figure is changed.

`TESTS_OF_BOXES` and `TESTS_OF_LISTS` are the table of what is looked for; docs/metrics.md says
when each speaks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np

from rpc.data import Dataset
from rpc.data.suspicion import Suspicion
from rpc.data.suspicious_items import mixed, suspicious_items
from rpc.metrics.checkout import Counts
from rpc.metrics.detection import detection_metrics_by_group
from rpc.metrics.specs import METRICS
from rpc.metrics.suspicions.amounts import (
    boxes_cut_off,
    boxes_listed_twice,
    boxes_on_one_place,
    images_without_boxes,
    share_on_one_place,
)
from rpc.metrics.suspicions.box_forms import boxes_in_another_form
from rpc.metrics.suspicions.image_ids import (
    SHIFTS,
    boxes_of_other_images,
    boxes_on_no_item,
    boxes_out_of_the_image,
)
from rpc.metrics.suspicions.orders import Meant, other_meanings
from rpc.metrics.suspicions.sample import BoxSample, IntArray, xywh_corners
from rpc.metrics.suspicions.scores import one_sku_everywhere, suspicious_scores
from rpc.metrics.suspicions.shopping_lists import (
    lists_of_other_images,
    lists_of_other_skus,
    one_list_for_all,
)
from rpc.metrics.suspicions.sku_ids import boxes_under_other_skus
from rpc.reporting.evaluation.box_samples import Items, box_sample, joined, sample_rows
from rpc.reporting.evaluation.other_splits import boxes_of_another_split, names_of_other_splits
from rpc.reporting.evaluation.reading import Boxes, Reading
from rpc.structures.boxes import FloatArray, xyxy_to_xywh

LEAST_ON_ITEMS: Final = 0.2  # share of boxes, before their SKUs say anything
MORE_IMAGES: Final = 256  # where many boxes have another SKU than the item


def suspicions_of(dataset: Dataset, reading: Reading, *, with_map: bool = True) -> list[Suspicion]:
    """All suspicions about a truth and how its images were read.

    Args:
        dataset: N images with their true items.
        reading: of these images.
        with_map: whether mAP is reported: what pycocotools prints is told beside it.
    """
    found = suspicious_items(dataset)
    boxes = reading.boxes
    if boxes is None:
        return found + list(_of_lists(dataset, reading.counts))
    if with_map:
        found = [_with_their_map(one, dataset, boxes) for one in found]
    return found + list(_of_boxes(_Looked(dataset, boxes)))


def _with_their_map(one: Suspicion, dataset: Dataset, boxes: Boxes) -> Suspicion:
    """The suspicion about the annotation id 0 with both figures."""
    if one.kind != "annotation_id_0":
        return one
    ours, theirs = (
        detection_metrics_by_group(dataset, boxes.results, {"": None}, lose_id_0=lose)[""]
        for lose in (False, True)
    )
    told = "; ".join(
        f"{name} is {METRICS[name].unit_text(getattr(ours, name))} here, pycocotools prints "
        f"{METRICS[name].unit_text(getattr(theirs, name))}"
        for name in ("mAP50", "mmAP")
    )
    return replace(one, what=f"{one.what} ({told})")


@dataclass(frozen=True, eq=False)
class _Looked:
    """Boxes beside a truth, with what several tests want."""

    dataset: Dataset
    boxes: Boxes

    @cached_property
    def items(self) -> Items:
        return Items(self.dataset)

    @cached_property
    def per_image(self) -> IntArray:
        return np.bincount(self.boxes.results.rows, minlength=len(self.dataset))

    @cached_property
    def rows(self) -> IntArray:
        return sample_rows(self.per_image)

    @cached_property
    def sample(self) -> BoxSample:
        return box_sample(self.boxes.results.detections, self.items, self.rows)

    @property
    def threshold(self) -> float:
        return self.boxes.rule.threshold


def _of_boxes(looked: _Looked) -> Iterator[Suspicion]:
    """Where the boxes lie explains the rest: the first explanation is the only one of its kind."""
    for one in TESTS_OF_BOXES:
        yield from one(looked)


def _scores(looked: _Looked) -> Iterator[Suspicion]:
    results = looked.boxes.results
    copies = 0
    scores = looked.boxes.scores
    if len(results) and scores.min() == scores.max():
        rows, labels = looked.dataset.places()
        corners = np.array([a.bbox for a in looked.dataset.annotations], np.float64).reshape(-1, 4)
        true = mixed(rows, labels, _thousandths(xyxy_to_xywh(corners)))
        mine = mixed(results.rows, results.labels, _thousandths(results.boxes))
        copies = int(np.isin(mine, true).sum())
    found = suspicious_scores(scores, looked.threshold, copies)
    if found is not None:
        yield found


def _thousandths(boxes: FloatArray) -> FloatArray:
    return np.asarray(np.round(boxes, 3))


def _places(looked: _Looked) -> Iterator[Suspicion]:
    """Boxes on no item: in another form or scale, of other images, or without a reason."""
    results, sample = looked.boxes.results, looked.sample
    yield from boxes_out_of_the_image(results.boxes, results.rows, looked.items.sizes)
    if not len(sample):
        return
    found = (
        boxes_in_another_form(sample)
        or boxes_of_other_images(sample, looked.rows, _of_images(looked.dataset), looked.items.of)
        or boxes_of_another_split(sample, looked.rows, looked.dataset)
        or boxes_on_no_item(sample)
    )
    if found is not None:
        yield found


def _skus(looked: _Looked) -> Iterator[Suspicion]:
    """Right boxes under other SKUs; of more images where many are wrong."""
    sample = looked.sample
    for most in (len(looked.rows), MORE_IMAGES):
        if most > len(looked.rows):
            rows = sample_rows(looked.per_image, most)
            sample = box_sample(looked.boxes.results.detections, looked.items, rows)
        box, item = sample.nearest(xywh_corners(sample.boxes))
        named, true = sample.labels[box], sample.item_labels[item]
        on_items = len(named) / max(len(sample), 1)
        if on_items < LEAST_ON_ITEMS or (named != true).mean() < 0.2:
            return
    taxonomy = looked.dataset.taxonomy
    labels = np.concatenate([one.labels for one in looked.boxes.counted])
    found = one_sku_everywhere(labels, looked.dataset.places()[1], taxonomy.names)
    if found is None:
        others = names_of_other_splits(looked.dataset) if (named != true).mean() >= 0.5 else ()
        found = boxes_under_other_skus(
            named, true, sample.rows[box], taxonomy.ids, taxonomy.names, others
        )
    if found is not None:
        yield found


def _amounts(looked: _Looked) -> Iterator[Suspicion]:
    results, items = looked.boxes.results, looked.items
    lowest = np.ones(len(looked.dataset))
    np.minimum.at(lowest, results.rows, looked.boxes.scores)
    rows = looked.rows
    beside = items.of(rows)
    in_truth = share_on_one_place(beside.item_rows, beside.item_labels, beside.items)
    twice = boxes_listed_twice(results.rows, results.labels, results.boxes)
    for found in (
        twice,
        None if twice else boxes_on_one_place(*joined(looked.boxes.counted, rows), in_truth),
        images_without_boxes(looked.per_image, items.per_image),
        boxes_cut_off(looked.per_image, lowest, items.per_image, looked.threshold),
    ):
        if found is not None:
            yield found


TESTS_OF_BOXES: Final[tuple[Callable[[_Looked], Iterator[Suspicion]], ...]] = (
    _places,
    _skus,
    _amounts,
    _scores,
)


def _of_lists(dataset: Dataset, counts: Counts) -> Iterator[Suspicion]:
    """Suspicions about shopping lists without boxes."""
    true, taxonomy = dataset.counts(), dataset.taxonomy
    found = one_list_for_all(counts, true) or (
        lists_of_other_skus(counts, true, taxonomy.ids, taxonomy.names)
        or lists_of_other_images(counts, true, _of_images(dataset))
    )
    if found is not None:
        yield found


def _of_images(dataset: Dataset) -> list[Meant]:
    """Ways in which the ids of images may have been mistaken."""
    ids = [image.id for image in dataset.images]
    names = [image.file_name for image in dataset.images]
    ways = list(other_meanings(ids, names, SHIFTS, ids_are="image ids", entries="images"))
    return ways
