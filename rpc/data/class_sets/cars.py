"""Stanford Cars (Krause et al. 2013) in its two published layouts."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np

from rpc.data.class_sets.class_folders import LabelledPhoto
from rpc.data.class_sets.class_set import ClassSet
from rpc.data.class_sets.matlab import read_mat
from rpc.data.files import DataError, safe_join

CARS: Final = "Stanford Cars"
META: Final = "cars_meta.mat"
SPLITS: Final = {
    "train": "cars_train_annos.mat",
    "test": "cars_test_annos_withlabels.mat",
}
ONE_LIST: Final = "cars_annos.mat"
_BOX: Final = ("bbox_x1", "bbox_y1", "bbox_x2", "bbox_y2")


def is_cars(root: Path) -> bool:
    """Whether a folder has one of the lists of Stanford Cars."""
    names = (ONE_LIST, META, *SPLITS.values())
    return any((folder / name).is_file() for folder in (root, root / "devkit") for name in names)


def read_cars(root: Path) -> ClassSet:
    """Read Stanford Cars.

    Either `cars_train/`, `cars_test/`, `cars_meta.mat`, `cars_train_annos.mat` and
    `cars_test_annos_withlabels.mat` (the lists in `root` or `root/devkit`), or `car_ims/` and
    `cars_annos.mat`.

    Raises:
        DataError: a list is missing, damaged, or names an unknown class or a path outside `root`.
    """
    if (root / ONE_LIST).is_file():
        path = root / ONE_LIST
        lists = read_mat(path, ("annotations", "class_names"), "the list of Stanford Cars")
        classes = _names(lists["class_names"])
        splits: dict[str, list[LabelledPhoto]] = {"train": [], "test": []}
        for row in lists["annotations"]:
            split = "test" if int(_field(row, "test", path)) else "train"
            name = str(_field(row, "relative_im_path", path))
            splits[split].append(_photo(root, name, row, classes, path))
    else:
        meta = _list(root, META)
        classes = _names(
            read_mat(meta, ("class_names",), "the class names of Stanford Cars")["class_names"]
        )
        splits = {split: _split(root, split, classes) for split in SPLITS}
    return ClassSet(CARS, classes, tuple(splits["train"]), (), tuple(splits["test"]), mirrored=True)


def _split(root: Path, split: str, classes: tuple[str, ...]) -> list[LabelledPhoto]:
    path = _list(root, SPLITS[split])
    rows = read_mat(path, ("annotations",), "a list of Stanford Cars")["annotations"]
    return [
        _photo(root, f"cars_{split}/{_field(row, 'fname', path)}", row, classes, path)
        for row in rows
    ]


def _photo(root: Path, name: str, row: Any, classes: tuple[str, ...], path: Path) -> LabelledPhoto:
    number = int(_field(row, "class", path))
    if not 1 <= number <= len(classes):
        raise DataError(f"{path}: {name} has class {number}; expected 1 to {len(classes)}")
    x1, y1, x2, y2 = (float(_field(row, edge, path)) for edge in _BOX)
    box = (x1 - 1, y1 - 1, x2, y2)  # MATLAB counts pixels from 1, and the last one is inside
    return LabelledPhoto(safe_join(root, name), number - 1, box=box, name=name)


def _field(row: Any, name: str, path: Path) -> Any:
    try:
        return np.asarray(row[name]).item()
    except (AttributeError, IndexError, KeyError, ValueError, TypeError) as error:
        raise DataError(
            f"{path}: an entry without '{name}'; expected the list of Stanford Cars with labels"
        ) from error


def _list(root: Path, name: str) -> Path:
    for folder in (root, root / "devkit"):
        if (folder / name).is_file():
            return folder / name
    raise DataError(
        f"{root / name}: missing; Stanford Cars needs {META}, {', '.join(SPLITS.values())} "
        "(the test list of the devkit has no labels)"
    )


def _names(cells: Any) -> tuple[str, ...]:
    return tuple(str(cell) for cell in cells)
