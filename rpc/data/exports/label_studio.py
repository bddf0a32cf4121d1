"""Label Studio's JSON and JSON-MIN: regions in percent of the photo's sides."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from rpc.data.by_kind import Problem
from rpc.data.exports.found import ExportFiles, LabelFile
from rpc.data.exports.kinds import (
    BAD_ITEM,
    CANCELLED,
    NO_CLASS,
    NOT_AN_ITEM,
    POLYGON,
    ROTATED,
    SEVERAL_ANNOTATORS,
    SEVERAL_CLASSES,
    TURNED_PHOTO,
    Notes,
)
from rpc.data.exports.labels import (
    Export,
    Item,
    LabelledPhoto,
    claimed_size,
    clean_name,
    split_of_path,
)
from rpc.data.exports.shapes import box_around, ellipse_box, number, rotated_box
from rpc.data.exports.sniff import LABEL_STUDIO
from rpc.data.records import Box

_PHOTO_KEYS: Final = ("image", "img", "photo", "picture", "ocr", "url", "image_url")
_PHOTO_NAME: Final = re.compile(
    r"\.(jpe?g|png|webp|bmp|tiff?|gif|hei[cf]|avif)([?#].*)?$", re.IGNORECASE
)
_NO_ITEMS: Final = ("keypoint", "choices", "textarea", "rating", "number", "taxonomy", "relation")


def read_label_studio(files: ExportFiles) -> Export:
    """All of Label Studio's task lists of an export."""
    notes = Notes()
    photos: list[LabelledPhoto] = []
    for file in files.labels[LABEL_STUDIO]:
        for place, task in enumerate(file.value):
            if isinstance(task, dict):
                photo = _photo(files, file, place, task, notes)
                photos += [photo] if photo is not None else []
    names = dict.fromkeys(item.sku for photo in photos for item in photo.items)
    return Export(
        layout="Label Studio JSON",
        root=files.root,
        files=tuple(file.path for file in files.labels[LABEL_STUDIO]),
        photos=tuple(photos),
        classes={name: {} for name in names},
        notes=notes,
    )


def _photo(
    files: ExportFiles, file: LabelFile, place: int, task: Mapping[str, Any], notes: Notes
) -> LabelledPhoto | None:
    where = f"{files.name(file.path)}: task {task.get('id', f'at place {place}')!r:.40}"
    regions = _regions(task, where, notes)
    if regions is None:
        return None
    split = split_of_path(file.path, files.root)
    here = file.path.parent
    data = task.get("data")
    name = _photo_name(data if isinstance(data, dict) else task)
    found = files.index.find(name, [here, here / "images"], split)
    if found.file is None and task.get("file_upload"):
        found = files.index.find(task["file_upload"], [here, here / "images"], split)
    lost: list[Problem] = []
    found.tell(where, lost, notes)
    items: list[Item] = []
    size = None
    for region in _joined(regions):
        size = claimed_size(region.get("original_width"), region.get("original_height")) or size
        _take(region, size, where, items, lost, notes)
    return LabelledPhoto(
        where=where,
        name=str(name or ""),
        split=split,
        file=found.file,
        items=tuple(items),
        size=size,
        unit="fractions",
        lost=tuple(lost),
    )


def _regions(task: Mapping[str, Any], where: str, notes: Notes) -> list[Any] | None:
    """The regions of a task's annotation; None where it was skipped or never annotated."""
    if not isinstance(task.get("data"), dict):  # JSON-MIN: regions under their tags' names
        lists = [value for value in task.values() if isinstance(value, list)]
        regions = [one for value in lists for one in value if isinstance(one, dict)]
        return [region for region in regions if "original_width" in region]
    given = task.get("annotations", task.get("completions"))
    done = [
        one
        for one in (given if isinstance(given, list) else [])
        if isinstance(one, dict) and not one.get("was_cancelled")
    ]
    if not done:
        what = "it has predictions alone" if task.get("predictions") else ""
        notes.left_out.append(CANCELLED.at(where, what))
        return None
    chosen = next((one for one in done if one.get("ground_truth")), done[0])
    if len(done) > 1 and not chosen.get("ground_truth"):
        notes.changed.append(SEVERAL_ANNOTATORS.at(where))
    result = chosen.get("result")
    return result if isinstance(result, list) else []


