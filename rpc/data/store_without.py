"""A store without some of its SKUs: what a shop had before they came."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Final

from rpc.data.dataset import Dataset, write_dataset
from rpc.data.files import DataError, link_or_copy
from rpc.data.store import SPLITS, Split, Store
from rpc.data.taxonomy import Taxonomy

BACKGROUNDS: Final = "backgrounds"


def store_without(store: Store, skus: Collection[str], out: str | Path) -> Path:
    """Write a store that has never seen some SKUs; category ids of the others stay.

    Exemplars of these SKUs are left out, and so is every tray that one of them lies on: its photo
    shows the product, labelled or not. Photos are linked where the file system can, else copied.

    Args:
        store: with all SKUs.
        skus: names of those that go, one or more, not all.
        out: an empty or missing folder.

    Returns:
        `out`.

    Raises:
        DataError: a SKU is not in the store, all of them are named, `out` holds files, or a photo
            is missing.
    """
    out = Path(out)
    gone = {store.taxonomy.by_name(name).id for name in skus}
    kept = [c for c in store.taxonomy.categories if c.id not in gone]
    if not gone or not kept:
        raise DataError(f"{store.root}: expected some of its SKUs to be left out, not {len(gone)}")
    if out.is_dir() and any(out.iterdir()):
        raise DataError(f"{out}: holds files; choose an empty folder")
    taxonomy = Taxonomy(kept)
    for split in SPLITS:
        if not store.has_split(split):
            continue
        dataset = _without(store.split(split), gone, taxonomy)
        for image in dataset.images:
            link_or_copy(store.image_path(split, image), out / _folder(split) / image.file_name)
        write_dataset(out / f"instances_{split}.json", dataset)
    if (store.root / BACKGROUNDS).is_dir():
        for path in sorted((store.root / BACKGROUNDS).iterdir()):
            if path.is_file():
                link_or_copy(path, out / BACKGROUNDS / path.name)
    return out


def _without(dataset: Dataset, gone: Collection[int], taxonomy: Taxonomy) -> Dataset:
    shown = {a.image_id for a in dataset.annotations if a.category_id in gone}
    return replace(
        dataset,
        images=tuple(image for image in dataset.images if image.id not in shown),
        annotations=tuple(a for a in dataset.annotations if a.image_id not in shown),
        taxonomy=taxonomy,
    )


def _folder(split: Split) -> str:
    return "exemplars" if split == "train" else split
