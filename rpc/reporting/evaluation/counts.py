"""`counts.json`: the shopping list of every image, as a file that can be scored and compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rpc.data import DataError, Dataset, write_json
from rpc.data.json_lists import read_list
from rpc.metrics.checkout import Counts, as_counts
from rpc.reporting.evaluation.entry_columns import UnknownIdError
from rpc.reporting.evaluation.entry_names import EntryNames
from rpc.reporting.evaluation.unknown_ids import reason_of_unknown_ids

EXPECTED: Final = 'a list of carts [{"image_id", "counts"}, ...]'
MOST_ITEMS: Final = 1_000_000  # of one SKU on one image; beyond it the number is a slip


@dataclass(frozen=True, eq=False)
class CountedCarts:
    """Shopping lists of N images over K SKUs, in the data set's order.

    Attributes:
        counts: (N, K) items of each SKU; a row of zeros for an image that the file did not list.
        certainty: (N,) 0 to 1, how sure the method is of each list; 0 for an image that the file
            did not list. None where the file has no certainties.
        absent: how many images the file did not list. They count as empty lists.
        notes: lines on how carts name their images and SKUs, where not by plain ids.
        questions: (N,) how many questions the method asks about each list, 1 at least where it says
            that the list does not pass; 1 for an image that the
            file did not list: it does not pass. None where the file has none.
    """

    counts: Counts
    certainty: NDArray[np.float64] | None
    absent: int
    notes: tuple[str, ...] = ()
    questions: Counts | None = None


def is_counts_list(value: object) -> bool:
    """Whether a JSON value is a list of carts rather than COCO results; the first entry tells.

    An empty list is neither: it is legal as COCO results (nothing was detected), so False.
    """
    return (
        isinstance(value, list)
        and len(value) > 0
        and isinstance(value[0], Mapping)
        and "counts" in value[0]
    )


def read_counts(path: str | Path, dataset: Dataset) -> CountedCarts:
    """Read `counts.json`.

    Args:
        path: a JSON list of `{"image_id": 7, "counts": [{"category_id": 3, "count": 2}]}`. A cart
            may also have `file_name`, `certainty` and `questions`, an item `name`. An image that is
            not in the list counts as an empty list.
        dataset: the images and SKUs that the lists are about.

    Raises:
        DataError: the file is not such a list; an image or SKU is not in the data set or is there
            twice; a count is not a whole number >= 0; a file name or SKU name is another than the
            data set's; only some carts have a certainty or questions, or one is no such number. The
            message says which entry (counted from 0).
    """

    def entries() -> Iterator[object]:
        return (entry for _, piece in read_list(path, expected=EXPECTED) for entry in piece)

    return _collected(entries, dataset, str(path))


def counts_of_entries(entries: object, dataset: Dataset, where: str = "counts") -> CountedCarts:
    """`read_counts` of a value that is in memory; `where` names it in messages.

    Raises:
        DataError: as `read_counts`.
    """
    if not isinstance(entries, list):
        raise DataError(f"{where}: expected {EXPECTED}")
    return _collected(lambda: entries, dataset, where)


def _collected(
    entries: Callable[[], Iterable[object]], dataset: Dataset, where: str
) -> CountedCarts:
    """The lists; ids that are not of the data set are refused with the likely reason."""
    try:
        return _collect(entries(), dataset, where)
    except UnknownIdError as error:
        raise DataError(f"{error}{reason_of_unknown_ids(entries(), dataset)}") from error


def write_counts(
    path: str | Path,
    dataset: Dataset,
    counts: ArrayLike,
    certainty: ArrayLike | None = None,
    questions: ArrayLike | None = None,
) -> Path:
    """Write `counts.json`, whole or not at all; `read_counts` gives the same arrays back.

    Every image is listed, also one with nothing on its list; a SKU with count 0 is left out.

    Args:
        path: the file.
        dataset: N images, K SKUs.
        counts: (N, K) integers >= 0, in the data set's order.
        certainty: (N,) 0 to 1.
        questions: (N,) how many are asked about each list; an image without one passes.

    Returns:
        The path.

    Raises:
        ValueError: a shape does not fit the data set, a count is negative or not whole, a
            certainty is not within 0 to 1, a number of questions is no whole number >= 0.
        DataError: the file cannot be written.
    """
    array = as_counts(counts, "counts")
    if array.shape != (len(dataset), len(dataset.taxonomy)):
        raise ValueError(
            f"counts: expected shape ({len(dataset)} images, {len(dataset.taxonomy)} SKUs), "
            f"got {array.shape}"
        )
    sure = None if certainty is None else np.asarray(certainty, dtype=np.float64)
    if sure is not None and sure.shape != (len(dataset),):
        raise ValueError(f"certainty: expected shape ({len(dataset)},), got {sure.shape}")
    if sure is not None and not ((sure >= 0) & (sure <= 1)).all():  # false for NaN
        raise ValueError("certainty: expected numbers 0 to 1")
    asked = None if questions is None else as_counts(np.atleast_2d(questions), "questions")[0]
    if asked is not None and asked.shape != (len(dataset),):
        raise ValueError(f"questions: expected shape ({len(dataset)},), got {asked.shape}")
    entries: list[dict[str, Any]] = []
    for row, image in enumerate(dataset.images):
        labels = np.flatnonzero(array[row]).tolist()
        items = [_item(dataset, label, int(array[row, label])) for label in labels]
        entry: dict[str, Any] = {"image_id": image.id, "file_name": image.file_name}
        entry["counts"] = items
        if sure is not None:
            entry["certainty"] = float(sure[row])
        if asked is not None:
            entry |= {"passes": not asked[row], "questions": int(asked[row])}
        entries.append(entry)
    return write_json(path, entries)


def _collect(entries: Iterable[object], dataset: Dataset, where: str) -> CountedCarts:
    names = EntryNames(dataset)
    counts = np.zeros((len(dataset), len(dataset.taxonomy)), dtype=np.int64)
    certainty = np.zeros(len(dataset))
    questions = np.ones(len(dataset), dtype=np.int64)
    seen: dict[int, int] = {}
    has: dict[str, bool] = {}
    for number, entry in enumerate(entries):
        here = f"{where}: entry {number}"
        row, cart = _cart(entry, names, dataset, here)
        if row in seen:
            _refuse(here, f"image {cart['image_id']} is already in entry {seen[row]}")
        seen[row] = number
        _fill(counts[row], cart["counts"], names, dataset, here)
        for name in ("certainty", "questions"):
            if has.setdefault(name, name in cart) != (name in cart):
                _refuse(here, f"{name}: expected in every cart or in none")
        certainty[row] = _certainty(cart.get("certainty", 0), here)
        asked = _questions(cart.get("questions", 0), here)
        questions[row] = max(asked, cart.get("passes") is False)
    return CountedCarts(
        counts,
        certainty if has.get("certainty") else None,
        len(dataset) - len(seen),
        names.notes(Path(where).name),
        questions if has.get("questions") else None,
    )


def _item(dataset: Dataset, label: int, count: int) -> dict[str, Any]:
    category = dataset.taxonomy.category(label)
    return {"category_id": category.id, "name": category.name, "count": count}


def _cart(
    entry: object, names: EntryNames, dataset: Dataset, here: str
) -> tuple[int, Mapping[str, Any]]:
    """The row of a cart's image, and the cart with its fields checked."""
    if not isinstance(entry, Mapping):
        _refuse(here, f"expected an object, got {entry!r:.60}")
    for name in ("image_id", "counts"):
        if name not in entry:
            _refuse(here, f"the field '{name}' is missing; expected image_id, counts")
    image_id = entry["image_id"]
    row = names.row(image_id)
    if row is None:
        raise UnknownIdError(
            f"{here}: image_id {image_id!r:.40} is none of the {len(dataset)} images of "
            f"{dataset.path or 'the data set'}; are these lists of another data set or split?"
        )
    name = dataset.images[row].file_name
    if entry.get("file_name", name) != name:
        _refuse(
            here,
            f"file_name: expected {name!r:.80}, as image {image_id} is called in "
            f"{dataset.path or 'the data set'}, got {entry['file_name']!r:.80}; "
            "correct it or leave it out",
        )
    return row, entry


