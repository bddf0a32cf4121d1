"""Photos of one class each, and the layout that needs no list: a folder per class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rpc.data.entry_photo import read_entry_photo
from rpc.data.files import DataError, safe_join
from rpc.data.photo_files import scan_photos, told_by_kind
from rpc.data.records import Box
from rpc.data.shown_names import is_text, same_name_key, shown_name, title_of
from rpc.data.system_files import is_system_folder


@dataclass(frozen=True)
class LabelledPhoto:
    """A photo that shows something of one class.

    Attributes:
        path: of the file.
        label: 0-based index among the classes.
        crop: x1, y1, x2, y2 px, the part of the photo that is meant; None for all of it.
        box: x1, y1, x2, y2 px of the photo, where the object is; None where not known.
        points: (x, y, 1 in sight or 0) px of the photo, one a key point.
        name: path from the data set's root, with '/'; empty for a photo of no data set.
        size: width and height of the photo that crop and box belong to; None where not known.
        head: x1, y1, x2, y2 px of the photo, where an animal's head is; None where not known.
    """

    path: Path
    label: int
    crop: Box | None = None
    box: Box | None = None
    points: tuple[tuple[float, float, float], ...] = ()
    name: str = ""
    size: tuple[int, int] | None = None
    head: Box | None = None

    def read(self) -> NDArray[np.uint8]:
        """The part that is meant, RGB (H, W, 3): whole pixels, of which the crop touches any.

        Raises:
            DataError: the photo is missing or damaged, has another size than its boxes belong to,
                or the crop has no pixel in it.
        """
        if self.crop is None:
            return read_entry_photo(self.path, self.size)
        left, top = self._corner
        right, bottom = (int(np.ceil(edge)) for edge in self.crop[2:])
        rgb = read_entry_photo(self.path, self.size)[top:bottom, left:right]
        if not rgb.size:
            raise DataError(f"{self.path}: the box {self.crop} has no pixel in the photo")
        return rgb.copy()

    @property
    def box_read(self) -> Box | None:
        """The box in the pixels that `read` gives."""
        if self.box is None:
            return None
        (x1, y1, x2, y2), (left, top) = self.box, self._corner
        return x1 - left, y1 - top, x2 - left, y2 - top

    @property
    def _corner(self) -> tuple[int, int]:
        if self.crop is None:
            return 0, 0
        return max(int(self.crop[0]), 0), max(int(self.crop[1]), 0)


def class_titles(root: Path, splits: Sequence[str]) -> tuple[str, ...]:
    """The classes that have a folder in one of the splits, in order.

    Raises:
        DataError: a split is missing or holds no folder, photos lie beside the folders, or two
            folders have names that look the same.
    """
    return tuple(sorted({name for split in splits for name in _class_folders(root / split)}))


def photos_by_class(root: Path, split: str, classes: Sequence[str]) -> tuple[LabelledPhoto, ...]:
    """The photos of `root/<split>/<class>/`.

    Raises:
        DataError: there is no such folder, one that is none of the classes, or one without a photo;
            or photos would be left out.
    """
    index = {name: label for label, name in enumerate(classes)}
    photos = []
    for title, folder in _class_folders(root / split).items():
        if title not in index:
            raise DataError(f"{folder}: a class that train/ and test/ do not have")
        for file in _photos_in(folder):
            name = f"{split}/{folder.name}/{file}"
            photos.append(LabelledPhoto(safe_join(root, name), index[title], name=name))
    return tuple(photos)


def _class_folders(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise DataError(f"{folder}: missing; expected one folder of photos a class")
    found = sorted(p for p in folder.iterdir() if p.is_dir() and not is_system_folder(p.name))
    if not found:
        raise DataError(f"{folder}: holds no folder; expected one folder of photos a class")
    loose = scan_photos(folder, "one folder of photos a class").photos
    if loose:
        raise DataError(
            f"{shown_name(loose[0])}: a photo that lies in no class's folder ({len(loose)} such); "
            "move it into one or remove it"
        )
    folders: dict[str, Path] = {}
    alike: dict[str, Path] = {}
    for path in found:
        _require_text(path)
        other = alike.setdefault(same_name_key(path.name), path)
        if other is not path:
            raise DataError(
                f"{shown_name(path)}: another folder, {shown_name(other.name)}, has a name that "
                "looks the same or differs in case alone; join both"
            )
        folders[title_of(path.name)] = path
    return folders


def _photos_in(folder: Path) -> list[str]:
    """Names of a class's photos, in order; system files and what is no photo do not count.

    Raises:
        DataError: there is none, a name is no text, or photos would be left out in silence: they
            lie in a folder inside the class's, or are of a kind that is not read.
    """
    found = scan_photos(folder, "photos of a class")
    lost = [one for one in found.left_out if one.remedy]
    if lost:
        raise DataError(
            f"{shown_name(folder)}: photos that would be left out: "
            f"{'; '.join(told_by_kind(lost, folder))}"
        )
    if not found.photos:
        raise DataError(
            f"{shown_name(folder)}: a class without a photo; add one or remove the folder"
        )
    for path in found.photos:
        _require_text(path)
    return [path.name for path in found.photos]


def _require_text(path: Path) -> None:
    """Refuse a name that is no text, as old archives give: results could not say it.

    Raises:
        DataError: the name is not UTF-8.
    """
    if not is_text(path.name):
        raise DataError(f"{shown_name(path)}: a name that is not UTF-8; rename it")


def labels_of(photos: Sequence[LabelledPhoto]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The labels of photos, (N,)."""
    return np.array([photo.label for photo in photos], dtype=np.int64)
