"""The photos of an export, found by the many ways in which label files name them."""

from __future__ import annotations

import os
import posixpath
import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import parse_qs, unquote, urlsplit

from rpc.data.by_kind import Problem
from rpc.data.exports.kinds import AMBIGUOUS, BY_STEM, BY_TAIL, MISSING, NO_NAME, Kind, Notes
from rpc.data.exports.labels import split_of

_UPLOAD_PREFIX = re.compile(r"[0-9a-f]{8}-")  # Label Studio's, before the name of an upload


@dataclass(frozen=True)
class Place:
    """Where a photo lies.

    Attributes:
        file: the photo; None where it is not found.
        kind: why not, or how it was found where that is not plain; None where it is.
        detail: the name that was looked for, or the one that was found.
    """

    file: Path | None
    kind: Kind | None = None
    detail: str = ""

    def tell(self, where: str, lost: list[Problem], notes: Notes) -> None:
        """Add what is to be told: why the photo is lost, or how it was found."""
        if self.file is None:
            lost.insert(0, (self.kind or MISSING).at(where, self.detail))
        elif self.kind is not None:
            notes.changed.append(self.kind.at(where, self.detail))


class PhotoIndex:
    """Finds photos below one folder, and never outside it.

    Args:
        root: the export's folder.
        photos: all photos below it.
    """

    def __init__(self, root: Path, photos: Sequence[Path]) -> None:
        self.root = root
        self.photos = list(photos)
        self._by_path = {_key(p.relative_to(root).as_posix()): p for p in self.photos}
        self._starts: dict[Path, str] = {}  # folders relative to the root
        self._by_name: dict[str, list[Path]] = defaultdict(list)
        self._by_stem: dict[str, list[Path]] = defaultdict(list)
        for photo in self.photos:
            self._by_name[_key(photo.name)].append(photo)
            self._by_stem[_key(photo.stem).casefold()].append(photo)

    def at(self, folder: Path, relative: str) -> Path | None:
        """The photo at a path relative to a folder of the export, exactly; None if there is none.

        A path that leads out of the export names none.
        """
        start = self._starts.get(folder)
        if start is None:
            start = self._starts[folder] = os.path.relpath(folder, self.root).replace(os.sep, "/")
        path = posixpath.normpath(posixpath.join(start, relative))
        return self._by_path.get(_key(path))  # which knows no path outside the root

    def find(self, name: object, folders: Sequence[Path], split: str = "") -> Place:
        """The photo that a label file names.

        Args:
            name: as the file writes it: a name, a path with any slashes, a URL.
            folders: where the layout puts photos, in order.
            split: of the entry; photos in folders of this split win.
        """
        if not isinstance(name, str) or not name.strip():
            return Place(None, NO_NAME, repr(name)[:80])
        for text in dict.fromkeys((name, _unquoted(name))):
            for folder in folders:
                if (file := self.at(folder, _slashes(text))) is not None:
                    return Place(file)
        return self._by_tail(_unquoted(name), split)

    def by_stem(self, stem: str, folder: Path) -> Path | None:
        """The photo of this name without its suffix in one folder; None where not just one is."""
        there = [p for p in self._by_stem[_key(stem).casefold()] if p.parent == folder]
        return there[0] if len(there) == 1 else None

    def _by_tail(self, name: str, split: str) -> Place:
        """The one photo whose path ends as the name does, by as many of its folders as fit."""
        parts = [part for part in _slashes(name).split("/") if part not in ("", ".", "..")]
        if not parts:
            return Place(None, NO_NAME, repr(name)[:80])
        key = [_key(part) for part in parts]
        candidates = self._of_split(self._by_name.get(key[-1], []), split)
        best = max((_common_tail(p, key) for p in candidates), default=0)
        longest = [p for p in candidates if _common_tail(p, key) == best]
        kind = BY_TAIL
        if not longest:
            longest, kind = self._of_split(self._by_other_name(parts[-1]), split), BY_STEM
        if len(longest) > 1:
            same = [p for p in longest if self._split_of(p) == split]
            longest = same or longest
        if len(longest) == 1:
            found = longest[0].relative_to(self.root).as_posix()
            plain = kind is BY_TAIL and len(parts) == 1
            return Place(longest[0], None if plain else kind, f"{name!r:.200} as {found}")
        if longest:
            shown = ", ".join(p.relative_to(self.root).as_posix() for p in longest[:2])
            return Place(None, AMBIGUOUS, f"{name!r:.200} may be {shown}")
        return Place(None, MISSING, repr(name)[:200])

    def _by_other_name(self, name: str) -> list[Path]:
        """Photos of this name in another case, with another suffix, or without upload prefix."""
        key = _key(name).casefold()
        same = [p for p in self._by_stem[_stem(key)] if _key(p.name).casefold() == key]
        bare = _UPLOAD_PREFIX.sub("", key, count=1)
        return (
            same
            or [p for p in self._by_stem[_stem(bare)] if _key(p.name).casefold() == bare]
            or self._by_stem[_stem(key)]
            or self._by_stem[key]
        )

    def _of_split(self, photos: Sequence[Path], split: str) -> list[Path]:
        """The photos without those whose folders say another split: they are others' namesakes."""
        return [p for p in photos if not split or self._split_of(p) in ("", split)]

    def _split_of(self, photo: Path) -> str:
        return split_of(*reversed(photo.relative_to(self.root).parts[:-1]))


def _key(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _stem(name: str) -> str:
    return PurePosixPath(name).stem


def _slashes(name: str) -> str:
    return name.strip().replace("\\", "/")


def _common_tail(photo: Path, key: Sequence[str]) -> int:
    """How many last parts of a photo's path are those of the name."""
    parts = [_key(part) for part in photo.parts[-len(key) :]]
    same = 0
    for own, wanted in zip(reversed(parts), reversed(key), strict=False):
        if own != wanted:
            break
        same += 1
    return same


def _unquoted(name: str) -> str:
    """The path of a URL, or of Label Studio's `/data/local-files/?d=path`; else the name."""
    text = name
    if "://" in text or "/?d=" in text:
        try:
            url = urlsplit(text)
            local = parse_qs(url.query).get("d")
        except ValueError:  # not a URL after all
            return unquote(text)
        return local[0] if local else unquote(url.path or text)
    return unquote(text)
