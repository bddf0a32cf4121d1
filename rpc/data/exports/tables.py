"""CSV of boxes, a line an item: Roboflow's TensorFlow export and its like."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rpc.data.by_kind import Problem
from rpc.data.exports.found import ExportFiles, LabelFile
from rpc.data.exports.kinds import BAD_ITEM, NO_CLASS, Notes
from rpc.data.exports.labels import (
    Export,
    Item,
    LabelledPhoto,
    claimed_size,
    clean_name,
    split_of,
    split_of_path,
)
from rpc.data.exports.shapes import number
from rpc.data.exports.sniff import TABLE, csv_header
from rpc.data.files import DataError

_PHOTO: Final = ("filename", "image", "path", "image_name", "image_path", "file", "img", "image_id")
_CLASS: Final = ("class", "label", "name", "class_name", "label_name", "category", "sku")


def read_rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The lines of a CSV below its header: number and values by column, in small letters.

    Raises:
        DataError: the file cannot be read, or is no CSV.
    """
    columns = csv_header(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file)
            next(rows, None)
            for row in rows:
                if row:
                    yield rows.line_num, dict(zip(columns, row, strict=False))
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 text (byte {error.start})") from error
    except csv.Error as error:
        raise DataError(f"{path}: not a CSV file: {error}") from error


def read_table(files: ExportFiles) -> Export:
    """All CSV files of boxes of an export.

    Raises:
        DataError: a file has no column of photos or none of classes.
    """
    notes = Notes()
    photos = [photo for file in files.labels[TABLE] for photo in _photos(files, file, notes)]
    names = dict.fromkeys(item.sku for photo in photos for item in photo.items)
    return Export(
        layout="CSV of boxes",
        root=files.root,
        files=tuple(file.path for file in files.labels[TABLE]),
        photos=tuple(photos),
        classes={name: {} for name in names},
        notes=notes,
    )


def _photos(files: ExportFiles, file: LabelFile, notes: Notes) -> Iterator[LabelledPhoto]:
    columns = csv_header(file.path)
    photo_column = next((name for name in _PHOTO if name in columns), None)
    class_column = next((name for name in _CLASS if name in columns), None)
    if photo_column is None or class_column is None:
        raise DataError(
            f"{file.path}: expected a column 'filename' and a column 'class' beside xmin, ymin, "
            f"xmax, ymax; it has {', '.join(columns)}"
        )
    grouped: dict[str, list[tuple[int, dict[str, str]]]] = {}
    for line, row in read_rows(file.path):
        grouped.setdefault(row.get(photo_column, ""), []).append((line, row))
    for name, rows in grouped.items():
        yield _photo(files, file, name, class_column, rows, notes)


def _photo(
    files: ExportFiles,
    file: LabelFile,
    name: str,
    class_column: str,
    rows: list[tuple[int, dict[str, str]]],
    notes: Notes,
) -> LabelledPhoto:
    where = f"{files.name(file.path)}: line {rows[0][0]} {name}"
    split = split_of(file.path.stem) or split_of_path(file.path, files.root)
    here = file.path.parent
    place = files.index.find(name, [here, here / "images"], split)
    lost: list[Problem] = []
    place.tell(where, lost, notes)
    items = []
    for line, row in rows:
        line_of = f"{files.name(file.path)}: line {line}"
        sku = clean_name(row.get(class_column, ""))
        corners = [row.get(side, "") for side in ("xmin", "ymin", "xmax", "ymax")]
        if not any(corners) and not sku:
            continue  # a photo without items
        if not sku:
            lost.append(NO_CLASS.at(line_of))
            continue
        try:
            x1, y1, x2, y2 = (number(value) for value in corners)
            items.append(Item(sku, (x1, y1, x2, y2)))
        except ValueError as error:
            lost.append(BAD_ITEM.at(line_of, str(error)))
    return LabelledPhoto(
        where=where,
        name=name,
        split=split,
        file=place.file,
        items=tuple(items),
        size=claimed_size(rows[0][1].get("width"), rows[0][1].get("height")),
        lost=tuple(lost),
    )
