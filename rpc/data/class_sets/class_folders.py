"""Photos of one class each, to search in and to search for: CUB, Stanford Dogs, plain folders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy.io import loadmat

from rpc.data.files import DataError, safe_join
from rpc.data.photo_files import scan_photos, told_by_kind
from rpc.data.records import Box
from rpc.data.shown_names import is_text, same_name_key, shown_name, title_of
from rpc.data.system_files import is_system_folder

CUB: Final = "CUB-200-2011"
DOGS: Final = "Stanford Dogs"
CUB_FILES: Final = ("images.txt", "image_class_labels.txt", "train_test_split.txt", "classes.txt")
DOGS_FILES: Final = ("train_list.mat", "test_list.mat")


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
    """

    path: Path
    label: int
    crop: Box | None = None
    box: Box | None = None
    points: tuple[tuple[float, float, float], ...] = ()
    name: str = ""
    size: tuple[int, int] | None = None


@dataclass(frozen=True)
class ClassPhotos:
    """A data set for retrieval: what is searched in, and what is searched for.

    Attributes:
        name: `CUB`, `DOGS`, or the folder's name.
        classes: names, by label.
        gallery: the official training photos.
        queries: the official test photos.
    """

    name: str
    classes: tuple[str, ...]
    gallery: tuple[LabelledPhoto, ...]
    queries: tuple[LabelledPhoto, ...]

    def limited(self, per_class: int) -> ClassPhotos:
        """The first so many photos of each class, in either split."""
        return ClassPhotos(
            self.name,
            self.classes,
            _first(self.gallery, per_class),
            _first(self.queries, per_class),
        )


def read_class_photos(root: str | Path) -> ClassPhotos:
    """Read a data set in one of three layouts, told apart by its files.

    - CUB-200-2011 as published: `images/`, `images.txt`, `image_class_labels.txt`,
      `train_test_split.txt`, `classes.txt`, in `root` or in `root/CUB_200_2011`;
    - Stanford Dogs as published: `Images/` and `train_list.mat`, `test_list.mat` (in `root` or
      `root/lists`);
    - `train/<class>/` and `test/<class>/` of photos.

    Raises:
        DataError: none of them; a list is missing, damaged or contradicts another; a photo or a
            class's photos are missing; a class has queries and nothing in the gallery; a path
            leads out of the folder.
    """
    root = Path(root)
    if not root.is_dir():
        raise DataError(f"{root}: no such folder; expected a data set of photos by class")
    cub = next((f for f in (root, root / "CUB_200_2011") if (f / "images.txt").exists()), None)
    if cub is not None:
        found = _read_cub(cub)
    elif any((f / name).exists() for f in (root, root / "lists") for name in DOGS_FILES):
        found = _read_dogs(root)
    elif (root / "train").is_dir() or (root / "test").is_dir():
        found = _read_folders(root)
    else:
        raise DataError(
            f"{root}: not a data set of photos by class: expected CUB-200-2011 (images.txt, ...), "
            "Stanford Dogs (train_list.mat, ...) or the folders train/ and test/ with one folder "
            "a class"
        )
    return _checked(found, root)


def _read_cub(root: Path) -> ClassPhotos:
    names, labels, split, classes = (numbered_lines(root / name) for name in CUB_FILES)
    for file, lines in zip(CUB_FILES[1:3], (labels, split), strict=True):
        if lines.keys() != names.keys():
            odd = sorted(lines.keys() ^ names.keys())
            raise DataError(
                f"{root / file}: does not list the images of images.txt: image {odd[0]} is in one "
                f"of the two only ({len(odd)} such images); take both from one download"
            )
    if twice := [name for name, times in Counter(names.values()).items() if times > 1]:
        raise DataError(
            f"{root / CUB_FILES[0]}: lists {twice[0]} more than once ({len(twice)} such photos): "
            "it could be learned from and tested on; take the file from a whole download"
        )
    order = sorted(classes)
    index = {number: label for label, number in enumerate(order)}
    splits: dict[str, list[LabelledPhoto]] = {"1": [], "0": []}
    for image, name in names.items():
        word = labels[image]
        if not word.isdecimal() or int(word) not in index:
            raise DataError(
                f"{root / CUB_FILES[1]}: image {image} has class {word!r}, "
                f"which {CUB_FILES[3]} does not list"
            )
        if split[image] not in splits:
            raise DataError(
                f"{root / CUB_FILES[2]}: image {image}: expected 1 (train) or 0 (test), "
                f"got {split[image]!r}"
            )
        path = safe_join(root / "images", name)
        splits[split[image]].append(LabelledPhoto(path, index[int(word)], name=f"images/{name}"))
    titles = tuple(classes[number] for number in order)
    return ClassPhotos(CUB, titles, tuple(splits["1"]), tuple(splits["0"]))


