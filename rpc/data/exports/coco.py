"""COCO's JSON as Roboflow, CVAT, Label Studio, FiftyOne, RPC and COCO itself lay it out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from rpc.data.by_kind import Problem
from rpc.data.coco_forms import crowds_that_are_items
from rpc.data.exports.found import ExportFiles, LabelFile
from rpc.data.exports.kinds import (
    BAD_ITEM,
    CROWD,
    LISTED_TWICE,
    MASK_AS_CROWD,
    NO_CLASS,
    NO_NAME,
    NOT_READ,
    OTHER_IDS,
    POLYGON,
    ROTATED,
    SAME_NAME,
    UNKNOWN_CLASS,
    Notes,
)
from rpc.data.exports.labels import (
    Export,
    Item,
    LabelledPhoto,
    claimed_size,
    clean_name,
    split_of,
    split_of_path,
    whole_number,
)
from rpc.data.exports.shapes import box_of_flat, joined, number, rotated_box
from rpc.data.exports.sniff import COCO
from rpc.data.levels import LEVELS
from rpc.data.records import Box

ROBOFLOW: Final = "_annotations.coco.json"
_IMAGE_KEPT: Final = ("id", "level", "camera", "view", "sku")
_ITEM_KEPT: Final = ("point_xy", "visible")
_CLASS_KEPT: Final = ("supercategory", "family", "title")


def read_coco(files: ExportFiles) -> Export:
    """All COCO files of an export; several may give one class under different ids."""
    notes = Notes()
    chosen = _chosen(files, notes)
    photos: list[LabelledPhoto] = []
    classes: dict[str, dict[str, Any]] = {}
    for file in chosen:
        reader = _File(files, file, notes)
        _add_classes(classes, reader.classes, notes)
        photos += reader.photos()
    return Export(
        layout=_layout(files, chosen),
        root=files.root,
        files=tuple(file.path for file in chosen),
        photos=tuple(photos),
        classes=classes,
        notes=notes,
    )


def _add_classes(
    classes: dict[str, dict[str, Any]], more: Mapping[str, dict[str, Any]], notes: Notes
) -> None:
    """Join the classes of one more file; an id that the files do not share is dropped."""
    for name, fields in more.items():
        known = classes.setdefault(name, fields)
        if known.get("id") != fields.get("id"):
            known.pop("id", None)
            notes.changed.append(OTHER_IDS.at(name))


def _chosen(files: ExportFiles, notes: Notes) -> list[LabelFile]:
    """The files of boxes; COCO's files of key points list the same photos once more."""
    found = list(files.labels[COCO])
    folders = {f.path.parent for f in found if f.path.name.startswith("instances_")}
    chosen = [
        f
        for f in found
        if f.path.parent not in folders or not f.path.name.startswith("person_keypoints_")
    ]
    notes.left_out += [
        NOT_READ.at(files.name(f.path), "it repeats the photos of instances_*.json")
        for f in found
        if f not in chosen
    ]
    return chosen


def _layout(files: ExportFiles, chosen: list[LabelFile]) -> str:
    first = chosen[0]
    info = first.value.get("info")
    origin = str(info.get("contributor", "")) if isinstance(info, dict) else ""
    if first.path.name == ROBOFLOW:
        return "Roboflow COCO"
    if "Label Studio" in origin or first.path.name == "result.json":
        return "Label Studio COCO"
    if first.path.name == "labels.json" and (first.path.parent / "data").is_dir():
        return "FiftyOne COCO"
    if any("attributes" in a for a in first.value["annotations"][:20] if isinstance(a, dict)) or (
        first.path.parent.name == "annotations" and (files.root / "images" / "default").is_dir()
    ):
        return "CVAT COCO"
    return "RPC's JSON under another name" if _is_rpc(first.value) else "COCO"


def _is_rpc(value: Mapping[str, Any]) -> bool:
    return "__raw_Chinese_name_df" in value


@dataclass
class _Photo:
    """The items of one image, gathered while the annotations are read."""

    items: list[Item] = field(default_factory=list)
    lost: list[Problem] = field(default_factory=list)


