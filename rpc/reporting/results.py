"""A COCO results file beside the data set it is about: read with checks, or made of detections."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from rpc.data import DataError, Dataset
from rpc.data.files import uncollected
from rpc.data.json_lists import read_list
from rpc.metrics.box_matching import FoundBoxes
from rpc.structures import Detections, xywh_to_xyxy, xyxy_to_xywh
from rpc.structures.boxes import FloatArray

FIELDS = ("image_id", "category_id", "bbox", "score")
EXPECTED = "a COCO results list [{...}, ...]"


@dataclass(frozen=True, eq=False)
class Results(FoundBoxes):
    """What a detector said of the images of one data set, raw: no threshold applied.

    The boxes are arrays, in the order of the file; rows and labels are the data set's.

    Attributes:
        dataset: the N images and K SKUs that they are about.
    """

    dataset: Dataset

    def __len__(self) -> int:
        """Number of boxes."""
        return len(self.scores)

    @cached_property
    def detections(self) -> tuple[Detections, ...]:
        """One for each image, in the data set's order, empty ones included: for counting."""
        order = np.argsort(self.rows, kind="stable")
        boxes = xywh_to_xyxy(self.boxes[order])
        scores, labels = self.scores[order], self.labels[order]
        ends = np.cumsum(np.bincount(self.rows, minlength=len(self.dataset))).tolist()
        return tuple(
            Detections(boxes[start:end], scores[start:end], labels[start:end])
            for start, end in pairwise([0, *ends])
        )

    def to_coco(self) -> list[dict[str, Any]]:
        """The entries of a COCO results list, in the same order."""
        image_ids = [image.id for image in self.dataset.images]
        category_ids = self.dataset.taxonomy.ids
        columns = (self.rows, self.labels, self.boxes, self.scores)
        return [
            {
                "image_id": image_ids[row],
                "category_id": category_ids[label],
                "bbox": box,
                "score": score,
            }
            for row, label, box, score in zip(*(c.tolist() for c in columns), strict=True)
        ]


def read_results(path: str | Path, dataset: Dataset) -> Results:
    """Read `detections.json`; an empty list is legal: nothing was detected anywhere.

    A million boxes take about a second and a half and 100 MB.

    Args:
        path: a JSON list of `{"image_id", "category_id", "bbox": [x, y, w, h], "score"}`.
        dataset: the images and SKUs that the results are about.

    Raises:
        DataError: the file is not such a list, an entry lacks a field, an image or SKU is not in
            the data set, a number is not finite, a box has a negative size, or a score is not
            within 0 to 1. The message says which entry (counted from 0).
    """
    return _of_pieces(read_list(path, expected=EXPECTED), dataset, str(path))


def results_of_entries(
    entries: Sequence[Mapping[str, Any]], dataset: Dataset, where: str = "results"
) -> Results:
    """`read_results` of a list that is in memory; `where` names it in messages.

    Raises:
        DataError: as `read_results`.
    """
    return _of_pieces([(0, entries)], dataset, where)


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
    labels = np.concatenate([np.zeros(0, dtype=np.int64), *(one.labels for one in detections)])
    if len(labels):
        dataset.taxonomy.category(int(labels.max()))  # refuses a label that is no SKU
    return Results(
        rows=np.repeat(np.arange(len(detections)), [len(one) for one in detections]),
        labels=labels,
        boxes=xyxy_to_xywh(np.concatenate([np.zeros((0, 4)), *(one.boxes for one in detections)])),
        scores=np.concatenate([np.zeros(0), *(one.scores for one in detections)]),
        dataset=dataset,
    )


def _of_pieces(
    pieces: Iterable[tuple[int, Sequence[Any]]], dataset: Dataset, where: str
) -> Results:
    """Results of entries that come in pieces, each with the place of its first entry."""
    rows = {image.id: row for row, image in enumerate(dataset.images)}
    labels = {number: label for label, number in enumerate(dataset.taxonomy.ids)}
    name = dataset.path or "the data set"
    no_image = (
        f"is none of the {len(rows)} images of {name}; "
        "are these results of another data set or split?"
    )
    no_sku = f"is none of the {len(labels)} SKUs of {name}"
    done: dict[str, list[NDArray[Any]]] = {
        "rows": [np.zeros(0, dtype=np.int64)],
        "labels": [np.zeros(0, dtype=np.int64)],
        "boxes": [np.zeros((0, 4))],
        "scores": [np.zeros(0)],
    }
    with uncollected():
        for first, entries in pieces:
            piece = _Piece(entries, first, where)
            done["rows"].append(piece.places("image_id", rows, no_image))
            done["labels"].append(piece.places("category_id", labels, no_sku))
            done["boxes"].append(piece.boxes())
            done["scores"].append(piece.scores())
    # A column at a time, so that a long file is not in memory twice.
    columns = {name: np.concatenate(done.pop(name)) for name in list(done)}
    return Results(**columns, dataset=dataset)


