"""`receipts_test.json`: the receipt of every measured tray, sure items and questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, NoReturn

import numpy as np
from numpy.typing import NDArray

from rpc.counting.matching import match_items, truth_of
from rpc.data import DataError, Dataset, write_json
from rpc.data.json_lists import read_list
from rpc.reporting.evaluation.reading import Lines, Reading
from rpc.structures import Detections
from rpc.structures.boxes import FloatArray

EXPECTED: Final = 'a list of receipts [{"image_id", "items", "questions", ...}, ...]'


@dataclass(frozen=True, eq=False)
class Receipts:
    """How sure a counter is of each of N trays, and what it asks.

    Attributes:
        certainty: (N,) 0 to 1.
        questions: (N,) how many are asked, 1 at least where a tray does not pass.
        lines: the lines with a probability, and whether they are right; None without.
    """

    certainty: FloatArray
    questions: NDArray[np.int64]
    lines: Lines | None


def write_receipts(
    path: str | Path, dataset: Dataset, receipts: Sequence[Mapping[str, Any]]
) -> Path:
    """Write receipts as plain values (`rpc.Receipt.to_dict`), one for each image.

    Raises:
        ValueError: there are not as many receipts as images.
        DataError: the file cannot be written.
    """
    entries = [
        {"image_id": image.id, "file_name": image.file_name, **receipt}
        for image, receipt in zip(dataset.images, receipts, strict=True)
    ]
    return write_json(path, entries)


def read_receipts(path: str | Path, dataset: Dataset) -> Receipts:
    """Read what `write_receipts` wrote, for the same images in the same order.

    Raises:
        DataError: the file is missing or something else.
    """
    entries = [entry for _, piece in read_list(path, expected=EXPECTED) for entry in piece]
    ids = [image.id for image in dataset.images]
    if [_get(entry, "image_id") for entry in entries] != ids:
        _refuse(path, f"expected the receipts of the {len(ids)} images of {dataset.path}")
    certainty, questions = np.zeros(len(ids)), np.zeros(len(ids), dtype=np.int64)
    stated: list[float] = []
    right: list[bool] = []
    trays: list[int] = []
    for row, entry in enumerate(entries):
        where = f"{path}: entry {row}"
        certainty[row] = _fraction(_get(entry, "certainty"), f"{where}: certainty")
        asked, items = _get(entry, "questions"), _get(entry, "items")
        if not (isinstance(asked, list) and isinstance(items, list)):
            _refuse(where, "expected lists of items and questions")
        questions[row] = max(len(asked), entry.get("passes") is False)
        known = [item for item in items if _get(item, "probability") is not None]
        if len(known) != len(items) or not items:
            continue
        stated += [_fraction(_get(item, "probability"), f"{where}: probability") for item in items]
        right += _right(items, dataset, ids[row], where)
        trays += [row] * len(items)
    lines = Lines(np.array(stated), np.array(right), np.array(trays)) if stated else None
    return Receipts(certainty, questions, lines)


def with_receipts(reading: Reading, receipts: Receipts) -> Reading:
    """A reading with the certainties, questions and lines of its receipts."""
    return replace(
        reading,
        certainty=receipts.certainty,
        questions=receipts.questions,
        lines=receipts.lines,
    )


def _right(items: Sequence[Any], dataset: Dataset, image_id: int, where: str) -> list[bool]:
    """Whether each line is a true item of its SKU."""
    try:
        labels = [dataset.taxonomy.by_name(item["sku"]).id for item in items]
        boxes = np.array([item["box"] for item in items], dtype=np.float64).reshape(-1, 4)
        counted = Detections(boxes, np.ones(len(items)), dataset.taxonomy.labels(labels))
    except (KeyError, TypeError, ValueError, DataError) as error:
        raise DataError(f"{where}: expected items with sku and box: {error}") from error
    good = {box for box, _ in match_items(counted, truth_of(dataset, image_id)).right}
    return [row in good for row in range(len(items))]


def _get(value: object, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else None


def _fraction(value: object, where: str) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
        return float(value)
    _refuse(where, f"expected a number 0 to 1, got {value!r:.40}")


def _refuse(where: str | Path, problem: str) -> NoReturn:
    raise DataError(f"{where}: {problem}")
