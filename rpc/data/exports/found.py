"""An export told by its files: which label files are there, of what kinds, and which photos."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from rpc.data.by_kind import Problem
from rpc.data.exports.kinds import BAD_FILE, LINK
from rpc.data.exports.photo_index import PhotoIndex
from rpc.data.exports.sniff import (
    LABELME,
    READ,
    REMEDIES,
    YOLO,
    sniff_csv,
    sniff_json,
    sniff_xml,
)
from rpc.data.exports.yolo_files import find_yolo_labels
from rpc.data.files import DataError
from rpc.data.photo_files import SYSTEM, scan_photos

LABEL_SUFFIXES: Final = frozenset(
    {".json", ".xml", ".csv", ".txt", ".yaml", ".yml", ".names", ".data", ".labels"}
    | {".ndjson", ".jsonl", ".tfrecord"}
)
ALIKE: Final = 50  # labelme files of a folder, after which the others are taken for the same


@dataclass(frozen=True)
class LabelFile:
    """One label file.

    Attributes:
        path: the file.
        kind: of `rpc.data.exports.sniff`; empty where unknown.
        value: of a JSON file, but for labelme's, of which there is one a photo.
    """

    path: Path
    kind: str
    value: Any = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class ExportFiles:
    """The files of a folder that may be an export.

    Attributes:
        root: the folder.
        index: its photos.
        labels: the label files of a known kind, by kind.
        unknown: JSON, XML and CSV files of no known kind.
        others: further files that may belong to labels (`data.yaml`, `classes.txt`, ...).
        broken: label files that cannot be read.
        links: photos and folders that are links out of the folder, which are not followed.
    """

    root: Path
    index: PhotoIndex
    labels: Mapping[str, tuple[LabelFile, ...]]
    unknown: tuple[Path, ...]
    others: tuple[Path, ...]
    broken: tuple[Problem, ...]
    links: tuple[Problem, ...] = ()

    @property
    def layouts(self) -> list[str]:
        """The kinds that can be read, the preferred one first."""
        return [kind for kind in READ if self.labels.get(kind)]

    def name(self, path: Path) -> str:
        """A file's path below the root, for messages."""
        return path.relative_to(self.root).as_posix()


def look_at(source: str | Path, *, follow_links: bool | None = None) -> ExportFiles:
    """The label files and photos of a folder, or those that belong to one label file.

    Args:
        source: the folder, or the label file.
        follow_links: whether photos may be links that lead out of the folder; None as `safe_join`.

    Raises:
        DataError: `source` is missing, an archive, or a file of no label.
    """
    source = Path(source)
    if source.is_file():
        if source.suffix.lower() not in LABEL_SUFFIXES:
            raise DataError(
                f"{source}: is a file; unpack an archive first, and name the folder of the export"
            )
        return _sorted_files(source.parent, source, follow_links)
    if not source.is_dir():
        raise DataError(
            f"{source}: no such folder; expected an export, or a folder of photos for each SKU"
        )
    return _sorted_files(source, None, follow_links)


def told_unread(files: ExportFiles) -> str:
    """One line on label files that cannot be read as an export: what they are, what to do."""
    parts = []
    for kind, found in files.labels.items():
        if kind not in READ:
            parts.append(f"{_some(files, [f.path for f in found])} ({kind}: {REMEDIES[kind]})")
    if files.unknown:
        parts.append(f"{_some(files, list(files.unknown))} (of no layout that is known)")
    parts += [str(problem) for problem in (*files.broken[:2], *files.links[:1])]
    loose = [p for p in files.others if p.suffix.lower() in (".txt", ".yaml", ".yml")]
    if loose:
        parts.append(f"{_some(files, loose)} (no YOLO labels: no boxes of a photo)")
    return "; ".join(parts)


def _some(files: ExportFiles, paths: list[Path]) -> str:
    names = ", ".join(files.name(path) for path in paths[:3])
    return f"{names} and {len(paths) - 3} more" if len(paths) > 3 else names


def _sorted_files(root: Path, only: Path | None, follow_links: bool | None) -> ExportFiles:
    photos, candidates, links = _walk(root, follow_links)
    texts = [p for p in candidates if p.suffix.lower() == ".txt"]
    if only is not None:
        candidates = [only, *(p for p in candidates if p.suffix.lower() not in _SNIFFED)]
    labels: dict[str, list[LabelFile]] = {}
    unknown: list[Path] = []
    broken: list[Problem] = []
    alike: Counter[Path] = Counter()
    for path in candidates:
        if path.suffix.lower() not in _SNIFFED:
            continue
        if alike[path.parent] >= ALIKE and path.suffix.lower() == ".json":
            labels[LABELME].append(LabelFile(path, LABELME))
            continue
        try:
            kind, value = _sniff(path)
        except DataError as error:
            broken.append(BAD_FILE.at(path.relative_to(root).as_posix(), _told(error, path)))
            continue
        alike[path.parent] += 1 if kind == LABELME else -alike[path.parent] - 1
        if kind:
            labels.setdefault(kind, []).append(LabelFile(path, kind, value))
        else:
            unknown.append(path)
    index = PhotoIndex(root, photos)
    is_yolo = only is None or only.suffix in (".yaml", ".yml")
    yolo = find_yolo_labels(index, texts) if is_yolo else []
    if yolo:
        labels[YOLO] = [LabelFile(path, YOLO) for path in yolo]
    taken = set(yolo)
    return ExportFiles(
        root=root,
        index=index,
        labels={kind: tuple(found) for kind, found in labels.items()},
        unknown=tuple(unknown),
        others=tuple(p for p in candidates if p.suffix.lower() not in _SNIFFED and p not in taken),
        broken=tuple(broken),
        links=tuple(links),
    )


_SNIFFED: Final = frozenset({".json", ".xml", ".csv", ".ndjson", ".jsonl", ".tfrecord"})


def _sniff(path: Path) -> tuple[str, Any]:
    suffix = path.suffix.lower()
    if suffix == ".json":
        kind, value = sniff_json(path)
        return kind, None if kind == LABELME else value
    if suffix == ".xml":
        return sniff_xml(path), None
    if suffix == ".csv":
        return sniff_csv(path), None
    return ("TFRecord" if suffix == ".tfrecord" else "Labelbox"), None


def _told(error: DataError, path: Path) -> str:
    return str(error).removeprefix(f"{path}: ")


def _walk(root: Path, follow_links: bool | None) -> tuple[list[Path], list[Path], list[Problem]]:
    """Photos, files that may hold labels, links; hidden and system files are not seen."""
    found = scan_photos(root, "an export", recursive=True, follow_links=follow_links)
    links = [
        LINK.at(one.path.relative_to(root).as_posix())
        for one in found.left_out
        if one.kind.startswith("link")
    ]
    candidates = [
        one.path
        for one in found.left_out
        if one.kind != SYSTEM
        and one.path.suffix.lower() in LABEL_SUFFIXES
        and one.path.is_file()
        and one.path.resolve().is_relative_to(root.resolve())
    ]
    return list(found.photos), candidates, links