def _fill(row: Counts, items: object, names: EntryNames, dataset: Dataset, here: str) -> None:
    """Write a cart's items into its row (K,)."""
    if not isinstance(items, Sequence) or isinstance(items, str):
        _refuse(here, f"counts: expected a list of items, got {items!r:.60}")
    taxonomy, filled = dataset.taxonomy, set()
    for item in items:
        if not isinstance(item, Mapping) or not {"category_id", "count"} <= item.keys():
            _refuse(here, f'counts: expected {{"category_id", "count"}}, got {item!r:.80}')
        number, count = item["category_id"], item["count"]
        label = names.label(number)
        if label is None:
            raise UnknownIdError(
                f"{here}: category_id {number!r:.40} is none of the {len(taxonomy)} SKUs"
            )
        number = taxonomy.category_id(label)
        if number in filled:
            _refuse(here, f"category_id {number} is there twice; give each SKU once")
        filled.add(number)
        if type(count) is not int or not 0 <= count <= MOST_ITEMS:
            _refuse(
                here,
                f"count of category_id {number}: expected a whole number 0 to {MOST_ITEMS}, "
                f"got {count!r:.40}",
            )
        name = taxonomy.category(label).name
        if item.get("name", name) != name:
            _refuse(
                here,
                f"name of category_id {number}: expected {name!r:.60}, got {item['name']!r:.60}; "
                "correct it or leave it out",
            )
        row[label] = count


def _certainty(value: object, here: str) -> float:
    good = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
    if not good:  # NaN is refused too: it compares false
        _refuse(here, f"certainty: expected a number 0 to 1, got {value!r:.40}")
    assert isinstance(value, int | float)
    return float(value)


def _questions(value: object, here: str) -> int:
    if type(value) is not int or not 0 <= value <= MOST_ITEMS:
        _refuse(here, f"questions: expected a whole number >= 0, got {value!r:.40}")
    return value


def _refuse(here: str, what: str) -> NoReturn:
    raise DataError(f"{here}: {what}")
