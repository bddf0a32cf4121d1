"""Cross-validation of a store: few labelled trays, each measured once by what had not seen it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rpc.data.dataset import Dataset, write_dataset
from rpc.data.files import DataError, link_or_copy
from rpc.data.store import Split, Store


def deal_folds(dataset: Dataset, count: int, group_by: str | None = None) -> list[list[int]]:
    """Deal images to folds of nearly equal size, those of one group to one fold.

    Args:
        dataset: images to deal; the same data give the same folds.
        count: of folds, 2 or more.
        group_by: field of the images whose equal values stay together, such as several shots of
            one cart; None deals each image by itself.

    Returns:
        Image ids of each fold, in the order of the data set.

    Raises:
        DataError: an image lacks the field, or there are fewer groups than folds.
    """
    if count < 2:
        raise DataError(f"folds: expected 2 or more, got {count}")
    groups: defaultdict[object, list[int]] = defaultdict(list)
    for image in dataset.images:
        if group_by is not None and group_by not in image.extra:
            raise DataError(
                f"{dataset.path or 'data set'}: image {image.id} has no field {group_by!r:.80}; "
                f"it has {', '.join(sorted(image.extra)) or 'none but the usual ones'}"
            )
        groups[image.id if group_by is None else str(image.extra[group_by])].append(image.id)
    if len(groups) < count:
        raise DataError(
            f"{dataset.path or 'data set'}: {len(groups)} groups of images cannot be dealt to "
            f"{count} folds; choose fewer"
        )
    folds: list[list[int]] = [[] for _ in range(count)]
    # The largest groups first, each to the smallest fold: sizes differ by one group at most.
    for members in sorted(groups.values(), key=len, reverse=True):
        min(folds, key=len).extend(members)
    rows = {image.id: row for row, image in enumerate(dataset.images)}
    return [sorted(fold, key=rows.__getitem__) for fold in folds]


def write_folds(
    store: Store, out: str | Path, count: int = 2, group_by: str | None = None, split: Split = "val"
) -> list[Path]:
    """Make one store a fold: `test` is the fold, `val` all others, exemplars are those of `store`.

    Photos are linked, not copied, where the file system can.

    Args:
        store: its `split` is dealt.
        out: folder for `fold0`, `fold1`, ...
        count: of folds.
        group_by: as in `deal_folds`.
        split: whose images are dealt.

    Returns:
        The stores' folders.

    Raises:
        DataError: as `deal_folds`, or a photo is missing or a file cannot be written.
    """
    dataset = store.split(split)
    folds = deal_folds(dataset, count, group_by)
    return [
        _write_fold(store, split, Path(out) / f"fold{number}", fold)
        for number, fold in enumerate(folds)
    ]


def _write_fold(store: Store, split: Split, root: Path, fold: Sequence[int]) -> Path:
    """Photos first, lists last: a fold with its lists is whole."""
    dataset, train = store.split(split), store.split("train")
    inside = set(fold)
    parts = {
        "val": dataset.subset([i.id for i in dataset.images if i.id not in inside]),
        "test": dataset.subset(fold),
    }
    for image in train.images:
        link_or_copy(store.image_path("train", image), root / "exemplars" / image.file_name)
    for name, part in parts.items():
        for image in part.images:
            link_or_copy(store.image_path(split, image), root / name / image.file_name)
    for name, part in {"train": train, **parts}.items():
        write_dataset(root / f"instances_{name}.json", replace(part, path=None))
    return root
