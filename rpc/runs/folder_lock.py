"""One process at a time writes into an output folder, and what a killed one left is put in order.

    FOLDER/.writing.lock   the lock: an empty file that stays. A dead process holds none.
    FOLDER/.writing.json   who holds it, for a message; it goes when the work is done

Every job that writes a folder enters `writing_folder` first, before any work. There a folder that
cannot be written is told, a second process is told, a result that a kill left between its renames
is finished (`rpc.data.file_group`), and temporary files of killed processes are removed. A job that
writes single files calls `prepare_files`.

On a file system without locks (some network drives) the lock lies in this machine's folder for
temporary files: a second process of the same machine is told, one of another machine is not.
"""

from __future__ import annotations

import errno
import functools
import hashlib
import json
import os
import socket
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from filelock import FileLock, Timeout

from rpc.data.file_group import finish_group, is_unfinished
from rpc.data.files import DataError, cannot_write, part_of, read_json, remove_parts

LOCK: Final = ".writing.lock"
HOLDER: Final = ".writing.json"
NO_LOCKS: Final = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP)
COMMAND: Final = "rpc-checkout"
DEPTH: Final = 2  # of folders whose temporary files are removed: --out may be a home folder
EVERYWHERE: Final = 100
PATIENCE: Final = 2.0  # seconds that a reader waits for renames

P = ParamSpec("P")
R = TypeVar("R")

_held: dict[Path, int] = {}  # folders that this process writes into, and the thread that does


