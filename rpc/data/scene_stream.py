"""Scenes to train on, by number: read from a written set, or made when they are asked for.

A training asks for scenes alone; who makes them (`synth.compose.stream`) is passed in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rpc.data.dataset import Dataset, read_dataset
from rpc.data.entry_photo import read_entry_photo
from rpc.data.files import safe_join
from rpc.data.taxonomy import Taxonomy

Rgb = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class TrainingScene:
    """One scene and its N items.

    Attributes:
        boxes: (N, 4) float64, xyxy in pixels, of what is in sight of each item.
        labels: (N,) int64, the source's taxonomy's.
        width: pixels.
        height: pixels.
        read: gives RGB (height, width, 3) uint8.
    """

    boxes: NDArray[np.float64]
    labels: NDArray[np.int64]
    width: int
    height: int
    read: Callable[[], Rgb]


class SceneSource(Protocol):
    """Scenes by number: scene i is the same whenever, wherever and in whatever order it is made.

    It is sent to worker processes: picklable, and small.
    """

    @property
    def taxonomy(self) -> Taxonomy:
        """The SKUs."""
        ...

    @property
    def fingerprint(self) -> str:
        """Of everything that decides the scenes: other scenes have another one."""
        ...

    @property
    def count(self) -> int | None:
        """How many there are; None: as many as are asked for."""
        ...

    def scene(self, index: int) -> TrainingScene:
        """Scene `index`.

        Raises:
            DataError: what it is made of is missing or damaged.
        """
        ...


class WrittenScenes:
    """The scenes of a folder, or any data set with its photos; see `SceneSource`.

    Args:
        data: images and items.
        folder: of the images.
    """

    def __init__(self, data: Dataset, folder: Path) -> None:
        self.data, self.folder = data, folder

    @classmethod
    def open(cls, root: str | Path) -> WrittenScenes:
        """The scenes of a folder with `instances.json` and `images/`.

        Raises:
            DataError: the file is missing or damaged.
        """
        return cls(read_dataset(Path(root) / "instances.json"), Path(root) / "images")

    @property
    def taxonomy(self) -> Taxonomy:
        """The SKUs."""
        return self.data.taxonomy

    @property
    def fingerprint(self) -> str:
        """Of images and items."""
        parts = [f"{image.file_name} {image.width} {image.height}" for image in self.data.images]
        parts += [f"{a.image_id} {a.category_id} {a.bbox}" for a in self.data.annotations]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.data.images)

    def scene(self, index: int) -> TrainingScene:
        """Scene `index` in the order of the file; its pixels are read when asked for.

        Raises:
            DataError: (when read) the image is missing, damaged or of another size.
        """
        image = self.data.images[index]
        items = self.data.annotations_of(image.id)

        def read() -> Rgb:
            path = safe_join(self.folder, image.file_name)
            return read_entry_photo(path, (image.width, image.height))

        return TrainingScene(
            np.array([a.bbox for a in items], dtype=np.float64).reshape(-1, 4),
            self.taxonomy.labels(a.category_id for a in items),
            image.width,
            image.height,
            read,
        )
