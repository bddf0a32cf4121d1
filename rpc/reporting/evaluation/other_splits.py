"""The other splits' files beside a truth: results may be of one of them."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Final

import numpy as np

from rpc.data import DataError, Dataset, read_json, scan_dataset
from rpc.data.suspicion import Suspicion, share_text
from rpc.metrics.suspicions.orders import NONE, Meant
from rpc.metrics.suspicions.sample import BoxSample, IntArray, is_beyond_chance, xywh_corners
from rpc.reporting.evaluation.box_samples import Items

LARGEST: Final = 200_000_000  # bytes of a file that is read to find out
EXPLAINED: Final = 0.4  # share of the boxes off the items that the other split explains


def other_split_files(path: Path | None) -> list[Path]:
    """The instances files beside a truth that are not too large to be looked at."""
    if path is None:
        return []
    files = sorted(path.parent.glob("instances_*.json"))
    return [file for file in files if file.name != path.name and file.stat().st_size < LARGEST]


def boxes_of_another_split(sample: BoxSample, rows: IntArray, dataset: Dataset) -> Suspicion | None:
    """Boxes that lie on no item, but on those of the images with the same ids of another split.

    Args:
        sample: boxes of S images.
        rows: (S,) which images of the data set these are.
        dataset: what is scored.
    """
    off = ~sample.as_given
    count = int(off.sum())
    if count < max(4, 0.2 * len(sample)):
        return None
    corners = xywh_corners(sample.boxes)
    ids = [dataset.images[row].id for row in rows.tolist()]
    for file in other_split_files(dataset.path):
        other, _ = scan_dataset(file)
        if other is None:
            continue
        places = {image.id: row for row, image in enumerate(other.images)}
        targets = np.array([places.get(number, NONE) for number in ids], dtype=np.int64)
        try:
            beside = sample.against(Items(other).of(targets))
        except DataError:
            continue
        hits, chance = int((off & beside.on_items(corners)).sum()), beside.chance(corners)
        if hits >= max(4, EXPLAINED * count, 3 * chance * count) and is_beyond_chance(
            hits, count, chance, 3
        ):
            return Suspicion(
                "results_of_another_split",
                f"{share_text(count, len(sample), 'boxes looked at')} lie on no item here; "
                f"{hits:,} of these lie on one of {file.name}",
                f"score them with {file.name}, or give the results of {_name(dataset.path)}",
                count=hits,
                of=len(sample),
            )
    return None


def split_that_fits(path: Path | None, ids: Collection[object]) -> str:
    """A half sentence on which file beside the truth has the image ids of results; maybe empty."""
    wanted = set(ids)
    best, hits = "", 0
    for file in other_split_files(path):
        try:
            images = read_json(file).get("images")
            found = {image["id"] for image in images or () if isinstance(image, dict)}
            number = len(wanted & found)
        except (DataError, TypeError, KeyError):
            continue
        if number > hits:
            best, hits = file.name, number
    return f"; {hits:,} of {len(wanted):,} ids here are images of {best}" if hits else ""


def names_of_other_splits(dataset: Dataset) -> list[Meant]:
    """Meanings of the SKUs' ids in the files beside the truth, where they are others."""
    ways: list[Meant] = []
    labels = {name: label for label, name in enumerate(dataset.taxonomy.names)}
    for file in other_split_files(dataset.path):
        try:
            entries = read_json(file).get("categories")
        except DataError:
            continue
        named = {
            entry["id"]: labels.get(str(entry.get("name")), NONE)
            for entry in entries or ()
            if isinstance(entry, dict) and isinstance(entry.get("id"), int)
        }
        meant = np.array([named.get(number, NONE) for number in dataset.taxonomy.ids])
        if (meant != NONE).any() and (meant != np.arange(len(meant))).any():
            ways.append((f"category ids of {file.name}, whose SKUs have other ids", meant))
    return ways


def _name(path: Path | None) -> str:
    return path.name if path else "these images"
