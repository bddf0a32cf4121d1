"""A store: the folder that holds a data set's exemplars and checkout images."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Final, Literal

from rpc.data.by_kind import told_by_kind
from rpc.data.dataset import Dataset, ImageInfo, read_dataset
from rpc.data.exemplars import Exemplar, list_exemplars
from rpc.data.files import DataError
from rpc.data.images import image_size
from rpc.data.photo_names import PhotoFolder
from rpc.data.shown_names import shown_name
from rpc.data.taxonomy import Taxonomy

logger = logging.getLogger(__name__)

Split = Literal["train", "val", "test"]

SHOWN: Final = 4  # other JSON files named

SPLITS: Final[tuple[Split, Split, Split]] = ("train", "val", "test")

# What `new` writes beside the exemplars' file.
OWN_JSON: Final = frozenset({"import.json", "instances_val.json", "instances_test.json"})
# Image folders and JSON files by split: our short names, then RPC's own.
_FOLDERS: Final[Mapping[Split, tuple[str, ...]]] = {
    "train": ("exemplars", "train2019"),
    "val": ("val", "val2019"),
    "test": ("test", "test2019"),
}


class Store:
    """One data set on disk; open it with `Store.open`.

    What was understood on reading (`Dataset.notes`, names of photos that are written otherwise than
    the files') is logged, a line a kind; the commands print it.

    Example:
        >>> store = Store.open("examples/ministore")
        >>> len(store.taxonomy), len(store.split("val").images)
        (12, 18)
    """

    def __init__(self, root: Path, *, follow_links: bool | None = None) -> None:
        self.root = root
        self.follow_links = follow_links
        self._splits: dict[Split, Dataset] = {}
        self._folders: dict[Split, PhotoFolder] = {}
        self._told: set[Split] = set()

    @classmethod
    def open(cls, root: str | Path, *, follow_links: bool | None = None) -> Store:
        """Open a folder in RPC's shape, with our short names or RPC's own (`train2019`, ...).

        Only the train split is read here; `val` and `test` may be missing.

        Args:
            root: the folder.
            follow_links: whether links may lead out of it, to photos on another disk; None as
                `safe_join`.

        Raises:
            DataError: the folder, its exemplars or its train JSON are missing or damaged.
        """
        store = cls(Path(root), follow_links=follow_links)
        if not store.root.is_dir():
            raise DataError(f"{root}: no such folder; expected a store (see docs/overview.md)")
        folder = store.image_dir("train")
        if not folder.is_dir():
            instead = "" if store.has_split("train") else other_json(store.root)
            raise DataError(
                f"{root}: has no folder 'exemplars' (or 'train2019') of product photos{instead}"
            )
        if not any(folder.iterdir()):
            raise DataError(f"{folder}: is empty; expected one photo or more of each SKU")
        if not store.split("train").annotations:
            raise DataError(f"{store.json_path('train')}: lists no exemplar at all")
        return store

    @property
    def taxonomy(self) -> Taxonomy:
        """The SKUs, as the train split lists them."""
        return self.split("train").taxonomy

    def has_split(self, name: Split) -> bool:
        """Whether the split's JSON file is there."""
        return self._find_json(name) is not None

    def json_path(self, name: Split) -> Path:
        """The split's JSON file.

        Raises:
            DataError: there is none.
        """
        path = self._find_json(name)
        if path is None:
            raise DataError(
                f"{self.root}: has no instances_{name}.json (or ..._{name}2019.json)"
                f"{other_json(self.root) if name == 'train' else ''}"
            )
        return path

    def split(self, name: Split) -> Dataset:
        """The split's images and annotations, read once.

        Raises:
            DataError: the JSON file is missing or damaged, or its categories differ from train's.
        """
        if name not in self._splits:
            path = self.json_path(name)
            dataset = read_dataset(path, size_of=self.size_of(name))
            if name != "train" and (unlike := self.taxonomy.difference(dataset.taxonomy)):
                raise DataError(f"{path}: its categories differ from those of train: {unlike}")
            for line in told_by_kind(dataset.notes):
                logger.warning("%s", line)
            self._splits[name] = dataset
        return self._splits[name]

    def image_dir(self, split: Split) -> Path:
        """The folder with the split's images."""
        names = _known(split)
        for name in names:
            if (self.root / name).is_dir():
                return self.root / name
        path = self._find_json(split)  # RPC's own file is of RPC's own folder
        return self.root / names[path is not None and path.stem.endswith("2019")]

    def image_path(self, split: Split, image: ImageInfo) -> Path:
        """Where the file of an image is: outside the store only by links that may be followed.

        Raises:
            DataError: the file name of the JSON leads out of the store.
        """
        photos = self.photo_folder(split)
        try:
            path, how = photos.find(image.file_name)
        except DataError as error:
            raise DataError(f"{photos.folder}: image {image.id}: {error}") from error
        if how and split not in self._told:
            self._told.add(split)
            for line in told_by_kind(photos.notes(i.file_name for i in self.split(split).images)):
                logger.warning("%s", line)
        return path

    def photo_folder(self, split: Split) -> PhotoFolder:
        """The folder of the split's images, which finds them by the names of its JSON."""
        if split not in self._folders:
            folder = self.image_dir(split)
            self._folders[split] = PhotoFolder(folder, self.root, follow_links=self.follow_links)
        return self._folders[split]

    def size_of(self, split: Split) -> Callable[[str], tuple[int, int]]:
        """The size of a photo by its file name, from its header, for entries without a size."""
        return lambda name: image_size(self.photo_folder(split).path(name))

    def exemplars(self) -> list[Exemplar]:
        """The exemplars, in the order of the train split.

        Raises:
            DataError: a file name leads out of the store.
        """
        return list(self._exemplars)

    @cached_property
    def _exemplars(self) -> list[Exemplar]:
        return list_exemplars(self.split("train"), lambda image: self.image_path("train", image))

    def _find_json(self, name: Split) -> Path | None:
        _known(name)
        for suffix in ("", "2019"):
            path = self.root / f"instances_{name}{suffix}.json"
            if path.is_file():
                return path
        return None


def other_json(root: Path) -> str:
    """The JSON files that are in a folder instead of a store's, for a message; empty if none."""
    found = [p for pattern in ("*.json", "*/*.json") for p in sorted(root.glob(pattern))]
    if not found:
        return ""
    names = ", ".join(shown_name(p.relative_to(root).as_posix()) for p in found[:SHOWN])
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    export = ": an annotation tool's export becomes a store by rpc-checkout new"
    return f"; found {names}{more}{'' if {p.name for p in found} <= OWN_JSON else export}"


def _known(split: Split) -> tuple[str, ...]:
    if split not in _FOLDERS:
        raise DataError(f"split {split!r}: expected one of {', '.join(SPLITS)}")
    return _FOLDERS[split]
