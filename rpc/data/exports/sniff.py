"""The kind of one JSON, XML or CSV file, told by its content: names of exports are changed."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from rpc.data.exports.safe_xml import read_xml
from rpc.data.files import DataError, read_json_value

# Kinds that are read, by the name of their layout; the first that fits is taken.
COCO: Final = "COCO"
CVAT: Final = "CVAT for images"
LABEL_STUDIO: Final = "Label Studio JSON"
VIA: Final = "VIA"
CREATEML: Final = "CreateML"
FIFTYONE: Final = "FiftyOne detections"
VOC: Final = "Pascal VOC"
LABELME: Final = "labelme"
YOLO: Final = "YOLO"
TABLE: Final = "CSV of boxes"
READ: Final = (
    COCO, CVAT, LABEL_STUDIO, VIA, CREATEML, FIFTYONE, VOC, LABELME, YOLO, TABLE,
)  # fmt: skip

SNIFFED: Final = 100  # entries of a list that are looked at: the first may have no region

# Kinds that are known and not read, and what to do.
REMEDIES: Final[Mapping[str, str]] = {
    "VIA 3 project": "export it as COCO or CSV of VIA 2",
    "CVAT for video": "export it as 'CVAT for images 1.1' or COCO",
    "COCO results": "these are predictions: rpc-checkout evaluate reads them",
    "COCO captions": "take the file of boxes, instances_*.json",
    "COCO without categories": "add the list 'categories', with an id and a name for each class",
    "Supervisely": "export it as COCO",
    "VoTT": "export it as Pascal VOC",
    "Labelbox": "export it as COCO",
    "Datumaro": "export it as COCO",
    "TFRecord": "export it as COCO",
}


def sniff_json(path: Path) -> tuple[str, Any]:
    """The kind of a JSON file, empty where unknown, and its value.

    Raises:
        DataError: the file cannot be read or is not JSON.
    """
    value = read_json_value(path)
    if isinstance(value, dict):
        return next((kind for kind, fits in _OBJECTS.items() if fits(value)), ""), value
    if not isinstance(value, list):
        return "", value
    first = [one for one in value[:SNIFFED] if isinstance(one, dict)]
    return next((kind for kind, fits in _LISTS.items() if any(map(fits, first))), ""), value


def sniff_xml(path: Path) -> str:
    """The kind of an XML file; empty where unknown.

    Raises:
        DataError: the file cannot be read or is not XML.
    """
    root = read_xml(path)
    if root.tag == "annotation":
        return VOC
    if root.tag == "annotations":
        return "CVAT for video" if root.find("track") is not None else CVAT
    return ""


def sniff_csv(path: Path) -> str:
    """The kind of a CSV file by its header; empty where unknown.

    Raises:
        DataError: the file cannot be read.
    """
    columns = set(csv_header(path))
    if {"filename", "region_shape_attributes", "region_attributes"} <= columns:
        return VIA
    if columns >= {"xmin", "ymin", "xmax", "ymax"}:
        return TABLE
    return ""


def csv_header(path: Path) -> list[str]:
    """The names of a CSV's columns: small letters, no `#` before them.

    Raises:
        DataError: the file cannot be read.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline(10_000)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 text (byte {error.start})") from error
    try:
        row = next(csv.reader([first]), [])
    except csv.Error:
        return []
    return [name.strip().lstrip("#").lower() for name in row]


def _is_via(value: Mapping[str, Any]) -> bool:
    if isinstance(value.get("_via_img_metadata"), dict):
        return True
    entries = list(value.values())[:5]
    return bool(entries) and all(
        isinstance(e, dict) and "filename" in e and "regions" in e for e in entries
    )


def _has(*fields: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda value: all(field in value for field in fields)


def _is_label_studio(task: Mapping[str, Any]) -> bool:
    if isinstance(task.get("data"), dict):
        return any(name in task for name in ("annotations", "completions", "predictions"))
    regions = [value for value in task.values() if isinstance(value, list)]
    return any(
        isinstance(region, dict) and "original_width" in region
        for value in regions
        for region in value[:3]
    )


def _is_createml(entry: Mapping[str, Any]) -> bool:
    if not ({"image", "imagefilename"} & entry.keys()):
        return False
    boxes = entry.get("annotations", entry.get("annotation"))
    return isinstance(boxes, list) and all(
        isinstance(box, dict) and "coordinates" in box for box in boxes[:3]
    )


def _is_coco(value: Mapping[str, Any]) -> bool:
    return all(isinstance(value.get(key), list) for key in ("images", "annotations", "categories"))


def _is_captions(value: Mapping[str, Any]) -> bool:
    items = value.get("annotations")
    return isinstance(items, list) and any(
        isinstance(item, dict) and "caption" in item for item in items[:5]
    )


_OBJECTS: Final[Mapping[str, Callable[[Mapping[str, Any]], bool]]] = {
    COCO: _is_coco,
    LABELME: _has("shapes", "imagePath"),
    VIA: _is_via,
    FIFTYONE: lambda value: isinstance(value.get("labels"), dict) and "classes" in value,
    "VIA 3 project": _has("project", "attribute", "metadata"),
    "COCO captions": _is_captions,
    "COCO without categories": _has("images", "annotations"),
    "Supervisely": _has("objects", "tags", "size"),
    "VoTT": _has("assets", "tags"),
    "Datumaro": _has("items", "categories"),
}
_LISTS: Final[Mapping[str, Callable[[Mapping[str, Any]], bool]]] = {
    CREATEML: _is_createml,
    LABEL_STUDIO: _is_label_studio,
    "COCO results": _has("image_id", "category_id", "score"),
    "Labelbox": _has("data_row", "projects"),
}
