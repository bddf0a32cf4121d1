"""Exemplars: photos of one product, by SKU, camera and view."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from rpc.data.dataset import Dataset
from rpc.data.entry_photo import read_entry_photo
from rpc.data.records import Box, ImageInfo

# RPC's names: 6924882486100_camera3-12.jpg. Cameras: 0 from above, 1 at 45 degrees, 2 at 30, 3
# from the side; a data set may number them otherwise.
_NAME = re.compile(r"(?P<sku>.+)_camera(?P<camera>\d{1,6})-(?P<view>\d{1,6})", re.DOTALL)


@dataclass(frozen=True)
class Exemplar:
    """One product on one photo.

    Attributes:
        path: the photo.
        category_id: the file's id of its SKU.
        camera: number of the camera; None where unknown.
        view: number of the shot of this camera; None where unknown.
        box: x1, y1, x2, y2 of the product in pixels.
        size: width and height of the photo that the box was drawn on; None where not known.
        box_found: nobody drew the box, an import found it (`box_quality` in the file).
    """

    path: Path
    category_id: int
    camera: int | None
    view: int | None
    box: Box
    size: tuple[int, int] | None = None
    box_found: bool = False

    def read(self) -> NDArray[np.uint8]:
        """The photo (H, W, 3) that the box was drawn on, upright.

        Raises:
            DataError: it is missing or damaged, or the box belongs to another size or turn of it.
        """
        return read_entry_photo(self.path, self.size, [self.box])


def parse_exemplar_name(name: str) -> tuple[str | None, int | None, int | None]:
    """SKU, camera and view of a name `<sku>_camera<c>-<view>.jpg`; all None for other names."""
    match = _NAME.fullmatch(PurePosixPath(name).stem)
    if match is None:
        return None, None, None
    return match["sku"], int(match["camera"]), int(match["view"])


def list_exemplars(dataset: Dataset, path_of: Callable[[ImageInfo], Path]) -> list[Exemplar]:
    """The exemplars of a train split, in the order of its images.

    `camera` and `view` of the JSON win over those of the file name. A photo with several boxes
    gives several exemplars, one without a box gives none.

    Args:
        dataset: the train split.
        path_of: where the file of an image is.
    """
    exemplars = []
    for image in dataset.images:
        annotations = dataset.annotations_of(image.id)
        if not annotations:
            continue
        path = path_of(image)
        _, camera, view = parse_exemplar_name(image.file_name)
        camera, view = _number(image, "camera", camera), _number(image, "view", view)
        size = (image.width, image.height)
        exemplars += [
            Exemplar(path, a.category_id, camera, view, a.bbox, size, "box_quality" in a.extra)
            for a in annotations
        ]
    return exemplars


def _number(image: ImageInfo, name: str, fallback: int | None) -> int | None:
    value = image.extra.get(name)
    return value if type(value) is int else fallback
