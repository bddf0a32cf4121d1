"""Files at the edge: JSON in and out, writes that appear whole, paths that stay inside a root."""

from __future__ import annotations

import codecs
import errno
import gc
import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path, PurePosixPath
from typing import Any, Final

import msgspec
import numpy as np

MEMORY_PER_BYTE = 9  # of a data set's JSON, while it is read; measured on 24,000 trays
SMALL = 1 << 30  # bytes of memory that any machine has
FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # of a write for which there is no room
PART: Final = re.compile(r"\.[0-9a-f]{16,32}\.part(\.[^./\\]*)?")  # names of `atomic_path`


FOLLOW_LINKS = "RPC_FOLLOW_LINKS"  # environment variable; `--follow-links` sets it


class DataError(ValueError):
    """Bad input or a file that cannot be written, told in one line: what, where, what to do.

    Example:
        >>> try:
        ...     rpc.Store.open("nowhere")
        ... except rpc.DataError as error:
        ...     print(error)
        nowhere: no such folder; expected a store (see docs/overview.md)
    """


def _replace(part: Path, target: Path) -> None:
    part.replace(target)


_unfinished: set[str] = set()  # temporary names that this process is writing to

# How a finished file takes its name: at once, or together with others (`rpc.data.file_group`).
finishing: ContextVar[Callable[[Path, Path], None]] = ContextVar("finishing", default=_replace)


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a path beside `path` to write to; it takes the name `path` when the block ends well.

    The folder is made if it is missing. The temporary name keeps the suffix, for writers that go
    by it. When the block fails, the temporary file is removed and an older `path` stays as it was;
    what a kill leaves is removed by `remove_parts`.

    Raises:
        DataError: the system refuses to write (full disk, no permission, ...).
    """
    target = Path(path)
    part = part_of(target)
    _unfinished.add(part.name)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield part
        finishing.get()(part, target)
    except BaseException as error:
        _remove(part)
        if isinstance(error, OSError) and error.errno is not None:
            raise cannot_write(target, error) from error
        raise
    finally:
        if not part.exists():  # else it waits for others: `rpc.data.file_group`
            _unfinished.discard(part.name)


def part_of(target: Path) -> Path:
    """A new temporary name beside a target: `.HEX.part.SUFFIX`.

    The digits: 8 of the target's name, 6 of this process's id, 8 by chance.
    """
    digits = f"{_digits(target)}{os.getpid() & 0xFFFFFF:06x}{secrets.token_hex(4)}"
    return target.with_name(f".{digits}.part{target.suffix}")


def _digits(target: Path) -> str:
    return hashlib.sha256(os.fsencode(target.name)).hexdigest()[:8]


def cannot_write(path: str | Path, error: OSError) -> DataError:
    """The one line on a file or folder that the system refuses to write: what, why, what to do."""
    if error.errno in FULL:
        remedy = "make room or choose another folder"
    elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        remedy = "allow this account to write there or choose another folder"
    else:
        remedy = "choose another folder"
    return DataError(f"{path}: cannot be written: {error.strerror}; {remedy} and run again")


def require_room(folder: str | Path, paths: Iterable[Path]) -> None:
    """Refuse to copy files into a folder whose disk has no room for them.

    Raises:
        DataError: it has not.
    """
    size = 0
    for path in paths:
        with suppress(OSError):  # told when it is read
            size += path.stat().st_size
    folder = Path(folder)
    there = next((one for one in (folder, *folder.absolute().parents) if one.is_dir()), Path("/"))
    free = shutil.disk_usage(there).free
    if size > free:
        raise DataError(
            f"{folder}: {size / 1e9:.2f} GB are to be copied there, and {free / 1e9:.2f} GB are "
            "free: make room or choose another folder"
        )


def remove_parts(folder: str | Path, *, of: Iterable[Path] | None = None) -> int:
    """Remove temporary files that killed processes left in a folder; returns how many.

    Only files, only names that `atomic_path` gives, and none of a process that lives.

    Args:
        folder: one that is missing holds none.
        of: only those of these files.

    Raises:
        DataError: one cannot be removed.
    """
    removed = 0
    wanted = None if of is None else {_digits(path) for path in of}
    for path in Path(folder).glob(".*.part*"):
        name = path.name
        if not PART.fullmatch(name) or path.is_symlink() or not path.is_file():
            continue
        if not _is_written(name) and (wanted is None or name[1:9] in wanted):
            _remove_told(path)
            removed += 1
    return removed


def _remove_told(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from error


def _is_written(part: str) -> bool:
    """Whether the process that a temporary name names is at work on it."""
    process = int(part[9:15], 16)
    if process == os.getpid() & 0xFFFFFF:
        return part in _unfinished
    if process == 0 or os.name == "nt":  # there, `os.kill` ends a process
        return False
    try:
        os.kill(process, 0)
        state = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's process, or a system without /proc
        return True
    return state.rpartition(")")[2].split()[:1] != ["Z"]  # dead, and nobody has asked how it ended


def write_bytes(path: str | Path, data: bytes) -> Path:
    """Write `data` so that the file appears whole or not at all; returns the path.

    Raises:
        DataError: the file cannot be written.
    """
    with atomic_path(path) as part:
        part.write_bytes(data)
    return Path(path)


def link_or_copy(source: str | Path, target: str | Path) -> Path:
    """One more name for a file, or a copy where that cannot be; a target that is there stays.

    Raises:
        DataError: the source is missing, or the target cannot be written.
    """
    source, target = Path(source), Path(target)
    if target.exists():
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(source, target)
        except FileNotFoundError:
            raise
        except OSError:  # another file system, or one without links
            with atomic_path(target) as part:
                shutil.copyfile(source, part)
    except OSError as error:
        raise DataError(f"{source}: cannot be linked to {target}: {error.strerror}") from error
    return target


def write_json(path: str | Path, obj: Any, *, indent: int | None = None) -> Path:
    """Write `obj` as UTF-8 JSON, whole or not at all; returns the path.

    numpy scalars and arrays are written as numbers and lists. NaN and infinity, which JSON does
    not know, are refused.

    Raises:
        DataError: a value has no JSON form, or the file cannot be written.
    """
    try:
        text = json.dumps(
            obj,
            indent=indent,
            ensure_ascii=False,
            allow_nan=False,
            separators=(",", ":") if indent is None else None,
            default=_plain,
        )
        data = (text + "\n").encode("utf-8")
    except (TypeError, ValueError, RecursionError) as error:
        raise DataError(f"{path}: cannot be written as JSON: {error}") from error
    return write_bytes(path, data)


def read_json(path: str | Path) -> dict[str, Any]:
    """Read a JSON object; a byte order mark at the start is allowed (RPC's files have one).

    Raises:
        DataError: the file is missing or not readable, is not JSON (with line and column), or
            holds something other than an object.
    """
    value = read_json_value(path)
    if not isinstance(value, dict):
        raise DataError(f"{path}: expected a JSON object {{...}}, got a {_kind(value)}")
    return value


def read_json_value(path: str | Path) -> Any:
    """Read any JSON value, such as the list of a counts file.

    Raises:
        DataError: the file is missing, not readable or not JSON, or reading it would take more
            memory than is free.
    """
    try:
        _require_memory(Path(path))
        text = Path(path).read_bytes().removeprefix(codecs.BOM_UTF8)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        return parse_json(text)
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 text (byte {error.start}): not a JSON file") from error
    except json.JSONDecodeError as error:
        raise DataError(
            f"{path}: not valid JSON at line {error.lineno}, column {error.colno}: {error.msg}"
        ) from error
    except (ValueError, RecursionError) as error:  # a number too long, lists nested too deep
        raise DataError(f"{path}: not usable JSON: {error}") from error


def parse_json(text: bytes) -> Any:
    """`json.loads` of UTF-8 text, in half the time.

    What msgspec refuses, the standard library is asked: it takes NaN, and its errors say line and
    column.

    Raises:
        UnicodeDecodeError: the text is not UTF-8.
        ValueError, RecursionError: as `json.loads`.
    """
    with uncollected():
        try:
            return msgspec.json.decode(text)
        except (ValueError, RecursionError):  # its errors and UnicodeDecodeError are ValueErrors
            return json.loads(text.decode("utf-8"))


@contextmanager
def uncollected() -> Iterator[None]:
    """Keep Python's cycle collector from walking through a million new records again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _require_memory(path: Path) -> None:
    """Refuse a file that would fill the memory before it is read.

    Raises:
        DataError: the memory that is free is known and too small.
    """
    size = path.stat().st_size
    need = size * MEMORY_PER_BYTE
    if need < SMALL:
        return
    free = free_memory()
    if free is not None and need > free:
        raise DataError(
            f"{path}: {size / 1e9:.1f} GB take about {need / 1e9:.0f} GB of memory to read, and "
            f"{free / 1e9:.1f} GB are free: split the file by images, or use a larger machine"
        )


def free_memory() -> int | None:
    """Bytes of memory that can be taken now; None where the system does not tell (Linux does)."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    found = [int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")]
    return found[0] * 1024 if found else None


def path_problem(relative: object) -> str | None:
    """The fault of a path read from a file, by its text alone; None where it is harmless."""
    if not isinstance(relative, str) or not relative:
        return f"expected a file name, got {relative!r:.80}"
    if "\0" in relative or "\\" in relative:
        return f"{relative!r:.200} holds a backslash or a NUL; write folders with '/'"
    pure = PurePosixPath(relative)
    if pure.is_absolute() or ".." in pure.parts or not pure.parts:
        return f"{relative!r:.200} leads out of the data folder; expected a path relative to it"
    return None


def links_followed(said: bool | None = None) -> bool:
    """Whether links may lead out of a folder: as `said`, or by the environment variable if None."""
    return os.environ.get(FOLLOW_LINKS, "") not in ("", "0") if said is None else said


def safe_join(root: str | Path, relative: str, *, follow_links: bool | None = None) -> Path:
    """`root / relative`, for a `relative` that was read from a file and is not trusted.

    Args:
        root: a folder.
        relative: a path with `/`.
        follow_links: whether links may lead out of `root`: large data sets lie on other disks.
            None asks the environment variable, which worker processes inherit.

    Raises:
        DataError: `relative` is empty or absolute, holds `..`, a backslash or a NUL, or reaches a
            place outside `root` through a link.
    """
    problem = path_problem(relative)
    if problem is not None:
        raise DataError(f"{root}: {problem}")
    path = Path(root) / relative
    if links_followed(follow_links):
        return path
    try:
        inside = path.resolve().is_relative_to(Path(root).resolve())
    except (
        OSError,
        RuntimeError,
        ValueError,
    ) as error:  # a ring of links, a name too long, no text
        raise DataError(f"{root}: {relative!r:.200} cannot be followed: {error}") from error
    if not inside:
        raise DataError(
            f"{root}: {relative!r:.200} leads out of the data folder through a link; "
            "put the file itself there, or say --follow-links where the command has it"
        )
    return path


def _plain(value: object) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no JSON form: {value!r:.80}")


def _kind(value: object) -> str:
    return {list: "list", str: "string", type(None): "null"}.get(type(value), "number or boolean")


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        pass  # the first error matters more than a left-over temporary file
