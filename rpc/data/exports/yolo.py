"""YOLO's text files: `class x y width height` in fractions, polygons, key points, confidences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rpc.data.by_kind import Problem
from rpc.data.exports.found import ExportFiles
from rpc.data.exports.kinds import (
    BAD_FILE,
    BAD_ITEM,
    CONFIDENCE,
    NO_PHOTO_FOR,
    NUMBERED,
    POLYGON,
    UNKNOWN_CLASS,
    Notes,
)
from rpc.data.exports.labels import Export, Item, LabelledPhoto, whole_number
from rpc.data.exports.shapes import box_of_flat, number
from rpc.data.exports.sniff import YOLO
from rpc.data.exports.yolo_files import NAME_FILES, names_of_text, names_of_yaml, read_yaml
from rpc.data.exports.yolo_splits import YoloSplits
from rpc.data.files import DataError
from rpc.data.records import Box

LARGEST: Final = 50 << 20  # bytes of one photo's labels


@dataclass(frozen=True)
class _Classes:
    """Names by number, and how many values of a line are a box before key points come."""

    names: Mapping[int, str]
    key_points: int = 0


def read_yolo(files: ExportFiles) -> Export:
    """All YOLO labels of an export.

    Raises:
        DataError: a file of class names is damaged.
    """
    notes = Notes()
    yamls = _yamls(files)
    classes = _classes(files, yamls)
    splits = YoloSplits(files, [(path, value) for path, value in yamls])
    labels = {file.path for file in files.labels[YOLO]}
    photos, used = [], set[Path]()
    for photo in files.index.photos:
        label = _label_of(photo, files.root, labels)
        if label is not None:
            used.add(label)
            photos.append(_photo(files, photo, label, splits.of(photo), classes, notes))
    notes.left_out += [NO_PHOTO_FOR.at(files.name(path)) for path in sorted(labels - used)]
    names = dict(sorted(classes.names.items())) or _numbered(photos, notes)
    return Export(
        layout="Roboflow YOLO" if any("roboflow" in value for _, value in yamls) else "YOLO",
        root=files.root,
        files=tuple(sorted(used)),
        photos=tuple(photos),
        classes={name: {} for name in names.values()},
        notes=notes,
    )


def _yamls(files: ExportFiles) -> list[tuple[Path, dict[str, Any]]]:
    """YAML files with class names: those of other kinds (a training's settings) have none."""
    found = []
    for path in files.others:
        if path.suffix.lower() in (".yaml", ".yml"):
            try:
                value = read_yaml(path)
            except DataError:
                if path.name.lower() in ("data.yaml", "dataset.yaml", "data.yml"):
                    raise
                continue
            if "names" in value or "train" in value:
                found.append((path, value))
    return sorted(found, key=lambda pair: len(pair[0].parts))


def _classes(files: ExportFiles, yamls: Sequence[tuple[Path, dict[str, Any]]]) -> _Classes:
    """The class names of the export; files that say different ones are refused.

    Raises:
        DataError: two files disagree, or one is damaged.
    """
    found: list[tuple[Path, dict[int, str], int]] = []
    for path, value in yamls:
        shape = value.get("kpt_shape")
        flat = 1
        for one in shape if isinstance(shape, list) else [0]:
            flat *= whole_number(one) or 0
        found.append((path, names_of_yaml(value, path), flat))
    if not found:
        for path in files.others:
            if path.name.lower() in NAME_FILES or path.suffix.lower() == ".names":
                found.append((path, names_of_text(path), 0))
    found = [one for one in found if one[1]]
    for path, names, _ in found[1:]:
        if names != found[0][1]:
            raise DataError(
                f"{files.root}: {files.name(found[0][0])} and {files.name(path)} list different "
                "class names; remove the wrong one"
            )
    return _Classes(found[0][1], found[0][2]) if found else _Classes({})


def _label_of(photo: Path, root: Path, labels: set[Path]) -> Path | None:
    """The label file of a photo: `images` on its path becomes `labels`, or it lies beside."""
    name = f"{photo.stem}.txt"
    parts = list(photo.relative_to(root).parts[:-1])
    places = []
    for at in range(len(parts) - 1, -1, -1):
        if parts[at].lower() in ("images", "imgs", "img", "jpegimages"):
            places.append(root.joinpath(*parts[:at], "labels", *parts[at + 1 :]) / name)
    places += [
        photo.parent / name,
        photo.parent / "labels" / name,
        photo.parent.parent / "labels" / name,
        root / "labels" / Path(*parts) / name,
    ]
    return next((place for place in places if place in labels), None)


def _photo(
    files: ExportFiles, photo: Path, label: Path, split: str, classes: _Classes, notes: Notes
) -> LabelledPhoto:
    items: list[Item] = []
    lost: list[Problem] = []
    where = files.name(label)
    try:
        if label.stat().st_size > LARGEST:
            raise DataError(f"{label}: larger than {LARGEST >> 20} MB")
        lines = label.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        lines = []
        lost.append(BAD_FILE.at(where, " ".join(str(error).split())[:120]))
    for place, line in enumerate(lines, start=1):
        if line.strip():
            _take(line.split(), f"{where}: line {place}", classes, items, lost, notes)
    return LabelledPhoto(
        where=where,
        name=photo.name,
        split=split,
        file=photo,
        items=tuple(items),
        unit="fractions",
        lost=tuple(lost),
    )


def _take(
    words: Sequence[str],
    where: str,
    classes: _Classes,
    items: list[Item],
    lost: list[Problem],
    notes: Notes,
) -> None:
    try:
        values = [number(word) for word in words]
        place = whole_number(values[0])
        if place is None or place < 0:
            raise ValueError(f"expected a class number, got {words[0]:.40}")
        box = _box(values[1:], classes.key_points, where, notes)
        if max(map(abs, box)) > 2:
            raise ValueError("expected fractions of the photo's sides, got pixels")
    except ValueError as error:
        lost.append(BAD_ITEM.at(where, str(error)))
        return
    name = classes.names.get(place, "") if classes.names else str(place)
    if not name:
        lost.append(UNKNOWN_CLASS.at(where, f"class {place}, of {len(classes.names)}"))
        return
    items.append(Item(name, box))


def _box(values: Sequence[float], key_points: int, where: str, notes: Notes) -> Box:
    """The box of a line's values behind the class; a confidence may be the last one."""
    plain = 4 + key_points
    is_box = len(values) in (4, 5) or (key_points and len(values) in (plain, plain + 1))
    if len(values) < 4:
        raise ValueError(f"expected a class and 4 numbers, got {len(values)} numbers behind it")
    if len(values) in (5, plain + 1) if is_box else len(values) % 2:
        notes.changed.append(CONFIDENCE.at(where))
        values = values[:-1]
    if not is_box:
        notes.changed.append(POLYGON.at(where))
        return box_of_flat(values)
    x, y, width, height = values[:4]
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _numbered(photos: Sequence[LabelledPhoto], notes: Notes) -> dict[int, str]:
    numbers = sorted({int(item.sku) for photo in photos for item in photo.items})
    notes.changed += [NUMBERED.at(f"class {number}") for number in numbers]
    return {number: str(number) for number in numbers}
