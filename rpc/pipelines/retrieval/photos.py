"""Photos to search in and to search for, of any data set that recognition reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rpc.data.class_sets.class_folders import LabelledPhoto
from rpc.data.class_sets.store_crops import is_store
from rpc.recognition.training.data_sets import open_class_set


@dataclass(frozen=True)
class ClassPhotos:
    """A data set for retrieval: what is searched in, and what is searched for.

    Attributes:
        name: of the data set.
        classes: names, by label.
        gallery: the official training photos, with validation photos where a data set has some.
        queries: the official test photos.
        split: what gallery and queries are, for people.
    """

    name: str
    classes: tuple[str, ...]
    gallery: tuple[LabelledPhoto, ...]
    queries: tuple[LabelledPhoto, ...]
    split: str = "train as gallery, test as queries"

    def limited(self, per_class: int) -> ClassPhotos:
        """The first so many photos of each class, in either split."""
        return ClassPhotos(
            self.name,
            self.classes,
            _first(self.gallery, per_class),
            _first(self.queries, per_class),
            self.split,
        )


def read_class_photos(root: str | Path) -> ClassPhotos:
    """Read a data set of any layout, see `rpc.recognition.training.data_sets.open_class_set`.

    Nothing is chosen on validation photos here, so they are in the gallery; but not those of a
    store, whose gallery is its exemplars and whose queries are the items of its test trays.

    Raises:
        DataError: none of the layouts, or something in it is missing or damaged.
    """
    data = open_class_set(root)
    if is_store(root):
        split = "exemplars as gallery, items of test trays as queries, by given boxes"
        return ClassPhotos(data.name, data.classes, data.train, data.test, split)
    split = "train and val as gallery, test as queries" if data.val else ClassPhotos.split
    return ClassPhotos(data.name, data.classes, (*data.train, *data.val), data.test, split)


def _first(photos: Sequence[LabelledPhoto], per_class: int) -> tuple[LabelledPhoto, ...]:
    if per_class < 1:
        raise ValueError(f"photos of a class: expected at least 1, got {per_class}")
    seen: dict[int, int] = {}
    kept = []
    for photo in photos:
        seen[photo.label] = seen.get(photo.label, 0) + 1
        if seen[photo.label] <= per_class:
            kept.append(photo)
    return tuple(kept)
