"""Notes on unusual but harmless things in a store, for the page of the check."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from rpc.data.dataset import Dataset, Problem
from rpc.data.file_content import PHOTO_SUFFIXES
from rpc.data.levels import LEVEL_RULES, LEVELS
from rpc.data.store import Split, Store
from rpc.data.suspicious_items import suspicious_items
from rpc.data.system_files import is_system_file, is_system_folder

FEW_EXEMPLARS = 4  # below this a SKU is likely shown from too few sides


def split_notes(store: Store, name: Split, dataset: Dataset) -> list[Problem]:
    """Values that were understood, files listed twice, bare images, orphans, odd levels."""
    where = str(dataset.path)
    notes = list(dataset.notes)
    notes += [
        Problem(where, one.what, kind=one.kind.replace("_", " "), remedy=one.to_do)
        for one in suspicious_items(dataset, trays=name != "train")
    ]
    twice = [n for n, times in Counter(i.file_name for i in dataset.images).items() if times > 1]
    if twice:
        notes.append(Problem(where, f"{len(twice)} files are listed twice, such as {twice[0]}"))
    bare = [i for i in dataset.images if not dataset.annotations_of(i.id)]
    if bare:
        what = f"{len(bare)} images have no annotation, such as {bare[0].file_name}"
        notes.append(Problem(where, what))
    photos = store.photo_folder(name)
    folder = photos.folder
    there = _photo_names(folder)
    listed = {image.file_name for image in dataset.images}
    otherwise = sorted(listed - there)
    notes += photos.notes(otherwise)
    found = {file for file, _ in photos.differing(otherwise).values()}
    orphans = sorted(there - listed - found)
    if orphans:
        what = f"{len(orphans)} photos have no entry in the JSON, such as {orphans[0]}"
        notes.append(Problem(str(folder), what))
    return notes + _level_notes(dataset)


def few_exemplars(train: Dataset) -> list[Problem]:
    """SKUs with fewer than `FEW_EXEMPLARS` exemplars, counted in one note."""
    per_sku = train.counts().sum(axis=0)
    few = np.flatnonzero((per_sku > 0) & (per_sku < FEW_EXEMPLARS))
    if not few.size:
        return []
    what = (
        f"{few.size} of {len(per_sku)} SKUs have fewer than {FEW_EXEMPLARS} exemplars, "
        f"such as {train.taxonomy.names[few[0]]!r} with {per_sku[few[0]]}"
    )
    return [Problem(str(train.path), what)]


def _photo_names(folder: Path) -> set[str]:
    if not folder.is_dir():
        return set()
    files = (p.relative_to(folder) for p in folder.rglob("*") if p.suffix.lower() in PHOTO_SUFFIXES)
    return {
        p.as_posix()
        for p in files
        if not (is_system_file(p.name) or any(map(is_system_folder, p.parts[:-1])))
    }


def _level_notes(dataset: Dataset) -> list[Problem]:
    counts = dataset.counts()
    skus, items = (counts > 0).sum(axis=1).tolist(), counts.sum(axis=1).tolist()
    notes = []
    for level in LEVELS:
        rows = [row for row, image in enumerate(dataset.images) if image.level == level]
        odd = [row for row in rows if not LEVEL_RULES[level].fits(skus[row], items[row])]
        if odd:
            row, rule = odd[0], LEVEL_RULES[level]
            what = (
                f"{len(odd)} of {len(rows)} images do not fit the level {level} "
                f"({rule.skus[0]}-{rule.skus[1]} SKUs, {rule.items[0]}-{rule.items[1]} items), "
                f"such as {dataset.images[row].file_name}: {skus[row]} SKUs, {items[row]} items"
            )
            notes.append(Problem(str(dataset.path), what))
    return notes
