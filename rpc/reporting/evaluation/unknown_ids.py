"""The likely reason why results name images or SKUs that a truth does not have."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from itertools import islice
from typing import Any, Final

from rpc.data import Dataset
from rpc.reporting.evaluation.other_splits import split_that_fits

MOST_ENTRIES: Final = 200_000  # that are looked at: a file that is refused need not be read whole


def reason_of_unknown_ids(entries: Iterable[Any], dataset: Dataset) -> str:
    """Half a sentence to follow the refusal; empty where no reason is found.

    Args:
        entries: of COCO results or of a list of carts; anything.
        dataset: the images and SKUs that they should be about.
    """
    images: set[int] = set()
    skus: set[int] = set()
    for entry in islice(entries, MOST_ENTRIES):
        if not isinstance(entry, Mapping):
            continue
        items = entry.get("counts")
        for one in items if isinstance(items, list) else [entry]:
            if isinstance(one, Mapping) and type(one.get("category_id")) is int:
                skus.add(one["category_id"])
        if type(entry.get("image_id")) is int:
            images.add(entry["image_id"])
    known = [image.id for image in dataset.images]
    told = ""
    if not images <= set(known):
        told += split_that_fits(dataset.path, images) or _shifted("image ids", images, known)
    if not skus <= set(dataset.taxonomy.ids):
        told += _shifted("category ids", skus, dataset.taxonomy.ids)
    return told


def _shifted(what: str, ids: Collection[int], known: Collection[int]) -> str:
    """Whether the ids are known ones when a constant is added, or places in their list."""
    there = set(known)
    if not there:
        return ""
    low, high = min(ids), max(ids)
    spans = f"; the {what} here go from {low:,} to {high:,}, those of the truth from "
    spans += f"{min(known):,} to {max(known):,}"
    for shift in (1, -1, min(known) - low, max(known) - high):
        if shift and {number + shift for number in ids} <= there:
            return (
                f"{spans}: they fit if {abs(shift):,} is {'added' if shift > 0 else 'taken away'}"
            )
    if 0 <= low and high <= len(there):
        return f"{spans}: they may be places in a list, counted from {0 if low == 0 else 1}"
    return spans
