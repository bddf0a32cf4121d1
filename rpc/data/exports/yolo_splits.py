"""Which split a photo of a YOLO layout belongs to: by data.yaml, lists of photos, or folders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Final

from rpc.data.exports.found import ExportFiles
from rpc.data.exports.labels import split_of_path

_CVAT_FOLDERS: Final = {"obj_train_data": "train", "obj_valid_data": "val", "obj_test_data": "test"}


class YoloSplits:
    """The split of each photo.

    Args:
        files: of the export.
        yamls: the YAML files with class names, and what they hold.
    """

    def __init__(self, files: ExportFiles, yamls: Sequence[tuple[Path, Mapping[str, Any]]]) -> None:
        self._files = files
        self._root = files.root
        self._photos: dict[Path, str] = {}
        self._folders: list[tuple[Path, str]] = []
        for path, value in yamls:
            for split in ("train", "val", "test"):
                entries = value.get(split, value.get("valid") if split == "val" else None)
                for entry in entries if isinstance(entries, list) else [entries]:
                    if isinstance(entry, str) and entry.strip():
                        self._add(path, value.get("path"), entry.strip(), split)

    def of(self, photo: Path) -> str:
        """`train`, `val`, `test`, or empty where nothing says it."""
        if photo in self._photos:
            return self._photos[photo]
        inside = [pair for pair in self._folders if photo.is_relative_to(pair[0])]
        if inside:
            return max(inside, key=lambda pair: len(pair[0].parts))[1]
        for part in photo.relative_to(self._root).parts[:-1]:
            if part in _CVAT_FOLDERS:
                return _CVAT_FOLDERS[part]
        return split_of_path(photo, self._root)

    def _add(self, yaml: Path, base: object, entry: str, split: str) -> None:
        """Note a folder or a list of photos; paths of another machine are known by their end."""
        found = self._existing(yaml, base, entry)
        if found is None:
            return
        if found.is_dir():
            self._folders.append((found, split))
            return
        try:
            lines = found.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError):
            return
        for line in filter(None, map(str.strip, lines)):
            place = self._files.index.find(line, [found.parent, yaml.parent, self._root], split)
            if place.file is not None:
                self._photos[place.file] = split

    def _existing(self, yaml: Path, base: object, entry: str) -> Path | None:
        """The folder or list that an entry of data.yaml names, inside the export."""
        parts = [p for p in PurePosixPath(entry.replace("\\", "/")).parts if p not in ("..", "/")]
        starts = [yaml.parent, self._root]
        if isinstance(base, str):
            inner = PurePosixPath(base.replace("\\", "/")).parts
            starts = [yaml.parent.joinpath(*_harmless(inner)), *starts]
        for first in range(len(parts)):
            for start in starts:
                path = start.joinpath(*_harmless(parts[first:]))
                if path.exists() and path.resolve().is_relative_to(self._root.resolve()):
                    return path if path != self._root else None
        return None


def _harmless(parts: Sequence[str]) -> list[str]:
    return [part for part in parts if part not in ("..", "/", ".") and ":" not in part]