class _File:
    """One COCO file: its classes, then its photos."""

    def __init__(self, files: ExportFiles, file: LabelFile, notes: Notes) -> None:
        self._files = files
        self._path = file.path
        self._value = file.value
        self._name = files.name(file.path)
        self._notes = notes
        self._split = split_of(file.path.stem) or split_of_path(file.path, files.root)
        self.classes: dict[str, dict[str, Any]] = {}
        self._names: dict[int | str, str] = {}
        self._folders = self._photo_folders()
        self._read_classes()

    def photos(self) -> Iterator[LabelledPhoto]:
        """The photos in the order of the file, with their items."""
        images = self._images()
        gathered = {key: _Photo() for key in images}
        entries = self._value["annotations"]
        crowds = [row for row, entry in enumerate(entries) if _is_crowd(entry)]
        # CVAT marks its masks as crowds.
        masks = set(crowds_that_are_items(entries, crowds)) if crowds else set()
        for place, entry in enumerate(entries):
            self._read_item(place, entry, gathered, place in masks)
        for key, (where, image) in images.items():
            yield self._photo(where, image, gathered[key])

    def _read_classes(self) -> None:
        for entry in self._value["categories"]:
            if not isinstance(entry, dict):
                continue
            name = clean_name(entry.get("name"))
            key = _id(entry.get("id"))
            if not name or key is None:
                continue  # its items are told as of an unknown class
            if name in self.classes:
                self._notes.changed.append(SAME_NAME.at(f"{self._name}: category {key}", name))
            self._names[key] = name
            kept = {field: entry[field] for field in _CLASS_KEPT if entry.get(field)}
            if kept.get("supercategory") == "none":
                del kept["supercategory"]
            if isinstance(key, int):
                kept["id"] = key
            self.classes.setdefault(name, kept)

    def _images(self) -> dict[int | str, tuple[str, Mapping[str, Any]]]:
        images: dict[int | str, tuple[str, Mapping[str, Any]]] = {}
        for place, entry in enumerate(self._value["images"]):
            key = _id(entry.get("id")) if isinstance(entry, dict) else None
            where = f"{self._name}: image {key if key is not None else f'at place {place}'}"
            if key is None:
                self._notes.left_out.append(NO_NAME.at(where, "it has no id"))
            elif key in images:
                self._notes.left_out.append(LISTED_TWICE.at(where, "the id is there twice"))
            else:
                images[key] = (where, entry)
        return images

    def _read_item(
        self, place: int, entry: Any, gathered: dict[int | str, _Photo], is_mask: bool
    ) -> None:
        key = _id(entry.get("image_id")) if isinstance(entry, dict) else None
        number_of = entry.get("id", f"at place {place}") if isinstance(entry, dict) else place
        where = f"{self._name}: annotation {number_of!r:.40}"
        if key not in gathered:
            what = "its image is not listed"
            self._notes.left_out.append(
                Problem(where, what, "items are of images that are not listed and are left out")
            )
            return
        photo = gathered[key]
        try:
            self._take(where, entry, photo, is_mask)
        except (ValueError, TypeError) as error:
            photo.lost.append(BAD_ITEM.at(where, str(error)))

    def _take(self, where: str, entry: Mapping[str, Any], photo: _Photo, is_mask: bool) -> None:
        category = _id(entry.get("category_id"))
        if category is None:
            photo.lost.append(NO_CLASS.at(where))
            return
        if category not in self._names:
            photo.lost.append(UNKNOWN_CLASS.at(where, f"category_id {category!r:.40}"))
            return
        if _is_crowd(entry) and not is_mask:
            photo.lost.append(CROWD.at(where))
            return
        if is_mask:
            self._notes.changed.append(MASK_AS_CROWD.at(where))
        kept = {name: entry[name] for name in _ITEM_KEPT if entry.get(name) is not None}
        photo.items.append(Item(self._names[category], self._box(where, entry), kept))

    def _box(self, where: str, entry: Mapping[str, Any]) -> Box:
        box = entry.get("bbox")
        if not box:
            outline = entry.get("segmentation")
            if not isinstance(outline, list) or not outline:
                raise ValueError("it has no bbox")
            self._notes.changed.append(POLYGON.at(where))
            rings = outline if isinstance(outline[0], list) else [outline]
            return joined([box_of_flat(ring) for ring in rings])
        x, y, width, height = (number(value) for value in box)
        attributes = entry.get("attributes")
        degrees = number(attributes.get("rotation") or 0) if isinstance(attributes, dict) else 0.0
        upright = (x, y, x + width, y + height)
        if degrees % 360 and width > 0 and height > 0:  # CVAT writes the box before it is turned
            self._notes.changed.append(ROTATED.at(where, f"by {degrees:g} degrees"))
            return rotated_box(upright, degrees)
        return upright

    def _photo(self, where: str, image: Mapping[str, Any], gathered: _Photo) -> LabelledPhoto:
        name = image.get("file_name")
        place = self._files.index.find(name, self._folders, self._split)
        lost = list(gathered.lost)
        place.tell(where, lost, self._notes)
        kept = {key: image[key] for key in _IMAGE_KEPT if image.get(key) is not None}
        if kept.get("level") not in (None, *LEVELS):
            del kept["level"]
        return LabelledPhoto(
            where=where,
            name=name if isinstance(name, str) else "",
            split=self._split,
            file=place.file,
            items=tuple(gathered.items),
            size=claimed_size(image.get("width"), image.get("height")),
            lost=tuple(lost),
            extra=kept,
        )

    def _photo_folders(self) -> list[Path]:
        """Where the layouts put a file's photos: beside it, in `images/`, in the split's folder."""
        here, above = self._path.parent, self._path.parent.parent
        subset = self._path.stem.removeprefix("instances_")
        return [
            here,
            here / "images",
            here / "data",
            here / subset,
            above / "images" / subset,
            above / subset,
            above / "images",
            above,
        ]


def _is_crowd(entry: object) -> bool:
    return isinstance(entry, dict) and entry.get("iscrowd") in (1, "1")


def _id(value: object) -> int | str | None:
    """An id as a number where it is one, as text otherwise; None where there is none."""
    whole = whole_number(value)
    if whole is not None:
        return whole
    return value if isinstance(value, str) and value else None
