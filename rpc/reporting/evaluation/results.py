"""A COCO results file beside the data set it is about: read with checks, or made of detections."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rpc.counting.rule import scores_to_count_by
from rpc.data import Dataset
from rpc.data.files import uncollected
from rpc.data.json_lists import read_list
from rpc.metrics.box_matching import FoundBoxes
from rpc.reporting.evaluation.entry_columns import ITEM_SCORE, EntryColumns, UnknownIdError
from rpc.reporting.evaluation.entry_names import EntryNames
from rpc.reporting.evaluation.unknown_ids import reason_of_unknown_ids
from rpc.structures import Detections, xywh_to_xyxy, xyxy_to_xywh
from rpc.structures.boxes import FloatArray

EXPECTED = "a COCO results list [{...}, ...]"


@dataclass(frozen=True, eq=False)
class Results(FoundBoxes):
    """The raw detections on the images of one data set: no threshold applied.

    The boxes are arrays, in the order of the file; rows and labels are the data set's.

    Attributes:
        dataset: the N images and K SKUs that they are about.
        notes: lines on how entries name their images and SKUs, where not by plain ids.
        item_scores: (M,) how likely each box holds one item, of whatever SKU; None where the file
            does not say it apart from the score.
    """

    dataset: Dataset
    notes: tuple[str, ...] = ()
    item_scores: FloatArray | None = None

    def __len__(self) -> int:
        """Number of boxes."""
        return len(self.scores)

    @cached_property
    def detections(self) -> tuple[Detections, ...]:
        """One for each image, in the data set's order, empty ones included: for counting."""
        order = np.argsort(self.rows, kind="stable")
        boxes = xywh_to_xyxy(self.boxes[order])
        scores, labels = self.scores[order], self.labels[order]
        items = None if self.item_scores is None else self.item_scores[order]
        ends = np.cumsum(np.bincount(self.rows, minlength=len(self.dataset))).tolist()
        return tuple(
            Detections(
                boxes[start:end],
                scores[start:end],
                labels[start:end],
                None if items is None else items[start:end],
            )
            for start, end in pairwise([0, *ends])
        )

    def to_coco(self) -> list[dict[str, Any]]:
        """The entries of a COCO results list, in the same order."""
        image_ids = [image.id for image in self.dataset.images]
        category_ids = self.dataset.taxonomy.ids
        columns = (self.rows, self.labels, self.boxes, self.scores)
        entries = [
            {
                "image_id": image_ids[row],
                "category_id": category_ids[label],
                "bbox": box,
                "score": score,
            }
            for row, label, box, score in zip(*(c.tolist() for c in columns), strict=True)
        ]
        if self.item_scores is not None:
            for entry, item_score in zip(entries, self.item_scores.tolist(), strict=True):
                entry[ITEM_SCORE] = item_score
        return entries


def read_results(path: str | Path, dataset: Dataset) -> Results:
    """Read `detections.json`; an empty list is legal: nothing was detected anywhere.

    A million boxes take about a second and a half and 100 MB.

    Args:
        path: a JSON list of `{"image_id", "category_id", "bbox": [x, y, w, h], "score"}`; all
            entries or none may have `item_score` as well.
        dataset: the images and SKUs that the results are about.

    Raises:
        DataError: the file is not such a list, an entry lacks a field, an image or SKU is not in
            the data set, a number is not finite, a box has a negative size, a score is not within
            0 to 1, or some entries alone have an item score. The message says which entry (counted
            from 0).
    """
    return _of_pieces(lambda: read_list(path, expected=EXPECTED), dataset, str(path))


def results_of_entries(
    entries: Sequence[Mapping[str, Any]], dataset: Dataset, where: str = "results"
) -> Results:
    """`read_results` of a list that is in memory; `where` names it in messages.

    Raises:
        DataError: as `read_results`.
    """
    return _of_pieces(lambda: [(0, entries)], dataset, where)


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
    by_item = scores_to_count_by(detections) == "item_score"
    return Results(
        rows=np.repeat(np.arange(len(detections)), [len(one) for one in detections]),
        labels=labels,
        boxes=xyxy_to_xywh(np.concatenate([np.zeros((0, 4)), *(one.boxes for one in detections)])),
        scores=np.concatenate([np.zeros(0), *(one.scores for one in detections)]),
        dataset=dataset,
        item_scores=np.concatenate(
            [one.item_scores for one in detections if one.item_scores is not None]
        )
        if by_item
        else None,
    )


def _of_pieces(
    pieces: Callable[[], Iterable[tuple[int, Sequence[Any]]]], dataset: Dataset, where: str
) -> Results:
    """Results of entries that come in pieces, each with the place of its first entry.

    Some tools make an image's id of the number in its file name. That is tried for the file as a
    whole, where its ids are not those of the data set.
    """
    names = EntryNames(dataset)
    try:
        return _by_names(pieces(), names, dataset, where)
    except UnknownIdError as error:
        if names.may_be_numbered:
            try:
                numbered = EntryNames(dataset, numbered_files=True)
                return _by_names(pieces(), numbered, dataset, where)
            except UnknownIdError:
                pass
        entries = (entry for _, piece in pieces() for entry in piece)
        reason = reason_of_unknown_ids(entries, dataset)
        raise UnknownIdError(f"{error}{reason}") from error


def _by_names(
    pieces: Iterable[tuple[int, Sequence[Any]]], names: EntryNames, dataset: Dataset, where: str
) -> Results:
    name = dataset.path or "the data set"
    no_image = (
        f"is none of the {len(dataset)} images of {name}; "
        "are these results of another data set or split?"
    )
    no_sku = f"is none of the {len(names.skus)} SKUs of {name}"
    done: dict[str, list[NDArray[Any]]] = {
        "rows": [np.zeros(0, dtype=np.int64)],
        "labels": [np.zeros(0, dtype=np.int64)],
        "boxes": [np.zeros((0, 4))],
        "scores": [np.zeros(0)],
    }
    items: list[FloatArray] = []
    seen: bool | None = None  # whether the entries so far have item scores
    with uncollected():
        for first, entries in pieces:
            piece = EntryColumns(entries, first, where)
            done["rows"].append(piece.places("image_id", names.images, no_image, names.row))
            done["labels"].append(piece.places("category_id", names.skus, no_sku, names.label))
            done["boxes"].append(piece.boxes())
            done["scores"].append(piece.scores())
            part = piece.item_scores(seen)
            seen = part is not None
            items += [] if part is None else [part]
    # A column at a time, so that a long file is not in memory twice.
    columns = {name: np.concatenate(done.pop(name)) for name in list(done)}
    return Results(
        **columns,
        dataset=dataset,
        notes=names.notes(Path(where).name),
        item_scores=np.concatenate(items) if items else None,
    )
