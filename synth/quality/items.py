"""Plain figures of the items on a photo, from its annotations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rpc.data.dataset import Dataset
from rpc.data.records import Annotation, ImageInfo
from synth.quality.statistics import Statistic

Values = NDArray[np.float64]

ITEM_STATISTICS: Final[Mapping[str, Statistic]] = {
    "items": Statistic("items on the tray", "items"),
    "item_size": Statistic("item size"),
    "visible": Statistic("visible fraction of an item"),
}


def item_statistics(dataset: Dataset, image_ids: Sequence[int]) -> dict[str, list[Values]]:
    """The `ITEM_STATISTICS` by name, an array of values for each image.

    - items: how many, one value an image.
    - item_size: root of box area over image area, a value an item: both sides have boxes.
    - visible: fraction not hidden, a value an item; left out unless the file has it of every item.

    Args:
        dataset: images and their items.
        image_ids: which images, in this order.

    Raises:
        DataError: no image has one of these ids.
    """
    shown = [(dataset.image(i), dataset.annotations_of(i)) for i in image_ids]
    figures = {
        "items": [np.array([float(len(items))]) for _, items in shown],
        "item_size": [_sizes(image, items) for image, items in shown],
    }
    known = [item.visible is not None for _, items in shown for item in items]
    if known and all(known):
        figures["visible"] = [
            np.array([item.visible for item in items], dtype=np.float64) for _, items in shown
        ]
    return figures


def _sizes(image: ImageInfo, items: Sequence[Annotation]) -> Values:
    boxes = np.array([item.bbox for item in items], dtype=np.float64).reshape(-1, 4)
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return np.asarray(np.sqrt(areas / (image.width * image.height)))
