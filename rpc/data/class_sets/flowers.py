"""Oxford 102 Flowers (Nilsback and Zisserman 2008) as published."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from rpc.data.class_sets.class_folders import LabelledPhoto
from rpc.data.class_sets.class_set import ClassSet
from rpc.data.class_sets.matlab import read_mat
from rpc.data.files import DataError, safe_join

FLOWERS: Final = "Oxford 102 Flowers"
LABELS: Final = "imagelabels.mat"
SPLIT: Final = "setid.mat"
_SPLITS: Final = ("trnid", "valid", "tstid")


def is_flowers(root: Path) -> bool:
    """Whether a folder has one of the lists of Flowers."""
    return (root / SPLIT).is_file() or (root / LABELS).is_file()


def read_flowers(root: Path) -> ClassSet:
    """Read `jpg/image_00001.jpg`, ..., `imagelabels.mat`, `setid.mat`; classes have no names.

    Raises:
        DataError: a list is missing or damaged, or the split names a photo that has no label.
    """
    labels = read_mat(root / LABELS, ("labels",), "the labels of Flowers")["labels"].astype(int)
    splits = read_mat(root / SPLIT, _SPLITS, "the split of Flowers")
    made = []
    for split in _SPLITS:
        photos = []
        for number in splits[split].astype(int).tolist():
            if not 1 <= number <= len(labels) or labels[number - 1] < 1:
                raise DataError(
                    f"{root / SPLIT}: {split} names photo {number}, which {LABELS} (of "
                    f"{len(labels)}) has no label for; take both from one download"
                )
            name = f"jpg/image_{number:05}.jpg"
            photos.append(
                LabelledPhoto(safe_join(root, name), int(labels[number - 1]) - 1, name=name)
            )
        made.append(tuple(photos))
    classes = tuple(f"flower {number}" for number in range(1, int(labels.max()) + 1))
    train, val, test = made
    splits_text = "official training, validation and test photos"
    return ClassSet(FLOWERS, classes, train, val, test, mirrored=True, splits=splits_text)
