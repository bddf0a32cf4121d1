"""An export read, whatever its layout, and planned as a store."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from rpc.data.by_kind import Problem
from rpc.data.exports import sniff
from rpc.data.exports.coco import read_coco
from rpc.data.exports.createml import read_createml, read_fiftyone
from rpc.data.exports.cvat import read_cvat
from rpc.data.exports.found import ExportFiles
from rpc.data.exports.kinds import EMPTY_CLASS, NOT_READ, UNNAMED_PHOTO, Kind
from rpc.data.exports.label_studio import read_label_studio
from rpc.data.exports.labelme import read_labelme
from rpc.data.exports.labels import Export, LabelledPhoto, split_of_path
from rpc.data.exports.placing import PLACES, Place, Placing, place_photos
from rpc.data.exports.plan import SeenPhoto, look_at_photos
from rpc.data.exports.tables import read_table
from rpc.data.exports.via import read_via
from rpc.data.exports.voc import read_voc
from rpc.data.exports.yolo import read_yolo
from rpc.data.files import DataError
from rpc.data.parallel import Progress

_READERS: Final[Mapping[str, Callable[[ExportFiles], Export]]] = {
    sniff.COCO: read_coco,
    sniff.CVAT: read_cvat,
    sniff.LABEL_STUDIO: read_label_studio,
    sniff.VIA: read_via,
    sniff.CREATEML: read_createml,
    sniff.FIFTYONE: read_fiftyone,
    sniff.VOC: read_voc,
    sniff.LABELME: read_labelme,
    sniff.YOLO: read_yolo,
    sniff.TABLE: read_table,
}
LAYOUT_NAMES: Final = {
    "coco": sniff.COCO,
    "cvat": sniff.CVAT,
    "label-studio": sniff.LABEL_STUDIO,
    "via": sniff.VIA,
    "createml": sniff.CREATEML,
    "fiftyone": sniff.FIFTYONE,
    "voc": sniff.VOC,
    "labelme": sniff.LABELME,
    "yolo": sniff.YOLO,
    "csv": sniff.TABLE,
}

IN_TWO_SPLITS: Final = Kind(
    "photos are in several splits of the export: what learns from one is not measured on another",
    "the photo is in several splits: what learns from one is not measured on another",
)


@dataclass(frozen=True)
class ReadOptions:
    """How an export is read where its files leave a choice.

    Attributes:
        layout: of `LAYOUT_NAMES`, where a folder holds several; None takes the first that fits.
        class_attribute: VIA's region attribute that names the product.
        placing: which splits become what.
    """

    layout: str | None = None
    class_attribute: str | None = None
    placing: Placing = field(default_factory=Placing)


@dataclass(frozen=True)
class StorePlan:
    """The content of a store of an export, before it is written.

    Attributes:
        export: as it was read.
        placed: photos by their place.
        classes: SKUs with an item on a placed photo, in the export's order, with fields to keep.
        left_out: what the store will not hold.
        changed: what it holds otherwise than the export wrote it.
        unnamed: photos of the export's folder that no label names.
    """

    export: Export
    placed: Mapping[Place, Sequence[SeenPhoto]]
    classes: Mapping[str, Mapping[str, Any]]
    left_out: tuple[Problem, ...]
    changed: tuple[Problem, ...]
    unnamed: int

    @property
    def photos(self) -> int:
        """Photos that the store will hold."""
        return sum(map(len, self.placed.values()))


def read_export(files: ExportFiles, options: ReadOptions = ReadOptions()) -> Export:
    """Read the label files of an export.

    Raises:
        DataError: the wanted layout is not there, or a file that all labels need is damaged.
    """
    layout = files.layouts[0]
    if options.layout is not None:
        layout = LAYOUT_NAMES.get(options.layout, options.layout)
        if layout not in files.layouts:
            raise DataError(
                f"{files.root}: holds no {layout} labels; found {', '.join(files.layouts)}"
            )
    if layout == sniff.VIA:
        export = read_via(files, options.class_attribute)
    else:
        export = _READERS[layout](files)
    export.notes.left_out += files.broken + files.links
    for other, found in files.labels.items():
        if other != layout:
            export.notes.left_out += [NOT_READ.at(files.name(f.path), other) for f in found]
    return replace(export, photos=tuple(_with_split(photo, files) for photo in export.photos))


def _with_split(photo: LabelledPhoto, files: ExportFiles) -> LabelledPhoto:
    """The photo with the split that its own folder says, where its label file says none."""
    if photo.split or photo.file is None:
        return photo
    return replace(photo, split=split_of_path(photo.file, files.root))


def plan_store(
    files: ExportFiles,
    options: ReadOptions = ReadOptions(),
    *,
    decode: bool = True,
    progress: Progress | None = None,
) -> StorePlan:
    """Read an export, look at its photos and decide what a store of it will hold.

    Args:
        files: of the export.
        options: how it is read.
        decode: decode each photo, which finds truncated ones.
        progress: called with the photos looked at and their total.

    Raises:
        DataError: the export cannot be read, or holds no photo that can be taken.
    """
    export = read_export(files, options)
    notes = export.notes
    named = {photo.file for photo in export.photos}
    unnamed = [path for path in files.index.photos if path not in named]
    notes.left_out += [UNNAMED_PHOTO.at(files.name(path)) for path in unnamed]
    seen = look_at_photos(export, notes, decode=decode, progress=progress)
    placed = place_photos(seen, options.placing, notes)
    taken = [photo for place in PLACES for photo in placed[place]]
    used = dict.fromkeys(item.sku for photo in taken for item in photo.items)
    listed = {name: kept for name, kept in export.classes.items() if name in used}
    classes = listed | {name: {} for name in used if name not in listed}
    notes.left_out += [EMPTY_CLASS.at(name) for name in export.classes if name not in used]
    notes.changed += _in_two_splits(files, taken)
    return StorePlan(
        export=export,
        placed=placed,
        classes=classes,
        left_out=tuple(notes.left_out),
        changed=tuple(notes.changed),
        unnamed=len(unnamed),
    )


def _in_two_splits(files: ExportFiles, taken: Sequence[SeenPhoto]) -> list[Problem]:
    """Photos that are, byte for byte, in several splits; only files of one size are compared."""
    photos = [(photo.labelled.split or "no split", photo.labelled.file) for photo in taken]
    by_size: dict[int, list[tuple[str, Path]]] = {}
    for split, path in photos:
        if path is not None:
            by_size.setdefault(path.stat().st_size, []).append((split, path))
    same: dict[bytes, list[tuple[str, Path]]] = {}
    for alike in by_size.values():
        if len({split for split, _ in alike}) > 1:
            for split, path in alike:
                digest = hashlib.sha256(path.read_bytes()).digest()
                same.setdefault(digest, []).append((split, path))
    return [
        IN_TWO_SPLITS.at(files.name(found[0][1]), _others(files, found))
        for found in same.values()
        if len({split for split, _ in found}) > 1
    ]


def _others(files: ExportFiles, found: Sequence[tuple[str, Path]]) -> str:
    named = [f"{split}: {files.name(path)}" for split, path in found]
    return ", ".join(named[:3]) + (f" and {len(named) - 3} more" if len(named) > 3 else "")
