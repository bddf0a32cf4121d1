"""Stanford Dogs (Khosla et al. 2011) as published."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from scipy.io import loadmat

from rpc.data.class_sets.class_folders import LabelledPhoto
from rpc.data.class_sets.class_set import ClassSet
from rpc.data.files import DataError, safe_join
from rpc.data.records import Box

DOGS: Final = "Stanford Dogs"
LISTS: Final = ("train_list.mat", "test_list.mat")


def is_dogs(root: Path) -> bool:
    """Whether a folder has one of the lists of Dogs."""
    return any((folder / name).exists() for folder in (root, root / "lists") for name in LISTS)


def read_dogs(root: Path) -> ClassSet:
    """Read `Images/`, `train_list.mat`, `test_list.mat` (in `root` or `root/lists`).

    Boxes are read where `Annotation/` is there: that of the first dog on a photo.

    Raises:
        DataError: a list, the photos or an annotation is missing or damaged, or a path leads out
            of `root`.
    """
    images = next((root / n for n in ("Images", "images") if (root / n).is_dir()), None)
    if images is None:
        raise DataError(f"{root}: Stanford Dogs without its folder Images/; unpack images.tar here")
    splits = [_dogs_list(root, images, file) for file in LISTS]
    labels = sorted({label for split in splits for _, label in split})
    index = {label: place for place, label in enumerate(labels)}
    titles: dict[int, str] = {}
    notes = root / "Annotation"
    boxed = notes.is_dir()
    made = []
    for split in splits:
        photos = []
        for name, label in split:
            path = safe_join(images, name)
            box = _first_box(safe_join(notes, str(Path(name).with_suffix("")))) if boxed else None
            photos.append(LabelledPhoto(path, index[label], box=box, name=f"{images.name}/{name}"))
            # "n02085620-Chihuahua/n02085620_10074.jpg"
            titles.setdefault(index[label], name.partition("/")[0].partition("-")[2] or str(label))
        made.append(tuple(photos))
    classes = tuple(titles[i] for i in range(len(labels)))
    return ClassSet(DOGS, classes, made[0], (), made[1], mirrored=True)


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


def _first_box(path: Path) -> Box:
    """The first object's box of an annotation of Stanford Dogs (Pascal VOC's XML).

    Four numbers are all that is wanted: they are searched for, and no XML is interpreted.

    Raises:
        DataError: the file is missing, or has no box.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise DataError(f"{path}: missing; unpack annotation.tar of Stanford Dogs again") from error
    sides = [re.search(rf"<{name}>\s*(\d+)\s*<", text) for name in ("xmin", "ymin", "xmax", "ymax")]
    if not all(sides):
        raise DataError(f"{path}: holds no box (xmin, ymin, xmax, ymax)")
    x1, y1, x2, y2 = (float(found[1]) for found in sides if found is not None)
    return x1, y1, x2, y2
