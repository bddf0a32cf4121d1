"""A gallery's folder: locks, files of descriptors, and the one rename that makes a change valid.

    GALLERY/gallery.json        the state; replaced whole, at the very end of a change
    GALLERY/descriptors/*.npy   segments, (M, D) float16, never changed
    GALLERY/pictures/*.jpg      small pictures of the products
    GALLERY/indexes/*.faiss     a search index, where one was built
    GALLERY/.writing.lock       held by who changes it, see `rpc.runs.folder_lock`
    GALLERY/.readers            held by who opens it: a killed process holds no lock

A change writes new files beside the old ones, then renames `gallery.json`. Killed at any moment, it
leaves the old gallery, and perhaps files that nobody names: the next change collects them. What the
state does not name is collected only while no process is opening the gallery, and only names that
this module gives: a file of somebody else's stays. A gallery whose folders are links is refused.
"""

from __future__ import annotations

import hashlib
import io
import re
import secrets
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from filelock import ReadWriteLock, Timeout
from numpy.typing import NDArray

from rpc.data.files import DataError, cannot_write, read_json, write_bytes, write_json
from rpc.retrieval.gallery.gallery_json import from_json, to_json
from rpc.retrieval.gallery.gallery_state import GalleryState, Segment
from rpc.runs.array_files import array_of
from rpc.runs.folder_lock import writing_folder

STATE: Final = "gallery.json"
DESCRIPTORS: Final = "descriptors"
PICTURES: Final = "pictures"
INDEXES: Final = "indexes"
ROOMS: Final = {  # folders, and the names of our files in them
    DESCRIPTORS: re.compile(r"[0-9a-f]{24}\.npy"),
    PICTURES: re.compile(r"[0-9a-f]{24}\.jpg"),
    INDEXES: re.compile(r"[0-9a-f]{24}\.faiss|new\.faiss"),
}
READERS: Final = ".readers"  # a lock of many readers or one writer: an empty SQLite file
PICTURE_SIDE: Final = 320  # px: enough for local features of what is printed on a product
PICTURE_QUALITY: Final = 88

Embeddings = NDArray[np.float16]


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Be the only process that changes a gallery, for the time of the block.

    Raises:
        DataError: another process is changing it, the folder cannot be written to, or one of its
            folders is a link or a file.
    """
    require_own_rooms(folder)
    with writing_folder(folder):
        yield


def require_own_rooms(folder: Path) -> None:
    """Make sure that what is written and removed in a gallery lies in it.

    Raises:
        DataError: a folder of it is a link, or no folder.
    """
    root = folder.resolve()
    for name in (*ROOMS, READERS, STATE):
        path = folder / name
        if not (path.exists() or path.is_symlink()):
            continue
        # By the resolved path: a junction of Windows is no symbolic link.
        if path.is_symlink() or path.resolve() != root / name:
            raise DataError(
                f"{path}: is a link; a gallery is changed only where all of it lies in its own "
                "folder: put the folder or file itself there"
            )
        if path.is_dir() != (name in ROOMS):
            kind = "folder" if name in ROOMS else "file"
            raise DataError(f"{path}: is no {kind}; this is no gallery, choose another folder")


@contextmanager
def reading(folder: Path) -> Iterator[None]:
    """Keep the files that `gallery.json` names in place, for the time of the block."""
    if not exists(folder):  # a folder of something else shall get no lock of ours
        yield
        return
    with ExitStack() as held:
        # Where nobody can write to the folder, nothing will be collected: no lock is needed.
        with suppress(OSError, sqlite3.Error):
            held.enter_context(_readers(folder, alone=False))
        yield


@contextmanager
def _readers(folder: Path, *, alone: bool) -> Iterator[None]:
    """Hold the readers' lock: as one of many, or alone.

    Raises:
        Timeout: it shall be held alone, and somebody is reading.
        OSError: the folder cannot be written to.
        sqlite3.Error: its file system knows no locks.
    """
    lock = ReadWriteLock(folder / READERS, is_singleton=False)  # two of one process exclude as well
    try:
        with lock.write_lock(blocking=False) if alone else lock.read_lock():
            yield
    finally:
        lock.close()


def exists(folder: Path) -> bool:
    """Whether there is a gallery in the folder."""
    return (folder / STATE).is_file()


def read_state(folder: Path) -> GalleryState:
    """The gallery's state.

    Raises:
        DataError: there is no gallery, or its state is damaged or of another version.
    """
    path = folder / STATE
    if not path.is_file():
        raise DataError(
            f"{folder}: holds no gallery (no {STATE}); make one: rpc-checkout gallery add"
        )
    return from_json(read_json(path), path)


def write_state(folder: Path, state: GalleryState) -> GalleryState:
    """Make `state` the gallery's, as its next generation; then collect what nobody needs.

    Raises:
        DataError: it cannot be written.
    """
    state = replace(state, generation=state.generation + 1)
    write_json(folder / STATE, to_json(state))
    collect(folder, state)
    return state


def write_segment(folder: Path, embeddings: Embeddings) -> Segment:
    """Write descriptors (M, D) as a file of its own.

    Raises:
        DataError: it cannot be written.
    """
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(embeddings, dtype=np.float16), allow_pickle=False)
    data = buffer.getvalue()
    name = f"{secrets.token_hex(12)}.npy"  # not by content: no two segments share their embeddings
    write_bytes(folder / DESCRIPTORS / name, data)
    return Segment(name, len(embeddings), zlib.crc32(data))


def read_segment(folder: Path, segment: Segment, dimension: int) -> Embeddings:
    """The descriptors (M, D) of a segment.

    Raises:
        DataError: the file is missing, damaged, or not of this dimension.
    """
    path = folder / DESCRIPTORS / segment.file
    data = read_checked(path, segment.crc32)
    embeddings = _array(data, path)
    if embeddings.dtype != np.float16 or embeddings.shape != (segment.count, dimension):
        raise DataError(
            f"{path}: expected ({segment.count}, {dimension}) float16, "
            f"got {embeddings.shape} {embeddings.dtype}; add the photos anew"
        )
    return np.asarray(embeddings)


def _array(data: bytes, path: Path) -> NDArray[np.generic]:
    """The array of a .npy file, on the very bytes that were read: a copy could be gigabytes."""
    try:
        found = array_of(data)
    except ValueError as error:
        raise DataError(f"{path}: not a file of descriptors: {error}") from error
    if not found.flags.c_contiguous:
        raise DataError(f"{path}: not a file of descriptors: not a plain array in row order")
    return found


def read_checked(path: Path, crc32: int) -> bytes:
    """The bytes of a file with this checksum.

    Raises:
        DataError: it is missing, or its checksum is another one.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    if zlib.crc32(data) != crc32:
        raise DataError(f"{path}: damaged (its checksum is wrong); restore it or add anew")
    return data


