"""CUB-200-2011 (Wah et al. 2011) as published."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Final

from rpc.data.class_sets.class_folders import LabelledPhoto
from rpc.data.class_sets.class_set import ClassSet
from rpc.data.class_sets.cub_parts import read_boxes, read_points
from rpc.data.class_sets.numbered_lines import CUB_FILES, numbered_lines
from rpc.data.files import DataError, safe_join

CUB: Final = "CUB-200-2011"


def find_cub(root: Path) -> Path | None:
    """The folder with the lists: `root`, or `CUB_200_2011` in it."""
    folders = (root, root / "CUB_200_2011")
    return next((folder for folder in folders if (folder / "images.txt").exists()), None)


def read_cub(root: Path) -> ClassSet:
    """Read `images/` and the lists `CUB_FILES`.

    Boxes and key points are read where `bounding_boxes.txt` and `parts/part_locs.txt` are there.

    Raises:
        DataError: a list is missing, damaged or contradicts another, or a path leads out of `root`.
    """
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
    boxes = read_boxes(root, names)
    parts, points = read_points(root, names)
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
        splits[split[image]].append(
            LabelledPhoto(
                path,
                index[int(word)],
                box=boxes.get(image),
                points=points.get(image, ()),
                name=f"images/{name}",
            )
        )
    titles = tuple(classes[number] for number in order)
    train, test = tuple(splits["1"]), tuple(splits["0"])
    return ClassSet(CUB, titles, train, (), test, points=parts, mirrored=True)
