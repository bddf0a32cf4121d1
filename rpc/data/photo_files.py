"""The one walk of a folder: which files are photos, and what was left out, by kind."""

from __future__ import annotations

import os
import re
import stat
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rpc.data.file_content import PHOTO_SUFFIXES, FileContent, content_of
from rpc.data.files import DataError, links_followed
from rpc.data.photo_notes import note_folder
from rpc.data.shown_names import shown_name
from rpc.data.system_files import is_system_file, is_system_folder

SYSTEM: Final = "hidden and system file"
LINK_REMEDY: Final = "put the photos themselves there, or add --follow-links"
SHOWN: Final = 3  # names of a kind that are told


@dataclass(frozen=True)
class LeftOut:
    """A file or folder that is no photo, or is not taken.

    Attributes:
        path: of it.
        kind: in people's words, singular: "video", "link out of the folder", `SYSTEM`, ...
        remedy: what to do; empty where nothing is to be done.
    """

    path: Path
    kind: str
    remedy: str = ""


@dataclass(frozen=True)
class FoundPhotos:
    """The photos of a folder.

    Attributes:
        root: the folder.
        photos: their paths below `root`, in the order of their names. What is named as a photo and
            is none by its content (damaged, empty) is among them: reading it says why.
        left_out: whatever else lies there.
    """

    root: Path
    photos: tuple[Path, ...]
    left_out: tuple[LeftOut, ...] = ()

    def told(self) -> list[str]:
        """A line for each kind that was left out: rarest first, system files last."""
        return told_by_kind(self.left_out, self.root)


def find_photos(
    folder: str | Path, expected: str, *, recursive: bool = False, follow_links: bool | None = None
) -> FoundPhotos:
    """The photos of a folder: by their content, whatever they are called.

    Files of the system and of programs, and hidden ones, are passed over. What is left out is
    logged (`rpc.data.photo_notes`).

    Args:
        folder: where to look.
        expected: what the photos should show, for the error: "photos of trays".
        recursive: look into the folders inside it, too; otherwise these are told.
        follow_links: take what links lead to outside of `folder`; None as `safe_join`.

    Raises:
        DataError: the folder is missing or holds no photo.
    """
    found = scan_photos(folder, expected, recursive=recursive, follow_links=follow_links)
    if not found.photos:
        beside = f"; it holds {'; '.join(found.told())}" if found.left_out else ""
        raise DataError(f"{shown_name(found.root)}: holds no photo; expected {expected}{beside}")
    note_folder(found.root, found.told())
    return found


def scan_photos(
    folder: str | Path, expected: str, *, recursive: bool = False, follow_links: bool | None = None
) -> FoundPhotos:
    """As `find_photos`, of a folder that may hold no photo.

    Raises:
        DataError: the folder is missing.
    """
    root = Path(folder)
    if not root.is_dir():
        raise DataError(f"{shown_name(root)}: no such folder; expected {expected}")
    photos, left_out = [], []
    for path, why in _walk(root, recursive, links_followed(follow_links)):
        if why is None:
            photos.append(path)
        else:
            left_out.append(why)
    order = sorted(left_out, key=lambda one: one.path)
    return FoundPhotos(root, tuple(sorted(photos)), tuple(order))


def told_by_kind(left_out: Iterable[LeftOut], root: Path) -> list[str]:
    """A line for each kind: how many, which, what to do; rarest first, system files last."""
    kinds: dict[tuple[str, str], list[Path]] = {}
    for one in left_out:
        kinds.setdefault((one.kind, one.remedy), []).append(one.path)
    lines = []
    for (kind, remedy), paths in sorted(
        kinds.items(), key=lambda item: (item[0][0] == SYSTEM, len(item[1]), item[0])
    ):
        what = f"{number_of(len(paths), kind)} passed over"
        if kind != SYSTEM:
            names = ", ".join(shown_name(p.relative_to(root)) for p in paths[:SHOWN])
            what += f": {names}{', ...' if len(paths) > SHOWN else ''}"
        lines.append(what + (f" ({remedy})" if remedy else ""))
    return lines


def number_of(count: int, thing: str) -> str:
    """So many of a thing: "1 photo", "2 photos"; the plural of the thing's noun."""
    noun, rest = re.match(r"(.*?)((?: (?:of|to|that|out) .*)?)$", thing).groups()  # type: ignore[union-attr]
    if count == 1:
        return f"1 {thing}"
    return f"{count:,} {noun[:-1] + 'ies' if noun.endswith('y') else noun + 's'}{rest}"


def _walk(root: Path, recursive: bool, follow_links: bool) -> Iterator[tuple[Path, LeftOut | None]]:
    """Each file below `root`, and why it is no photo; None for photos."""
    base = root.resolve()
    waiting, seen = deque([root]), {_identity(root)}
    while waiting:
        folder = waiting.popleft()
        try:
            entries = sorted(folder.iterdir())
        except OSError as error:
            yield folder, LeftOut(folder, "folder that cannot be read", _reason(error))
            continue
        for path in entries:
            inside, why = _look(path, base, follow_links)
            if not inside:
                yield path, why
            elif not recursive:
                if _shows_photos(path):
                    up = f"move them up into {shown_name(folder.name)} or out of it"
                    yield path, LeftOut(path, "folder of photos", up)
            elif _identity(path) not in seen:  # links may lead round in a ring
                seen.add(_identity(path))
                waiting.append(path)


def _look(path: Path, base: Path, follow_links: bool) -> tuple[bool, LeftOut | None]:
    """Whether it is a folder to enter; and why it is no photo, None for photos."""
    try:
        mode = path.lstat().st_mode
        linked = stat.S_ISLNK(mode)
        if linked:
            mode = path.stat().st_mode
    except OSError as error:
        if is_system_file(path.name):
            return False, LeftOut(path, SYSTEM)
        return False, LeftOut(path, "link that leads nowhere", _reason(error))
    folder = stat.S_ISDIR(mode)
    if is_system_folder(path.name) if folder else is_system_file(path.name):
        return False, LeftOut(path, SYSTEM)
    if linked and not follow_links:
        if not path.resolve().is_relative_to(base):
            return False, LeftOut(path, "link out of the folder", LINK_REMEDY)
        if folder:
            return False, LeftOut(path, "link to a folder", LINK_REMEDY)
    if folder:
        return True, None
    if not stat.S_ISREG(mode):
        return False, LeftOut(path, "special file", "pipes, sockets and devices are not read")
    return False, _why_no_photo(path)


def _why_no_photo(path: Path) -> LeftOut | None:
    named = path.suffix.lower() in PHOTO_SUFFIXES
    try:
        content = content_of(path)
    except OSError as error:
        if named:
            return None  # a photo by its name: reading it says why it cannot be read
        return LeftOut(path, "file that cannot be read", _reason(error))
    if content.photo or named:
        return None
    return LeftOut(path, _kind_of(path, content), content.remedy)


def _kind_of(path: Path, content: FileContent) -> str:
    """The kind; of files that nothing is known of, with the suffix."""
    suffix = shown_name(path.suffix.lower())
    return f"{suffix} file" if not content.remedy and 1 < len(suffix) <= 8 else content.kind


def _shows_photos(folder: Path) -> bool:
    """Whether a folder holds files named as photos, at any depth."""
    for _, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not is_system_folder(name)]
        if any(
            Path(name).suffix.lower() in PHOTO_SUFFIXES and not is_system_file(name)
            for name in files
        ):
            return True
    return False


def _identity(folder: Path) -> tuple[int, int]:
    found = folder.stat()
    return found.st_dev, found.st_ino


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