def writes_into(
    folder_of: Callable[..., str | Path | None], *, deep: bool = False
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a job enter `writing_folder` before it begins.

    Args:
        folder_of: called with the job's arguments: its folder, or None where there is none, or
            where another process of the same training holds it.
        deep: whether all folders below are the job's own.
    """

    def decorate(job: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(job)
        def locked(*args: P.args, **kwargs: P.kwargs) -> R:
            folder = folder_of(*args, **kwargs)
            if folder is None:
                return job(*args, **kwargs)
            with writing_folder(folder, deep=deep):
                return job(*args, **kwargs)

        return locked

    return decorate


@contextmanager
def writing_folder(folder: str | Path, *, deep: bool = False) -> Iterator[None]:
    """Be the only process that writes into a folder, for the time of the block.

    The folder is made where it is missing; where the block fails before it wrote anything, it goes
    again, and a folder that was there loses the new lock. The steps of a job may enter its folder
    again: one thread holds it.

    Args:
        folder: of the output.
        deep: remove temporary files of killed processes at any depth, not only down to the
            folders of its folders.

    Raises:
        DataError: another process writes there, or the folder cannot be written.
    """
    folder = Path(folder)
    if _is_held_here(folder):
        yield
        return
    made = _make(folder)
    try:
        with _locked(folder):
            finish_group(folder)
            _remove_parts(folder, EVERYWHERE if deep else DEPTH)
            yield
    except BaseException:
        _unmake(made)
        raise


def prepare_files(*paths: str | Path) -> None:
    """Tell files that cannot be written before the work; remove what killed processes left of them.

    Raises:
        DataError: one is a folder, or cannot be written.
    """
    found = [Path(path) for path in paths]
    for path in found:
        if path.is_dir():
            raise DataError(f"{path}: is a folder; expected the name of a file to write")
    for folder, path in {path.parent: path for path in reversed(found)}.items():
        made = _make(folder)
        try:
            _write_and_remove(part_of(path))
        except OSError as error:
            raise cannot_write(path, error) from error
        finally:
            _unmake(made)
        finish_group(folder)
        remove_parts(folder, of=found)


def settle(folder: str | Path) -> None:
    """Finish a result that a kill left between its renames, before it is read.

    Raises:
        DataError: another process has been renaming its files for seconds, or they cannot be.
    """
    until = time.monotonic() + PATIENCE
    while is_unfinished(folder):
        if is_written_elsewhere(folder) and time.monotonic() < until:
            time.sleep(0.02)
            continue
        with writing_folder(folder):
            pass


def writes_files(launcher: str = "pytorch") -> bool:
    """Whether this is the process that writes files, of those that train together.

    Args:
        launcher: who started them: "pytorch" (torchrun), "slurm" or "none".
    """
    rank = {"pytorch": "RANK", "slurm": "SLURM_PROCID"}.get(launcher, "")
    return os.environ.get(rank, "0") == "0"


def is_written_elsewhere(folder: str | Path) -> bool:
    """Whether another process, or another thread of this one, is writing into a folder."""
    folder = Path(folder)
    if not (folder / LOCK).is_file() or _is_held_here(folder):
        return False
    try:
        with _acquired(folder / LOCK):
            return False
    except Timeout:
        return True
    except OSError:  # nobody can write there
        return False


def refusal(folder: str | Path) -> str:
    """The line on a folder that another process is writing into, with who does."""
    folder = Path(folder)
    facts = {}
    for path in (folder / HOLDER, _elsewhere(folder).with_suffix(".json")):
        with suppress(DataError):
            facts = read_json(path)
            break
    told = {name: "".join(filter(str.isprintable, str(facts.get(name, ""))))[:80] for name in facts}
    host = told.get("host", "")
    parts = [
        f"PID {told['process']}" + (f" on {host}" if host != socket.gethostname() else "")
        if "process" in told
        else "",
        f"`{told['command']}`" if told.get("command") else "",
        f"since {told['since']}" if told.get("since") else "",
    ]
    who = ", ".join(part for part in parts if part)
    return (
        f"{folder}: another process{f' ({who})' if who else ''} is writing here; "
        "wait for it or choose another folder"
    )


def _is_held_here(folder: Path) -> bool:
    return _held.get(folder.resolve()) == threading.get_ident()


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold a folder's lock, and say in a file beside it who does."""
    key, holder = folder.resolve(), folder / HOLDER
    first = not (folder / LOCK).exists()
    try:
        lock = _acquired(folder / LOCK)
        try:
            lock.__enter__()
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
            holder = _elsewhere(folder).with_suffix(".json")
            lock = _acquired(_elsewhere(folder))
            lock.__enter__()
    except Timeout as error:
        raise DataError(refusal(folder)) from error
    except OSError as error:
        raise cannot_write(folder, error) from error
    _held[key] = threading.get_ident()
    try:
        _say_who(folder, holder)
        yield
    except BaseException:
        if first:  # a folder that a refused job was given by mistake stays as it was
            with suppress(OSError):
                (folder / LOCK).unlink()
        raise
    finally:
        with suppress(OSError):
            holder.unlink(missing_ok=True)
        del _held[key]
        lock.__exit__(None, None, None)


@contextmanager
def _acquired(path: Path) -> Iterator[None]:
    """Take a lock of the system.

    Raises:
        Timeout: somebody has it.
        OSError: the file cannot be written, or its file system has no locks.
    """
    lock = FileLock(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a file system without locks
            lock.acquire(blocking=False)
    except NotImplementedError as error:
        raise OSError(errno.ENOSYS, "no locks on this file system") from error
    try:
        yield
    finally:
        lock.release()


def _elsewhere(folder: Path) -> Path:
    """The lock of a folder whose file system has none: in this machine's temporary files."""
    digest = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:32]
    return Path(tempfile.gettempdir()) / f"{COMMAND}-{digest}.lock"


def _say_who(folder: Path, holder: Path) -> None:
    """Write who holds the lock: the first bytes that a full disk has no room for.

    Not by `atomic_path`, whose files may have to wait for those of a group.

    Raises:
        DataError: the folder cannot be written.
    """
    name, *words = [Path(sys.argv[0]).name, *sys.argv[1:]]
    if name in (COMMAND, f"{COMMAND}.exe", "__main__.py"):
        name = " ".join([COMMAND, *words[:1]])
    facts = {
        "process": os.getpid(),
        "host": socket.gethostname(),
        "command": name,
        "since": datetime.now().astimezone().isoformat(" ", "seconds"),
    }
    part = part_of(holder)
    try:
        part.write_text(json.dumps(facts) + "\n", encoding="utf-8")
        part.replace(holder)
    except OSError as error:
        raise cannot_write(folder, error) from error
    finally:  # where it was broken off, too
        with suppress(OSError):
            part.unlink()


def _write_and_remove(path: Path) -> None:
    try:
        path.write_bytes(bytes(512))
    finally:
        with suppress(OSError):
            path.unlink()


def _remove_parts(folder: Path, depth: int) -> None:
    """Remove what killed processes left; a folder that another process writes into is its own."""
    remove_parts(folder)
    if depth == 0:
        return
    for one in sorted(folder.iterdir()):
        if one.is_dir() and not one.is_symlink() and not is_written_elsewhere(one):
            _remove_parts(one, depth - 1)


def _make(folder: Path) -> list[Path]:
    """Make a folder; those that were missing, the deepest first.

    Raises:
        DataError: a file is in the way, or the system refuses.
    """
    missing = []
    for one in (folder, *folder.parents):
        if one.is_dir():
            break
        if one.exists() or one.is_symlink():
            what = "a link that leads nowhere" if one.is_symlink() else "a file"
            raise DataError(f"{one}: is {what}; expected a folder to write into, or a new name")
        missing.append(one)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error
    return missing


def _unmake(made: list[Path]) -> None:
    """Remove folders that `_make` made and that nothing was written into."""
    for folder in made:
        try:
            left = {path.name for path in folder.iterdir()}
            if left - {LOCK}:
                return
            (folder / LOCK).unlink(missing_ok=True)
            folder.rmdir()
        except OSError:
            return
