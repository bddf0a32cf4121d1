"""Photos looked at before a job begins: a damaged one is told then, not after hours of work."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rpc.data.by_kind import Problem, told_in_one_line
from rpc.data.files import DataError
from rpc.data.images import read_with_notes
from rpc.data.parallel import Progress, map_in_threads
from rpc.data.shown_names import shown_name


def require_readable(
    photos: Sequence[Path], what: str = "photos", progress: Progress | None = None
) -> None:
    """Decode photos, and refuse them all where some are damaged.

    Args:
        photos: files.
        what: the photos are, for the error: "backgrounds".
        progress: called with the photos looked at and their total.

    Raises:
        DataError: photos are damaged or too large: how many, and which, by kind.
    """
    damaged = [p for p in map_in_threads(_problem, photos, progress) if p is not None]
    if damaged:
        raise DataError(
            f"{len(damaged)} of {len(photos)} {what} cannot be used: {told_in_one_line(damaged)}"
        )


def _problem(path: Path) -> Problem | None:
    try:
        read_with_notes(path)
    except DataError as error:
        text = str(error).removeprefix(f"{shown_name(path)}: ")
        what, _, remedy = text.rpartition("; ")
        what, remedy = (what, remedy) if what else (text, "")
        kind = f"photos: {what.partition(':')[0]}"
        return Problem(shown_name(path), what, kind, remedy)
    return None
