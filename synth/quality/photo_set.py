"""Which photos stand for a set: of a folder of scenes, of a folder of photos, of a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from rpc.data.dataset import Dataset, read_dataset
from rpc.data.files import safe_join
from rpc.data.photo_files import find_photos


@dataclass(frozen=True)
class PhotoSet:
    """Photos, and their items where these may be looked at.

    Attributes:
        paths: of N photos.
        dataset: what lies on them; None where nobody says, or nobody shall look.
        image_ids: N ids in `dataset`; empty without it.
    """

    paths: tuple[Path, ...]
    dataset: Dataset | None = None
    image_ids: tuple[int, ...] = ()

    def sample(self, most: int, rng: np.random.Generator) -> PhotoSet:
        """At most so many photos, drawn without repeats, in their order."""
        if len(self.paths) <= most:
            return self
        rows = np.sort(rng.choice(len(self.paths), most, replace=False)).tolist()
        ids = tuple(self.image_ids[row] for row in rows) if self.image_ids else ()
        return replace(self, paths=tuple(self.paths[row] for row in rows), image_ids=ids)


def labelled(paths: Sequence[Path], dataset: Dataset) -> PhotoSet:
    """Photos with their items: `paths` in the order of the data set's images."""
    ids = tuple(image.id for image in dataset.images)
    assert len(ids) == len(paths), (len(ids), len(paths))
    return PhotoSet(tuple(paths), dataset, ids)


def scenes_of(folder: str | Path) -> PhotoSet:
    """A folder of composed or rendered scenes (instances.json and images/), or of plain photos.

    Raises:
        DataError: the folder is missing, its JSON is damaged or names a file outside it, or it
            holds no photo.
    """
    folder = Path(folder)
    if not (folder / "instances.json").is_file():
        expected = "scenes: instances.json and images/, or photos"
        return PhotoSet(find_photos(folder, expected).photos)
    dataset = read_dataset(folder / "instances.json")
    paths = [safe_join(folder, f"images/{image.file_name}") for image in dataset.images]
    return labelled(paths, dataset)
