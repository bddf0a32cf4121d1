"""The worst carts, drawn: what was missed, extra or confused, one picture a cart."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rpc.counting.matching import truth_of
from rpc.data import DataError, Dataset, ImageInfo
from rpc.data.entry_photo import read_entry_photo
from rpc.data.file_group import remove_with_group
from rpc.data.images import write_image
from rpc.pictures.draw import draw_tray
from rpc.reporting.evaluation.reading import Reading

FOLDER: Final = "worst_carts"
MOST: Final = 24
QUALITY: Final = 85
OURS: Final = re.compile(r"\d{3,}_-?\d+\.jpg")


def write_worst_carts(
    folder: str | Path,
    dataset: Dataset,
    reading: Reading,
    photo: Callable[[ImageInfo], Path],
    *,
    most: int = MOST,
) -> dict[str, Any]:
    """Draw the carts counted wrong, worst first, into `worst_carts/` of a report's folder.

    A cart whose photo is not there, cannot be read or has another size than the data set says, is
    named and passed over. Pictures that an
    earlier run left in that folder are removed.

    Args:
        folder: of the report.
        dataset: the images with their true items.
        reading: how they were read; without boxes there is nothing to draw.
        photo: where an image's file is.
        most: carts at most, those without a photo included.

    Returns:
        For `report["worst_carts"]`: `pictures`, rows with `image_id`, `file_name`, `wrong` (items)
        and `picture` (path from the report's folder); and `missing`, the names of files without a
        photo.

    Raises:
        DataError: a picture cannot be written.
    """
    pictures: list[Mapping[str, Any]] = []
    missing: list[str] = []
    if reading.boxes is None:
        return {"pictures": pictures, "missing": missing}
    wrong = np.abs(reading.counts - dataset.counts()).sum(axis=1)
    worst = np.argsort(-wrong, kind="stable")[: min(most, int((wrong > 0).sum()))]
    for place, row in enumerate(worst.tolist(), start=1):
        image = dataset.images[row]
        rgb = _photo(image, photo)
        if rgb is None:
            missing.append(image.file_name)
            continue
        name = f"{FOLDER}/{place:03d}_{image.id}.jpg"
        drawn = draw_tray(
            rgb,
            reading.boxes.counted[row],
            dataset.taxonomy,
            truth=truth_of(dataset, image.id),
        )
        write_image(Path(folder) / name, drawn, quality=QUALITY)
        facts = {"image_id": image.id, "file_name": image.file_name, "wrong": int(wrong[row])}
        pictures.append({**facts, "picture": name})
    _remove_older(Path(folder) / FOLDER, {Path(one["picture"]).name for one in pictures})
    return {"pictures": pictures, "missing": missing}


def _photo(image: ImageInfo, photo: Callable[[ImageInfo], Path]) -> NDArray[np.uint8] | None:
    try:
        return read_entry_photo(photo(image), (image.width, image.height))
    except DataError:
        return None


def _remove_older(folder: Path, keep: set[str]) -> None:
    """Remove pictures of ours that belong to an earlier report; other files stay."""
    for path in folder.glob("*.jpg") if folder.is_dir() else ():
        if OURS.fullmatch(path.name) and path.name not in keep:
            remove_with_group(path)
