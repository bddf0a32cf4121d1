"""Two JSON layouts with a list of boxes a photo: CreateML's and FiftyOne's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rpc.data.by_kind import Problem
from rpc.data.exports.found import ExportFiles, LabelFile
from rpc.data.exports.kinds import (
    BAD_FILE,
    BAD_ITEM,
    CONFIDENCE,
    NO_CLASS,
    UNKNOWN_CLASS,
    Notes,
)
from rpc.data.exports.labels import (
    Export,
    Item,
    LabelledPhoto,
    clean_name,
    split_of,
    split_of_path,
    whole_number,
)
from rpc.data.exports.shapes import number
from rpc.data.exports.sniff import CREATEML, FIFTYONE


def read_createml(files: ExportFiles) -> Export:
    """All of CreateML's lists: boxes by their centre, in pixels."""
    notes = Notes()
    photos: list[LabelledPhoto] = []
    for file in files.labels[CREATEML]:
        split = split_of_path(file.path, files.root) or split_of(file.path.stem)
        for place, entry in enumerate(file.value):
            where = f"{files.name(file.path)}: entry {place}"
            if not isinstance(entry, dict):
                notes.left_out.append(BAD_FILE.at(where, "no object"))
                continue
            photos.append(_createml_photo(files, file, where, split, entry, notes))
    return _export(files, CREATEML, "CreateML", photos, {}, notes)


def _createml_photo(
    files: ExportFiles,
    file: LabelFile,
    where: str,
    split: str,
    entry: Mapping[str, Any],
    notes: Notes,
) -> LabelledPhoto:
    name = entry.get("image", entry.get("imagefilename"))
    here = file.path.parent
    place = files.index.find(name, [here, here / "images"], split)
    lost: list[Problem] = []
    place.tell(where, lost, notes)
    items = []
    given = entry.get("annotations", entry.get("annotation"))
    for box in given if isinstance(given, list) else []:
        try:
            sku = clean_name(box.get("label"))
            if not sku:
                lost.append(NO_CLASS.at(where))
                continue
            x, y, width, height = (number(box["coordinates"][k]) for k in _CENTRE)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            lost.append(BAD_ITEM.at(where, str(error)))
            continue
        items.append(Item(sku, (x - width / 2, y - height / 2, x + width / 2, y + height / 2)))
    return LabelledPhoto(
        where=where,
        name=str(name or ""),
        split=split,
        file=place.file,
        items=tuple(items),
        lost=tuple(lost),
    )


_CENTRE = ("x", "y", "width", "height")


def read_fiftyone(files: ExportFiles) -> Export:
    """FiftyOne's own detection labels: `classes`, and boxes in fractions by the photo's name."""
    notes = Notes()
    photos: list[LabelledPhoto] = []
    classes: dict[str, Mapping[str, Any]] = {}
    for file in files.labels[FIFTYONE]:
        given = file.value.get("classes")
        known = [clean_name(name) for name in given] if isinstance(given, list) else []
        for name in filter(None, known):
            classes.setdefault(name, {})
        photos += _fiftyone_photos(files, file, known, notes)
    return _export(files, FIFTYONE, "FiftyOne detections", photos, classes, notes)


def _fiftyone_photos(
    files: ExportFiles, file: LabelFile, known: Sequence[str], notes: Notes
) -> Iterator[LabelledPhoto]:
    here = file.path.parent
    split = split_of_path(file.path, files.root)
    for stem, boxes in file.value["labels"].items():
        where = f"{files.name(file.path)}: {stem:.120}"
        there = (files.index.by_stem(Path(stem).name, folder) for folder in (here / "data", here))
        photo = next((one for one in there if one is not None), None)
        lost: list[Problem] = []
        if photo is None:
            place = files.index.find(stem, [], split)
            place.tell(where, lost, notes)
            photo = place.file
        items = []
        for box in boxes if isinstance(boxes, list) else []:
            item = _fiftyone_item(box, known, where, lost, notes)
            items += [item] if item is not None else []
        yield LabelledPhoto(
            where=where,
            name=photo.name if photo is not None else stem,
            split=split,
            file=photo,
            items=tuple(items),
            unit="fractions",
            lost=tuple(lost),
        )


def _fiftyone_item(
    box: Any, known: Sequence[str], where: str, lost: list[Problem], notes: Notes
) -> Item | None:
    try:
        label = box["label"]
        place = label if isinstance(label, int) else whole_number(label) if known else None
        name = clean_name(label)
        if name not in known and place is not None:
            name = known[place] if 0 <= place < len(known) else ""
        if not name:
            lost.append(UNKNOWN_CLASS.at(where, repr(label)[:40]))
            return None
        x, y, width, height = (number(value) for value in box["bounding_box"])
    except (ValueError, KeyError, TypeError) as error:
        lost.append(BAD_ITEM.at(where, str(error)))
        return None
    if "confidence" in box:
        notes.changed.append(CONFIDENCE.at(where))
    return Item(name, (x, y, x + width, y + height))


def _export(
    files: ExportFiles,
    kind: str,
    layout: str,
    photos: Sequence[LabelledPhoto],
    classes: Mapping[str, Mapping[str, Any]],
    notes: Notes,
) -> Export:
    named = {item.sku: classes.get(item.sku, {}) for p in photos for item in p.items}
    return Export(
        layout=layout,
        root=files.root,
        files=tuple(file.path for file in files.labels[kind]),
        photos=tuple(photos),
        classes=dict(classes) | named,
        notes=notes,
    )
