"""A data set's JSON (COCO's, as RPC ships it): read with checks, kept as records, written back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rpc.data.by_kind import Problem, told_in_one_line
from rpc.data.coco_checks import UNKNOWN_SIDE, SizeOf, check_annotations, check_images
from rpc.data.coco_forms import IdNumbers, read_categories
from rpc.data.files import DataError, read_json, uncollected, write_json
from rpc.data.levels import Level
from rpc.data.records import Annotation, ImageInfo
from rpc.data.taxonomy import Taxonomy

__all__ = [
    "Annotation",
    "Dataset",
    "ImageInfo",
    "Problem",
    "read_dataset",
    "scan_dataset",
    "write_dataset",
]

_TOP = ("images", "annotations", "categories")


@dataclass(frozen=True)
class Dataset:
    """Images and the items on them.

    Attributes:
        images: N images, in the order of the file.
        annotations: items, in the order of the file.
        taxonomy: K SKUs.
        path: the JSON file it was read from; None for one made in memory.
        extra: other fields of the file (`info`, `licenses`, RPC's `__raw_Chinese_name_df`).
        clipped: how many boxes reached out of their image a little and were cut on reading.
        notes: what else was understood or repaired on reading, by kind.
        image_names: ids of images that are text in the file, and the numbers read for them.
        category_names: likewise of categories.

    Raises:
        DataError: an id is there twice, or an annotation names an image or SKU that is not there.
    """

    images: tuple[ImageInfo, ...]
    annotations: tuple[Annotation, ...]
    taxonomy: Taxonomy
    path: Path | None = field(default=None, compare=False)
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)
    clipped: int = field(default=0, compare=False)
    notes: tuple[Problem, ...] = field(default=(), compare=False)
    image_names: Mapping[str, int] = field(default_factory=dict, repr=False, compare=False)
    category_names: Mapping[str, int] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "images", tuple(self.images))
        object.__setattr__(self, "annotations", tuple(self.annotations))
        where = self.path or "data set"
        for kind, records in (("image", self.images), ("annotation", self.annotations)):
            ids = [record.id for record in records]
            if len(set(ids)) < len(ids):
                number, times = Counter(ids).most_common(1)[0]
                raise DataError(f"{where}: {kind} id {number} is there {times} times")
        if {a.image_id for a in self.annotations} <= self._rows.keys() and (
            {a.category_id for a in self.annotations} <= set(self.taxonomy.ids)
        ):
            return
        for a in self.annotations:
            if a.image_id not in self._rows:
                raise DataError(f"{where}: annotation {a.id}: no image has the id {a.image_id}")
            if a.category_id not in self.taxonomy:
                raise DataError(f"{where}: annotation {a.id}: no SKU has the id {a.category_id}")

    def __len__(self) -> int:
        """Number of images."""
        return len(self.images)

    def image(self, image_id: int) -> ImageInfo:
        """The image of this id.

        Raises:
            DataError: there is none.
        """
        return self.images[self._row(image_id)]

    def annotations_of(self, image_id: int) -> tuple[Annotation, ...]:
        """The items on one image, in the order of the file; empty for an empty tray.

        Raises:
            DataError: no image has this id.
        """
        return self._by_image[self._row(image_id)]

    def counts(self) -> NDArray[np.int64]:
        """Ground-truth shopping lists (N, K): items of each SKU by image, both in our order."""
        n, k = len(self.images), len(self.taxonomy)
        rows, labels = self.places()
        return np.bincount(rows * k + labels, minlength=n * k).reshape(n, k).astype(np.int64)

    def places(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Row of its image (G,) and label of its SKU (G,) for each item, in the file's order."""
        return self._places

    def levels(self) -> list[Level | None]:
        """Clutter level of each image; None where the file has none."""
        return [image.level for image in self.images]

    def subset(self, image_ids: Collection[int]) -> Dataset:
        """The data set of these images alone, in our order; the SKUs stay.

        Raises:
            DataError: no image has one of these ids.
        """
        wanted = {self.image(image_id).id for image_id in image_ids}
        return Dataset(
            images=tuple(image for image in self.images if image.id in wanted),
            annotations=tuple(a for a in self.annotations if a.image_id in wanted),
            taxonomy=self.taxonomy,
            path=self.path,
            extra=self.extra,
            notes=self.notes,
            image_names=self.image_names,
            category_names=self.category_names,
        )

    def to_coco(self) -> dict[str, Any]:
        """The JSON object of the file: plain values, boxes as x, y, width, height."""
        return {
            **self.extra,
            "images": [image.to_coco() for image in self.images],
            "annotations": [a.to_coco() for a in self.annotations],
            "categories": self.taxonomy.to_list(),
        }

    @cached_property
    def _rows(self) -> dict[int, int]:
        return {image.id: row for row, image in enumerate(self.images)}

    @cached_property
    def _places(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        rows = np.array([self._rows[a.image_id] for a in self.annotations], dtype=np.int64)
        labels = self.taxonomy.labels(a.category_id for a in self.annotations)
        for shared in (rows, labels):
            shared.setflags(write=False)
        return rows, labels

    @cached_property
    def _by_image(self) -> list[tuple[Annotation, ...]]:
        groups: list[list[Annotation]] = [[] for _ in self.images]
        for a in self.annotations:
            groups[self._rows[a.image_id]].append(a)
        return [tuple(group) for group in groups]

    def _row(self, image_id: int) -> int:
        try:
            return self._rows[image_id]
        except KeyError:
            raise DataError(f"{self.path or 'data set'}: no image has the id {image_id}") from None


def read_dataset(
    path: str | Path, *, strict: bool = True, size_of: SizeOf | None = None
) -> Dataset:
    """Read and check a data set's JSON; a byte order mark is allowed.

    What is written in another form but can mean one thing only is read as it, and `notes` say so:
    ids 7.0 and "7" or of any text, sizes "640", boxes that reach out of their image a little
    (see `coco_checks.CUT_SHARE_OF_SIDE`), annotations without an id, CVAT's `iscrowd: 1`. File
    names are not looked at here: whoever opens a photo does.

    Args:
        path: the JSON file.
        strict: refuse a file with damaged entries; otherwise leave these out.
        size_of: width and height of a photo by its file name, for images whose entry has none;
            where it gives None, the size is the extent of the image's boxes: enough for scores.

    Raises:
        DataError: the file is missing or not JSON, has no usable categories, or (strict) an entry
            is damaged: a field is missing, an id is there twice or unknown, a box is not finite,
            has no size or lies outside its image, or a level is unknown.
    """
    with uncollected():
        dataset, problems = _parse(read_json(path), Path(path), size_of)
    if strict and problems:
        raise DataError(f"{told_in_one_line(problems)}; correct the file")
    return dataset


def scan_dataset(
    path: str | Path, size_of: SizeOf | None = None
) -> tuple[Dataset | None, list[Problem]]:
    """Read what is usable of a data set's JSON, and all its problems; raises nothing.

    Returns:
        The data set without its damaged entries (None where nothing is usable), and the problems.
    """
    try:
        return _parse(read_json(path), Path(path), size_of)
    except DataError as error:
        return None, [Problem(str(path), str(error).removeprefix(f"{path}: "))]


def write_dataset(path: str | Path, dataset: Dataset) -> Path:
    """Write a data set as COCO JSON, whole or not at all; `read_dataset` gives it back equal.

    Raises:
        DataError: the file cannot be written.
    """
    return write_json(path, dataset.to_coco())


def _parse(
    raw: dict[str, Any], path: Path, size_of: SizeOf | None
) -> tuple[Dataset, list[Problem]]:
    for name in _TOP:
        if not isinstance(raw.get(name), list):
            raise DataError(f"{path}: expected the field '{name}' with a list")
    categories, told, category_numbers = read_categories(raw["categories"])
    try:
        taxonomy = Taxonomy.from_list(categories)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    checked = check_images(raw["images"], str(path), size_of)
    sizes = {entry["id"]: (entry["width"], entry["height"]) for entry in checked.entries}
    checked_items, boxes, clipped = check_annotations(
        raw["annotations"],
        str(path),
        sizes,
        frozenset(taxonomy.ids),
        checked.ids,
        category_numbers,
        checked.dropped,
    )
    if (UNKNOWN_SIDE, UNKNOWN_SIDE) in sizes.values():
        _take_extents(checked.entries, checked_items.column("image_id"), boxes)
    pairs = zip(checked_items.entries, boxes.tolist(), strict=True)
    notes = [Problem(str(path), what) for what in told]
    dataset = Dataset(
        images=tuple(map(ImageInfo.from_coco, checked.entries)),
        annotations=tuple(Annotation.from_coco(entry, box) for entry, box in pairs),
        taxonomy=taxonomy,
        path=path,
        extra={key: value for key, value in raw.items() if key not in _TOP},
        clipped=clipped,
        notes=(*notes, *checked.notes, *checked_items.notes),
        image_names=_texts(checked.ids),
        category_names=_texts(category_numbers),
    )
    return dataset, checked.problems + checked_items.problems


def _take_extents(
    entries: list[dict[str, Any]], image_ids: list[int], boxes: NDArray[np.float64]
) -> None:
    """Images of unknown size get that of what lies on them."""
    reach: dict[int, NDArray[np.float64]] = {}
    for number, box in zip(image_ids, boxes, strict=True):
        reach[number] = np.maximum(reach.get(number, np.ones(2)), box[2:])
    for row, entry in enumerate(entries):
        if entry["width"] == UNKNOWN_SIDE:
            width, height = np.ceil(reach.get(entry["id"], np.ones(2))).astype(int).tolist()
            entries[row] = {**entry, "width": width, "height": height}


def _texts(numbers: IdNumbers | None) -> Mapping[str, int]:
    return numbers.texts if numbers is not None else {}