def numbered_lines(path: Path) -> dict[int, str]:
    """The lines `<number> <text>` of a list of CUB, by number.

    Raises:
        DataError: it is missing or not text, or a line is another or has a number once more.
    """
    if not path.is_file():
        needs = f"CUB-200-2011 needs {', '.join(CUB_FILES)} as they are published"
        if path.name not in CUB_FILES:
            needs = "other files here need it; take it from the download that they are from"
        raise DataError(f"{path}: missing; {needs}")
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as text: {error}") from error
    found: dict[int, str] = {}
    for place, line in enumerate(lines, start=1):
        number, _, text = line.strip().partition(" ")
        if not line.strip():
            continue
        if not number.isdecimal() or not text.strip() or int(number) in found:
            raise DataError(
                f"{path}: line {place}: expected a number that is there once and a text after it, "
                f"got {line!r:.80}"
            )
        found[int(number)] = text.strip()
    return found


def _read_dogs(root: Path) -> ClassPhotos:
    images = next((root / n for n in ("Images", "images") if (root / n).is_dir()), None)
    if images is None:
        raise DataError(f"{root}: Stanford Dogs without its folder Images/; unpack images.tar here")
    splits = [_dogs_list(root, images, file) for file in DOGS_FILES]
    labels = sorted({label for split in splits for _, label in split})
    index = {label: place for place, label in enumerate(labels)}
    titles: dict[int, str] = {}
    made = []
    for split in splits:
        photos = []
        for name, label in split:
            path = safe_join(images, name)
            photos.append(LabelledPhoto(path, index[label], name=f"{images.name}/{name}"))
            # "n02085620-Chihuahua/n02085620_10074.jpg"
            titles.setdefault(index[label], name.partition("/")[0].partition("-")[2] or str(label))
        made.append(tuple(photos))
    return ClassPhotos(DOGS, tuple(titles[i] for i in range(len(labels))), made[0], made[1])


def _dogs_list(root: Path, images: Path, file: str) -> list[tuple[str, int]]:
    """File names, from `images`, and labels of one of the two lists."""
    path = next((p for p in (root / file, root / "lists" / file) if p.is_file()), None)
    if path is None:
        raise DataError(f"{root / file}: missing; unpack lists.tar of Stanford Dogs there")
    try:
        content: dict[str, Any] = loadmat(str(path), variable_names=["file_list", "labels"])
        names = [str(cell.item()) for cell in content["file_list"].ravel()]
        labels = [int(label) for label in content["labels"].ravel()]
        pairs = list(zip(names, labels, strict=True))
    # A damaged or foreign file reaches scipy's reader in many ways.
    except Exception as error:
        raise DataError(
            f"{path}: not a list of Stanford Dogs ('file_list' and 'labels' of one length)"
        ) from error
    if not pairs:
        raise DataError(f"{path}: lists no photo of {images}")
    return pairs


def _read_folders(root: Path) -> ClassPhotos:
    by_split = {split: _class_folders(root / split) for split in ("train", "test")}
    classes = tuple(sorted({name for folders in by_split.values() for name in folders}))
    train, test = (photos_by_class(root, split, classes) for split in by_split)
    return ClassPhotos(root.resolve().name, classes, train, test)


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


def _checked(found: ClassPhotos, root: Path) -> ClassPhotos:
    """Refuse a data set that cannot be searched, or whose photos are not all there."""
    for split, photos in (("train", found.gallery), ("test", found.queries)):
        if not photos:
            raise DataError(f"{root}: the {split} split holds no photo")
        missing = [photo for photo in photos if not photo.path.is_file()]
        if missing:
            raise DataError(
                f"{missing[0].path}: missing, as {len(missing)} of {len(photos)} listed photos of "
                f"the {split} split; unpack the data set again"
            )
    known = {photo.label for photo in found.gallery}
    lost = sorted({photo.label for photo in found.queries} - known)
    if lost:
        raise DataError(
            f"{root}: class {found.classes[lost[0]]} has test photos and no training photo "
            f"({len(lost)} such classes): nothing can be found for them; add photos to train or "
            "take the class out of test"
        )
    return found


def _first(photos: Sequence[LabelledPhoto], per_class: int) -> tuple[LabelledPhoto, ...]:
    if per_class < 1:
        raise ValueError(f"photos of a class: expected at least 1, got {per_class}")
    seen: dict[int, int] = {}
    kept = []
    for photo in photos:
        seen[photo.label] = seen.get(photo.label, 0) + 1
        if seen[photo.label] <= per_class:
            kept.append(photo)
    return tuple(kept)


def labels_of(photos: Sequence[LabelledPhoto]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The labels of photos, (N,)."""
    return np.array([photo.label for photo in photos], dtype=np.int64)
