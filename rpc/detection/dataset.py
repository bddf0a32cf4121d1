"""Checkout data for mmdet, read through `rpc.data`; labels by the taxonomy, images as RGB."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, get_args

from mmdet.datasets.base_det_dataset import BaseDetDataset
from mmdet.registry import DATASETS

from rpc.data.dataset import Dataset, ImageInfo, read_dataset
from rpc.data.files import DataError, safe_join
from rpc.data.store import Store
from rpc.data.taxonomy import Category, Taxonomy

Source = Literal["scenes", "exemplars", "val", "test"]

PRODUCT = Taxonomy([Category(1, "product")])


@DATASETS.register_module()
class CheckoutDataset(BaseDetDataset):
    """Images and boxes of one source.

    Args:
        root: the store, or for "scenes" the folder with `instances.json` and `images/`.
        source: "scenes" (composed), "exemplars" (the 'Single' baseline: raw photos with one box),
            or a split of checkout images, "val" or "test".
        agnostic: every SKU becomes the one class "product".
        **kwargs: `pipeline`, `indices`, `test_mode`, ... of mmdet's `BaseDetDataset`.

    Raises:
        DataError: what is to be read is missing or damaged.
    """

    def __init__(self, root: str, source: Source, agnostic: bool = False, **kwargs: Any) -> None:
        self._data, self._path_of = read_source(root, source, agnostic=agnostic)
        taxonomy = self._data.taxonomy
        metainfo = {"classes": taxonomy.names, "category_ids": taxonomy.ids}
        super().__init__(metainfo=metainfo, **kwargs)
        del self._data, self._path_of  # mmengine keeps its own compact copy

    def load_data_list(self) -> list[dict[str, Any]]:
        """One entry an image, in the order of the file, as mmdet's transforms expect it."""
        label = self._data.taxonomy.label
        places = [self._path_of(image) for image in self._data.images]
        gone = [path for path in places if not path.exists()]
        if gone:
            raise DataError(
                f"{gone[0]}: missing, as {len(gone):,} of {len(places):,} listed photos; unpack "
                "all parts of the data set"
            )
        return [
            {
                "img_id": image.id,
                "img_path": str(path),
                "height": image.height,
                "width": image.width,
                "instances": [
                    {"bbox": list(a.bbox), "bbox_label": label(a.category_id), "ignore_flag": 0}
                    for a in self._data.annotations_of(image.id)
                ],
            }
            for image, path in zip(self._data.images, places, strict=True)
        ]


def read_source(
    root: str | Path, source: Source, *, agnostic: bool = False
) -> tuple[Dataset, Callable[[ImageInfo], Path]]:
    """The data set of a source, and where the file of each of its images is.

    Raises:
        DataError: what is to be read is missing or damaged, or the source is unknown.
    """
    if source not in get_args(Source):
        raise DataError(f"source {source!r}: expected one of {', '.join(get_args(Source))}")
    if source == "scenes":
        folder = Path(root) / "images"
        dataset = read_dataset(Path(root) / "instances.json")

        def path_of(image: ImageInfo) -> Path:
            return safe_join(folder, image.file_name)

    else:
        store = Store.open(root)
        split = "train" if source == "exemplars" else source
        dataset = store.split(split)

        def path_of(image: ImageInfo) -> Path:
            return store.image_path(split, image)

    if not dataset.images:
        raise DataError(f"{dataset.path}: lists no image; expected at least one")
    return (without_skus(dataset) if agnostic else dataset), path_of


def without_skus(dataset: Dataset) -> Dataset:
    """The same items, all of the one class "product"."""
    annotations = tuple(replace(a, category_id=PRODUCT.ids[0]) for a in dataset.annotations)
    return replace(dataset, annotations=annotations, taxonomy=PRODUCT)
