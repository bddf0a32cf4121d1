"""Notes on photos that nobody asked for: the first of a kind is logged at once, the number later.

Whoever calls `rpc.data.images.read_image` or `rpc.data.photo_files.find_photos` takes pictures and
paths alone. What was scaled or passed over on the way is logged here, for every door: a command
shows the log of `rpc.data` as notes.
"""

from __future__ import annotations

import logging
import multiprocessing
import threading
from pathlib import Path

from rpc.data.shown_names import shown_name

logger = logging.getLogger(__name__)

_lock = threading.Lock()
_photos: dict[str, set[int]] = {}  # by kind: hashes of the names
_folders: set[tuple[str, str]] = set()  # lines that were logged


def note_photo(name: str | Path, notes: tuple[str, ...]) -> None:
    """Log notes on a photo, the first of each kind."""
    for note in notes:
        with _lock:
            known = _photos.setdefault(note.partition(", the")[0], set())
            first = not known
            known.add(hash(str(name)))
        if first and not _is_worker():
            logger.warning("%s: %s", shown_name(name), note)


def note_folder(folder: Path, lines: list[str]) -> None:
    """Log what was passed over in a folder, once."""
    for line in lines:
        key = (str(folder), line)
        with _lock:
            known = key in _folders
            _folders.add(key)
        if not known and not _is_worker():
            logger.warning("%s: %s", shown_name(folder), line)


def note_totals() -> None:
    """Log of how many photos the kinds were that were logged for one, and forget all."""
    with _lock:
        numbers = {kind: len(names) for kind, names in _photos.items()}
        _photos.clear()
        _folders.clear()
    for kind, number in numbers.items():
        if number > 1:
            logger.warning("%s: %s photos in all", kind, f"{number:,}")


def _is_worker() -> bool:
    """Whether this process works for another, which looked at the same folders."""
    return multiprocessing.parent_process() is not None
