"""A COCO results file beside the data set it is about: read with checks, or made of detections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rpc.data import DataError, Dataset
from rpc.data.files import read_json_value
from rpc.structures import Detections, xywh_to_xyxy, xyxy_to_xywh
from rpc.structures.boxes import FloatArray

FIELDS = ("image_id", "category_id", "bbox", "score")


@dataclass(frozen=True, eq=False)
class Results:
    """What a detector said of the images of one data set, raw: no threshold applied.

    Attributes:
        entries: COCO results, as the file has them: for mAP.
        detections: one for each image, in the data set's order, empty ones included: for counting.
    """

    entries: tuple[Mapping[str, Any], ...]
    detections: tuple[Detections, ...]


def read_results(path: str | Path, dataset: Dataset) -> Results:
    """Read `detections.json`; an empty list is legal: nothing was detected anywhere.

    Args:
        path: a JSON list of `{"image_id", "category_id", "bbox": [x, y, w, h], "score"}`.
        dataset: the images and SKUs that the results are about.

    Raises:
        DataError: the file is not such a list, an entry lacks a field, an image or SKU is not in
            the data set, a number is not finite, a box has a negative size, or a score is not
            within 0 to 1. The message says which entry (counted from 0).
    """
    entries = read_json_value(path)
    if not isinstance(entries, list):
        raise DataError(f"{path}: expected a COCO results list [{{...}}, ...]")
    return results_of_entries(entries, dataset, str(path))


def results_of_entries(
    entries: Sequence[Mapping[str, Any]], dataset: Dataset, where: str = "results"
) -> Results:
    """`read_results` of a list that is in memory; `where` names it in messages.

    Raises:
        DataError: as `read_results`.
    """
    _require_fields(entries, where)
    rows = _look_up(
        entries,
        "image_id",
        {image.id: row for row, image in enumerate(dataset.images)},
        f"{where}: %s: image_id %s is none of the {len(dataset)} images of {_name(dataset)}; "
        "are these results of another data set or split?",
    )
    labels = _look_up(
        entries,
        "category_id",
        {number: label for label, number in enumerate(dataset.taxonomy.ids)},
        f"{where}: %s: category_id %s is none of the {len(dataset.taxonomy)} SKUs of "
        f"{_name(dataset)}",
    )
    boxes, scores = _numbers(entries, where)
    order = np.argsort(rows, kind="stable")
    ends = np.cumsum(np.bincount(rows, minlength=len(dataset)))[:-1]
    return Results(
        entries=tuple(entries),
        detections=tuple(
            Detections(xywh_to_xyxy(boxes[part]), scores[part], labels[part])
            for part in np.split(order, ends)
        ),
    )


def results_of_detections(detections: Sequence[Detections], dataset: Dataset) -> Results:
    """Results of raw detections, one for each image in the data set's order.

    Raises:
        ValueError: as many detections as images are not there.
        DataError: a label is no SKU of the data set.
    """
    if len(detections) != len(dataset):
        raise ValueError(
            f"results: expected detections of {len(dataset)} images, got {len(detections)}"
        )
    entries = [
        {
            "image_id": image.id,
            "category_id": dataset.taxonomy.category_id(label),
            "bbox": box,
            "score": score,
        }
        for image, one in zip(dataset.images, detections, strict=True)
        for box, score, label in zip(
            xyxy_to_xywh(one.boxes).tolist(),
            one.scores.tolist(),
            one.labels.tolist(),
            strict=True,
        )
    ]
    return Results(entries=tuple(entries), detections=tuple(detections))


def _require_fields(entries: Sequence[Mapping[str, Any]], where: str) -> None:
    for number, entry in enumerate(entries):
        if not isinstance(entry, Mapping):
            raise DataError(f"{where}: entry {number}: expected an object, got {entry!r:.60}")
        for name in FIELDS:
            if name not in entry:
                raise DataError(
                    f"{where}: entry {number}: the field '{name}' is missing; "
                    f"expected {', '.join(FIELDS)}"
                )


def _look_up(
    entries: Sequence[Mapping[str, Any]], name: str, places: Mapping[int, int], message: str
) -> NDArray[np.int64]:
    """The place (M,) of each entry's id; `message` takes the entry and the id."""
    found = np.empty(len(entries), dtype=np.int64)
    for number, entry in enumerate(entries):
        value = entry[name]
        place = places.get(value) if type(value) is int else None
        if place is None:
            raise DataError(message % (f"entry {number}", f"{value!r:.40}"))
        found[number] = place
    return found


def _numbers(entries: Sequence[Mapping[str, Any]], where: str) -> tuple[FloatArray, FloatArray]:
    """Boxes (M, 4) xywh in pixels and scores (M,)."""
    for number, entry in enumerate(entries):
        box, score = entry["bbox"], entry["score"]
        shaped = isinstance(box, list | tuple) and len(box) == 4 and all(map(_is_number, box))
        if not shaped:
            raise _bad(where, number, "bbox", "[x, y, width, height] in pixels", box)
        if not _is_number(score):
            raise _bad(where, number, "score", "a number 0 to 1", score)
    boxes = np.array([entry["bbox"] for entry in entries], dtype=np.float64).reshape(-1, 4)
    scores = np.array([entry["score"] for entry in entries], dtype=np.float64)
    good = np.isfinite(boxes).all(axis=1) & (boxes[:, 2:] >= 0).all(axis=1)
    if not good.all():
        number = int(np.flatnonzero(~good)[0])
        expected = "finite numbers [x, y, width, height], width and height >= 0"
        raise _bad(where, number, "bbox", expected, entries[number]["bbox"])
    good = (scores >= 0) & (scores <= 1)  # false for NaN
    if not good.all():
        number = int(np.flatnonzero(~good)[0])
        raise _bad(where, number, "score", "a number 0 to 1", entries[number]["score"])
    return boxes, scores


def _bad(where: str, number: int, name: str, expected: str, value: object) -> DataError:
    return DataError(f"{where}: entry {number}: {name}: expected {expected}, got {value!r:.80}")


def _is_number(value: object) -> bool:
    # Whole numbers beyond the range of a float would overflow later on.
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return isinstance(value, float) or abs(value) < 10**15


def _name(dataset: Dataset) -> str:
    return str(dataset.path) if dataset.path else "the data set"