def write_picture(folder: Path, rgb: NDArray[np.uint8]) -> str:
    """Keep a small copy of a picture (H, W, 3); returns its file name.

    Raises:
        DataError: it cannot be written.
    """
    scale = PICTURE_SIDE / max(rgb.shape[:2])
    if scale < 1:
        size = (max(round(rgb.shape[1] * scale), 1), max(round(rgb.shape[0] * scale), 1))
        rgb = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    done, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, PICTURE_QUALITY])
    assert done, "encoding an array cannot fail"
    name = f"{hashlib.sha256(data.tobytes()).hexdigest()[:24]}.jpg"
    write_bytes(folder / PICTURES / name, data.tobytes())
    return name


def named_by_content(path: Path) -> tuple[str, int]:
    """Rename a file to a digest of what is in it; returns the name and the checksum.

    Raises:
        DataError: it cannot be read or renamed.
    """
    try:
        data = path.read_bytes()
        name = f"{hashlib.sha256(data).hexdigest()[:24]}{path.suffix}"
        path.replace(path.with_name(name))
    except OSError as error:
        raise DataError(f"{path}: cannot be renamed: {error.strerror}") from error
    return name, zlib.crc32(data)


def collect(folder: Path, state: GalleryState) -> None:
    """Remove files that the state does not name, unless a process is opening the gallery now.

    Only for the process that holds `writing`. Who has opened the gallery has its descriptors in
    memory and needs no file any more, pictures aside: those are allowed to be missing.
    """
    named = {segment.file for segment in state.segments}
    named |= {photo.picture for sku in state.skus for photo in sku.photos}
    if state.index is not None:
        named.add(state.index.file)
    try:
        with _readers(folder, alone=True):
            _remove_unnamed(folder, named)
    except (Timeout, sqlite3.Error):
        return  # somebody is reading: the next change collects


def _remove_unnamed(folder: Path, named: set[str]) -> None:
    """Remove files of ours that no state names; other files, links and folders stay."""
    require_own_rooms(folder)
    for room, ours in ROOMS.items():
        for path in (folder / room).iterdir() if (folder / room).is_dir() else ():
            if path.name not in named and ours.fullmatch(path.name) and not path.is_symlink():
                path.unlink(missing_ok=True)


def remove_gallery(folder: Path) -> None:
    """Remove a gallery's own files, and its folders where nothing else is in them.

    Raises:
        DataError: another process is using it, or a file cannot be removed.
    """
    if not exists(folder):
        return
    with writing(folder):
        try:
            with _readers(folder, alone=True):
                (folder / STATE).unlink(missing_ok=True)
                _remove_unnamed(folder, set())
        except Timeout as error:
            raise DataError(f"{folder}: another process is reading this gallery; wait") from error
        except OSError as error:
            raise cannot_write(folder, error) from error