def _photo_name(data: Mapping[str, Any]) -> object:
    """The photo's path or URL among a task's data."""
    texts = {key: value for key, value in data.items() if isinstance(value, str)}
    for key in _PHOTO_KEYS:
        if texts.get(key):
            return texts[key]
    return next((text for text in texts.values() if _PHOTO_NAME.search(text)), None)


def _joined(regions: list[Any]) -> Iterator[dict[str, Any]]:
    """Regions, those of one id as one: a shape and its label may be two results."""
    by_id: dict[object, dict[str, Any]] = {}
    for place, region in enumerate(regions):
        if not isinstance(region, dict):
            yield {"value": None}
            continue
        value = region.get("value", region)
        own = region.get("id")
        named = isinstance(own, str | int) and own
        known = by_id.setdefault(own if named else f"at place {place}", dict(region))
        if isinstance(known.get("value"), dict) and isinstance(value, dict):
            known["value"] = {**known["value"], **value}
        elif "value" not in known:
            known["value"] = dict(value)
    yield from by_id.values()


def _take(
    region: Mapping[str, Any],
    size: tuple[int, int] | None,
    where: str,
    items: list[Item],
    lost: list[Problem],
    notes: Notes,
) -> None:
    """Add the region's item, or why it cannot be one."""
    kind, value = str(region.get("type", "")), region.get("value")
    if kind.startswith(_NO_ITEMS):
        notes.left_out.append(NOT_AN_ITEM.at(where, kind))
        return
    if not isinstance(value, dict):
        lost.append(BAD_ITEM.at(where, f"a region {value!r:.40}"))
        return
    labels = [
        clean_name(label)
        for key, found in value.items()
        if key.endswith("labels") and isinstance(found, list)
        for label in found
    ]
    if len(set(labels)) != 1 or not labels[0]:
        lost.append((SEVERAL_CLASSES if labels else NO_CLASS).at(where, ", ".join(labels)))
        return
    if region.get("image_rotation"):
        lost.append(TURNED_PHOTO.at(where, f"by {region['image_rotation']} degrees"))
        return
    try:
        items.append(Item(labels[0], _box(value, size, where, notes)))
    except (ValueError, KeyError, TypeError) as error:
        lost.append(BAD_ITEM.at(where, f"{kind or 'a region'}: {error}"))


def _box(value: Mapping[str, Any], size: tuple[int, int] | None, where: str, notes: Notes) -> Box:
    """The box in fractions. Angles are those of pixels, so the sides' ratio is needed for them."""
    width, height = size or (1, 1)
    degrees = number(value.get("rotation") or 0)
    if degrees % 360 and size is None:
        raise ValueError("it is rotated, and original_width is missing")
    to_pixels = (width / 100, height / 100)
    if "points" in value:
        notes.changed.append(POLYGON.at(where))
        return _fractions(_scaled(box_around(value["points"]), to_pixels), (width, height))
    x, y = number(value["x"]) * to_pixels[0], number(value["y"]) * to_pixels[1]
    if "radiusX" in value:
        notes.changed.append(POLYGON.at(where, "an ellipse"))
        radii = number(value["radiusX"]) * to_pixels[0], number(value["radiusY"]) * to_pixels[1]
        return _fractions(ellipse_box(x, y, *radii, degrees), (width, height))
    if "rle" in value or "format" in value:
        raise ValueError("a brush mask, which is not read: export as COCO")
    right = x + number(value["width"]) * to_pixels[0]
    bottom = y + number(value["height"]) * to_pixels[1]
    box = (x, y, right, bottom)
    if degrees % 360:
        notes.changed.append(ROTATED.at(where, f"by {degrees:g} degrees"))
        box = rotated_box(box, degrees, about=(x, y))  # about the corner, not the centre
    return _fractions(box, (width, height))


def _scaled(box: Box, by: tuple[float, float]) -> Box:
    return box[0] * by[0], box[1] * by[1], box[2] * by[0], box[3] * by[1]


def _fractions(box: Box, size: tuple[int, int]) -> Box:
    return _scaled(box, (1 / size[0], 1 / size[1]))
