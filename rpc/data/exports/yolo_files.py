"""The files of YOLO's layouts: labels beside photos or in `labels/`, splits, class names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from rpc.data.exports.labels import clean_name, whole_number
from rpc.data.exports.photo_index import PhotoIndex
from rpc.data.files import DataError

LARGEST_YAML = 1 << 20  # bytes; YAML is slow to read
MOST_CLASSES = 100_000
NAME_FILES = ("classes.txt", "obj.names", "_darknet.labels", "predefined_classes.txt", "labels.txt")


def find_yolo_labels(index: PhotoIndex, texts: Sequence[Path]) -> list[Path]:
    """The text files that hold boxes of a photo: by its name, or in a folder `labels`."""
    stems = {photo.stem for photo in index.photos}
    candidates = [p for p in texts if p.name.lower() not in NAME_FILES]
    boxes = {p for p in candidates if _may_hold_boxes(p)}
    inside = {p for p in candidates if "labels" in _below(index.root, p)}
    sure = {p for p in boxes if p.stem in stems or p in inside}
    if not sure:
        return []
    # Where a label lies, damaged ones and those of missing photos may lie.
    folders = {path.parent for path in sure}
    return [
        p
        for p in candidates
        if p in sure
        or (p.stem in stems and (p in inside or p.parent in folders))
        or (p in boxes and p.parent in folders and p.stat().st_size)
    ]


def _below(root: Path, path: Path) -> list[str]:
    return [part.lower() for part in path.relative_to(root).parts[:-1]]


def _may_hold_boxes(path: Path) -> bool:
    """Whether the first line is five numbers or more, or the file is empty."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            line = file.readline(100_000).split()
    except (OSError, UnicodeDecodeError):
        return True  # told when it is read
    try:
        values = [float(word) for word in line]
    except ValueError:
        # A damaged line of a file of boxes still begins with numbers.
        return len(line) > 4 and all(_is_number(word) for word in line[:1])
    return not values or len(values) >= 5


def _is_number(word: str) -> bool:
    return whole_number(word) is not None


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping of a YAML file, read as plain texts, lists and mappings.

    Raises:
        DataError: the file is too large, or is no YAML with a mapping.
    """
    try:
        if path.stat().st_size > LARGEST_YAML:
            raise DataError(f"{path}: larger than {LARGEST_YAML >> 20} MB: no YOLO data.yaml")
        text = path.read_bytes()
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text, yaml.SafeLoader)):
            raise DataError(f"{path}: holds YAML aliases, which can inflate it; write them out")
        value = yaml.load(text, yaml.BaseLoader)  # texts alone: a class may be called `no` or 007
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(value, dict):
        raise DataError(f"{path}: expected a YAML mapping such as 'names: [...]'")
    return value


def names_of_yaml(value: dict[str, Any], path: Path) -> dict[int, str]:
    """Class names by number, from a list or a mapping; empty where the file has none.

    Raises:
        DataError: `names` is something else.
    """
    names = value.get("names")
    if names is None:
        return {}
    if isinstance(names, list):
        made = {place: clean_name(name) for place, name in enumerate(names)}
    elif isinstance(names, dict):
        made = {_class_number(key): clean_name(name) for key, name in names.items()}
    else:
        raise DataError(f"{path}: names: expected a list or a mapping of class names")
    if -1 in made or not all(made.values()) or len(made) > MOST_CLASSES:
        raise DataError(f"{path}: names: expected a name for each class number")
    return made


def _class_number(key: object) -> int:
    number = whole_number(key)
    return -1 if number is None else number


def names_of_text(path: Path) -> dict[int, str]:
    """Class names by number: a name on each line.

    Raises:
        DataError: the file cannot be read.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").rstrip().splitlines()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 text (byte {error.start})") from error
    return {number: clean_name(line) for number, line in enumerate(lines) if clean_name(line)}