class _Piece:
    """Some entries, checked column by column: a loop over each value only where one is wrong.

    Args:
        entries: what the file has; anything.
        first: place of the first one in the file.
        where: the file, for messages.

    Raises:
        DataError: an entry is no object or lacks a field.
    """

    def __init__(self, entries: Sequence[Any], first: int, where: str) -> None:
        self._first, self._where = first, where
        try:
            self._columns = {name: [entry[name] for entry in entries] for name in FIELDS}
        except (KeyError, TypeError, IndexError):
            self._refuse_incomplete(entries)

    def places(self, name: str, known: Mapping[int, int], problem: str) -> NDArray[np.int64]:
        """The places (M,) of the ids `name`, by `known`; `problem` is what to say of others."""
        ids = self._columns[name]
        if not set(map(type, ids)) <= {int} or not known.keys() >= set(ids):
            number, value = next(
                (number, value)
                for number, value in enumerate(ids)
                if type(value) is not int or value not in known
            )
            raise DataError(f"{self._entry(number)}: {name} {value!r:.40} {problem}")
        return np.array([known[value] for value in ids], dtype=np.int64)

    def boxes(self) -> FloatArray:
        """Boxes (M, 4) x, y, width, height in pixels."""
        values = self._columns["bbox"]
        self._require("bbox", _is_box, "[x, y, width, height] in pixels", _are_boxes)
        boxes = np.array(list(chain.from_iterable(values)), dtype=np.float64).reshape(-1, 4)
        good = np.asarray(np.isfinite(boxes).all(axis=1) & (boxes[:, 2:] >= 0).all(axis=1))
        expected = "finite numbers [x, y, width, height], width and height >= 0"
        self._require_good("bbox", good, expected)
        return boxes

    def scores(self) -> FloatArray:
        """Scores (M,)."""
        expected = "a number 0 to 1"
        self._require("score", _is_number, expected, _are_numbers)
        scores = np.array(self._columns["score"], dtype=np.float64)
        self._require_good("score", (scores >= 0) & (scores <= 1), expected)  # false for NaN
        return scores

    def _require(
        self,
        name: str,
        valid: Callable[[Any], bool],
        expected: str,
        sound: Callable[[Sequence[Any]], bool],
    ) -> None:
        values = self._columns[name]
        if not sound(values):
            good = np.array([valid(value) for value in values], dtype=np.bool_)
            self._require_good(name, good, expected)

    def _require_good(self, name: str, good: NDArray[np.bool_], expected: str) -> None:
        if not good.all():
            number = int(np.flatnonzero(~good)[0])
            value = self._columns[name][number]
            raise DataError(
                f"{self._entry(number)}: {name}: expected {expected}, got {value!r:.80}"
            )

    def _refuse_incomplete(self, entries: Sequence[Any]) -> NoReturn:
        for number, entry in enumerate(entries):
            if not isinstance(entry, Mapping):
                raise DataError(f"{self._entry(number)}: expected an object, got {entry!r:.60}")
            for name in FIELDS:
                if name not in entry:
                    raise DataError(
                        f"{self._entry(number)}: the field '{name}' is missing; "
                        f"expected {', '.join(FIELDS)}"
                    )
        raise AssertionError("an entry could not be read, and each has its fields")

    def _entry(self, number: int) -> str:
        return f"{self._where}: entry {self._first + number}"


def _is_number(value: object) -> bool:
    # Whole numbers beyond the range of a float would overflow later on.
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return isinstance(value, float) or abs(value) < 10**15


def _is_box(value: object) -> bool:
    return isinstance(value, list | tuple) and len(value) == 4 and all(map(_is_number, value))


# The same for a whole column, quicker. Where they say False, each value is looked at.


def _are_numbers(values: Sequence[Any]) -> bool:
    return set(map(type, values)) <= {float} or (
        set(map(type, values)) <= {float, int} and -(10**15) < min(values) <= max(values) < 10**15
    )


def _are_boxes(values: Sequence[Any]) -> bool:
    shaped = set(map(type, values)) <= {list, tuple} and set(map(len, values)) <= {4}
    return shaped and _are_numbers(list(chain.from_iterable(values)))
