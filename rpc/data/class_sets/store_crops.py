"""Products cut out of a store's photos by their boxes: of exemplars, composed scenes and trays."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from rpc.data.class_sets.class_folders import LabelledPhoto
from rpc.data.class_sets.class_set import ClassSet
from rpc.data.dataset import Dataset, ImageInfo, read_dataset
from rpc.data.files import DataError
from rpc.data.key_points import key_point_names, key_points
from rpc.data.photo_names import PhotoFolder
from rpc.data.records import Box
from rpc.data.store import SPLITS, Split, Store

LISTS: Final = ("instances_train.json", "instances_train2019.json")
LEAST_VISIBLE: Final = 0.3  # of an item on a composed scene, to be learned from


def is_store(root: str | Path) -> bool:
    """Whether a folder is a store in RPC's shape."""
    return any((Path(root) / name).is_file() for name in LISTS)


def read_store_set(root: str | Path, margin: float, scenes: str | Path | None = None) -> ClassSet:
    """Crops by given boxes: exemplars to learn from, those of val trays and of test trays.

    Key points come along where categories name some (`rpc.data.key_points`).

    Args:
        root: a store in RPC's shape.
        margin: around a box, as a share of its sides.
        scenes: composed scenes of the same store, to learn from besides.

    Raises:
        DataError: the store has no test trays, or none with an item; something in it or in the
            scenes is missing or damaged; the scenes are of another store.
    """
    store = Store.open(root)
    if not store.has_split("test"):
        raise DataError(f"{root}: has no instances_test.json: nothing to measure on")
    there: list[Split] = [split for split in SPLITS if store.has_split(split)]
    points = key_point_names(store.split(split) for split in there)
    splits: dict[str, tuple[LabelledPhoto, ...]] = {"val": ()}
    for split in there:
        folder = store.image_dir(split)
        path_of = partial(store.image_path, split)
        splits[split] = _crops(store.split(split), path_of, folder.name, margin, points)
    train = splits["train"]
    if scenes is not None:
        train = (*train, *_scene_crops(store, Path(scenes), margin, points))
    categories = [store.taxonomy.category(label) for label in range(len(store.taxonomy))]
    families = tuple(category.family or category.supercategory for category in categories)
    learned = "exemplars" if scenes is None else "exemplars and composed scenes"
    return ClassSet(
        store.root.resolve().name,
        tuple(category.name for category in categories),
        train,
        splits["val"],
        splits["test"],
        families=families if any(families) else (),
        points=points,
        rotated=True,
        splits=f"crops by given boxes of {learned}, of val trays and of test trays",
    )


def _scene_crops(
    store: Store, scenes: Path, margin: float, points: tuple[str, ...]
) -> tuple[LabelledPhoto, ...]:
    data = read_dataset(scenes / "instances.json")
    if unlike := store.taxonomy.difference(data.taxonomy):
        raise DataError(f"{scenes}: scenes of another store than {store.root}: {unlike}")
    photos = PhotoFolder(scenes / "images", scenes)
    return _crops(data, lambda i: photos.path(i.file_name), "images", margin, points, LEAST_VISIBLE)


def _crops(
    data: Dataset,
    path_of: Callable[[ImageInfo], Path],
    folder: str,
    margin: float,
    points: tuple[str, ...],
    least_visible: float = 0.0,
) -> tuple[LabelledPhoto, ...]:
    crops = []
    placed = key_points(data, points)
    for image in data.images:
        for item in data.annotations_of(image.id):
            if item.visible is not None and item.visible < least_visible:
                continue
            name = f"{folder}/{image.file_name}"
            label = data.taxonomy.label(item.category_id)
            crop = _grown(item.bbox, margin, image.width, image.height)
            path = path_of(image)
            size = (image.width, image.height)
            where = f"{name}#{item.id}"
            crops.append(LabelledPhoto(path, label, crop, item.bbox, placed[item.id], where, size))
    return tuple(crops)


def _grown(box: Box, margin: float, width: int, height: int) -> Box:
    x1, y1, x2, y2 = box
    across, down = margin * (x2 - x1), margin * (y2 - y1)
    return max(x1 - across, 0), max(y1 - down, 0), min(x2 + across, width), min(y2 + down, height)
