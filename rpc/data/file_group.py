"""Several files of a folder that change together: all are the old ones, or all are the new ones.

Files written inside `file_group` wait under temporary names. At the end a record of all their names
is written, which decides; then they are renamed, and the record goes. A kill before the record
leaves the old files; a kill after it leaves renames to do, which `finish_group` does: whoever
writes into the folder next, or reads the result, calls it first.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Final

from rpc.data.files import (
    PART,
    DataError,
    cannot_write,
    finishing,
    path_problem,
    read_json,
    write_json,
)

RECORD: Final = re.compile(r"\.[0-9a-f]{16}\.renames\.json")  # names of records

_open: ContextVar[_Group | None] = ContextVar("open group", default=None)


class _Group:
    """Files that wait for their names, and files that go when the others have theirs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.record = self.folder / f".{secrets.token_hex(8)}.renames.json"
        self.waiting: dict[Path, Path] = {}  # final name: temporary name
        self.removed: list[Path] = []

    def take(self, part: Path, target: Path) -> None:
        """Let a finished file wait; one that lies elsewhere takes its name at once."""
        final = target.parent.resolve() / target.name
        if not final.is_relative_to(self.folder):
            part.replace(target)
            return
        if final.is_dir():  # found out while renaming, it would stop the others
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
        earlier = self.waiting.pop(final, None)
        self.waiting[final] = final.with_name(part.name)
        if earlier is not None:
            earlier.unlink(missing_ok=True)

    def commit(self) -> None:
        """Give all files their names."""
        if len(self.waiting) > 1:
            pairs = [[self._inside(part), self._inside(final)] for final, part in self._ordered()]
            write_json(self.record, {"renames": pairs})
            _finish(self.record)
        else:
            for final, part in self.waiting.items():
                part.replace(final)
        for path in self.removed:
            path.unlink(missing_ok=True)

    def drop(self) -> None:
        """Remove the files that wait."""
        for part in self.waiting.values():
            part.unlink(missing_ok=True)

    def _ordered(self) -> list[tuple[Path, Path]]:
        """The files as they were written, those of deeper folders first: pages name pictures."""
        return sorted(self.waiting.items(), key=lambda pair: -len(pair[0].parts))

    def _inside(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()


@contextmanager
def file_group(folder: str | Path) -> Iterator[None]:
    """Let all that `atomic_path` writes below `folder` in this block take its names at the end.

    Where the block fails, nothing has changed. A group inside a group belongs to the outer one.
    Files that other threads or processes write are no part of it.

    Raises:
        DataError: a file cannot be written or renamed.
    """
    if _open.get() is not None:
        yield
        return
    group = _Group(Path(folder))
    opened, hooked = _open.set(group), finishing.set(group.take)
    try:
        try:
            yield
        finally:
            finishing.reset(hooked)
            _open.reset(opened)
        group.commit()
    except BaseException as error:
        if group.record.exists():  # the new files are decided on
            with suppress(DataError):
                _finish(group.record)
        else:
            group.drop()
        if isinstance(error, OSError) and error.errno is not None:
            raise cannot_write(error.filename2 or error.filename or folder, error) from error
        raise


def remove_with_group(path: Path) -> None:
    """Remove a file as soon as the group that is open has its names; without one, at once.

    Raises:
        DataError: it cannot be removed.
    """
    group = _open.get()
    if group is not None:
        group.removed.append(path)
        return
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from error


def is_unfinished(folder: str | Path) -> bool:
    """Whether a kill has left files of a group without their names."""
    return bool(_records(Path(folder)))


def finish_group(folder: str | Path) -> None:
    """Do the renames that kills left to do in a folder; nothing where there are none.

    Raises:
        DataError: a record is damaged or not ours, or a file cannot be renamed.
    """
    for record in _records(Path(folder)):
        _finish(record)


def _records(folder: Path) -> list[Path]:
    found = folder.glob(".*.renames.json")
    return sorted(path for path in found if RECORD.fullmatch(path.name))


def _finish(record: Path) -> None:
    """Do the renames of a record; another process may do the same."""
    folder = record.parent.resolve()
    pairs = read_json(record).get("renames")
    if not (isinstance(pairs, list) and all(_is_ours(pair) for pair in pairs)):
        raise DataError(f"{record}: not a record of this program; look at it and remove it")
    try:
        for temporary, final in pairs:
            part = folder / temporary
            if part.parent.resolve() != part.parent or part.is_symlink():
                raise DataError(f"{record}: {temporary!r:.80} lies behind a link; remove the link")
            with suppress(FileNotFoundError):  # it has its name already
                part.replace(folder / final)
        record.unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(error.filename2 or error.filename or record, error) from error


def _is_ours(pair: object) -> bool:
    """Whether a pair of names renames one of our temporary files within its folder."""
    if not (isinstance(pair, list) and len(pair) == 2) or any(map(path_problem, pair)):
        return False
    temporary, final = Path(pair[0]), Path(pair[1])
    return temporary.parent == final.parent and PART.fullmatch(temporary.name) is not None
