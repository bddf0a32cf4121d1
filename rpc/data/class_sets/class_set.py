"""A data set for recognition: photos of one thing each, to learn from, to choose on, to test on.

Key: N photos, K classes, P key points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rpc.data.class_sets.class_folders import LabelledPhoto, labels_of
from rpc.data.files import DataError

SHARE: Final = 0.15  # of the training photos that are kept apart where a set has no validation


@dataclass(frozen=True)
class ClassSet:
    """Photos by what they are for.

    Attributes:
        name: of the data set.
        classes: K names, by label.
        train: to learn from.
        val: to choose checkpoints and settings on; empty where the set has none of its own.
        test: to measure on, and for nothing else.
        families: of each class, those that are easily confused share one; empty where none known.
        points: names of the P key points that every photo has; empty where there are none.
        held_out: whether `val` was taken out of the training photos.
        rotated: things lie as they fell: every quarter turn is as good as any other.
        mirrored: a mirror image shows something of the same class; never so where there is print.
        splits: what each split consists of, for people.
    """

    name: str
    classes: tuple[str, ...]
    train: tuple[LabelledPhoto, ...]
    val: tuple[LabelledPhoto, ...]
    test: tuple[LabelledPhoto, ...]
    families: tuple[str, ...] = ()
    points: tuple[str, ...] = ()
    held_out: bool = False
    rotated: bool = False
    mirrored: bool = False
    splits: str = "official training and test photos"

    @property
    def known(self) -> frozenset[str]:
        """The annotations that exist besides labels: "boxes", "points" (some in sight)."""
        boxes = all(photo.box is not None for photo in (*self.train, *self.val, *self.test))
        points = any(seen for photo in self.train for _, _, seen in photo.points)
        return frozenset((["boxes"] if boxes else []) + (["points"] if points else []))

    def with_validation(self, share: float = SHARE, seed: int = 0) -> ClassSet:
        """The same set; where val is empty, with a share of each class's training photos apart.

        A share of 0 keeps none.

        Raises:
            DataError: a class has one training photo alone.
        """
        if self.val or share == 0:
            return self
        try:
            apart = held_out(
                labels_of(self.train), share, np.random.default_rng(seed), self.classes
            )
        except DataError as error:
            raise DataError(f"{self.name}: {error}") from error
        train = tuple(p for p, kept in zip(self.train, apart, strict=True) if not kept)
        val = tuple(p for p, kept in zip(self.train, apart, strict=True) if kept)
        return replace(self, train=train, val=val, held_out=True)


def held_out(
    labels: NDArray[np.int64], share: float, rng: np.random.Generator, classes: Sequence[str]
) -> NDArray[np.bool_]:
    """Which of N photos are kept apart (N,): a share of each class, at least one and never all.

    Raises:
        DataError: a class has one photo alone.
        ValueError: the share is not between 0 and 1.
    """
    if not 0 < share < 1:
        raise ValueError(f"validation: expected a share between 0 and 1, got {share}")
    apart = np.zeros(len(labels), bool)
    for label in np.unique(labels).tolist():
        rows = rng.permutation(np.flatnonzero(labels == label))
        if len(rows) < 2:
            raise DataError(
                f"class {classes[label]}: one training photo, expected two or more: one to learn "
                "from, one to validate on; add photos, take the class out, or give validation "
                "photos of your own (a folder of classes: val/)"
            )
        apart[rows[: min(max(round(share * len(rows)), 1), len(rows) - 1)]] = True
    return apart


def checked(found: ClassSet, root: str | Path) -> ClassSet:
    """The set, if something can be learned from it and measured with it.

    Raises:
        DataError: a split is empty, a file is missing, there are fewer than two classes, or a class
            is tested that has no training photo.
    """
    if len(labels := set(labels_of(found.train).tolist())) < 2:
        raise DataError(
            f"{root}: training photos of {len(labels)} classes; expected two or more to tell apart"
        )
    for split, photos in (("val", found.val), ("test", found.test)):
        if not photos and split == "test":
            raise DataError(f"{root}: the test split holds no photo")
        lost = sorted(set(labels_of(photos).tolist()) - labels)
        if lost:
            raise DataError(
                f"{root}: class {found.classes[lost[0]]} has {split} photos and no training photo "
                f"({len(lost)} such classes); add photos to train or take the class out of {split}"
            )
    every = (*found.train, *found.val, *found.test)
    gone = [photo for photo in every if not photo.path.is_file()]
    if gone:
        raise DataError(
            f"{gone[0].path}: missing, as {len(gone)} of {len(every)} listed photos; unpack the "
            "data set again"
        )
    return found
