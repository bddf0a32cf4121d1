"""Vectors of many photos, kept on disk part by part: after a stop the same call goes on.

Key: N photos, D dimensions.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from rpc.data.files import write_bytes
from rpc.data.parallel import Progress
from rpc.runs.array_files import read_arrays

FloatArray = NDArray[np.floating[Any]]

PART: Final = 32  # photos in a file
SECONDS: Final = "seconds of "


@dataclass(frozen=True)
class Described:
    """Vectors by method, and what they cost.

    Attributes:
        vectors: of each method (N, D), float32.
        seconds: by step, over all photos.
    """

    vectors: dict[str, FloatArray]
    seconds: dict[str, float]


Photo = TypeVar("Photo")


def describe_all(
    photos: Sequence[Photo],
    describe: Callable[[Photo], Described],
    folder: Path,
    progress: Progress | None = None,
) -> Described:
    """Describe photos one at a time, and keep what is done in `folder`.

    Parts that are there are taken as they are: the caller sees to it that they were made with the
    same photos and settings. A part that was damaged is made again.

    Args:
        photos: N of them, of any kind that `describe` takes.
        describe: photo to its vectors (D,) and seconds.
        folder: for the parts.
        progress: is called with (done, N) after each photo.

    Raises:
        DataError: a photo cannot be read, or a part cannot be written.
        ValueError: there is no photo.
    """
    if not photos:
        raise ValueError("no photo to describe")
    parts = []
    for start in range(0, len(photos), PART):
        batch = photos[start : start + PART]
        path = folder / f"part_{start:06d}.npz"
        part = _read_part(path, len(batch))
        if part is None:
            each = []
            for place, photo in enumerate(batch):
                each.append(describe(photo))
                if progress is not None:
                    progress(start + place + 1, len(photos))
            part = _write_part(path, _joined(each, np.stack))
        elif progress is not None:
            progress(start + len(batch), len(photos))
        parts.append(part)
    return _joined(parts, np.concatenate)


def _joined(parts: Sequence[Described], join: Callable[[list[FloatArray]], Any]) -> Described:
    vectors = {
        name: join([part.vectors[name] for part in parts]).astype(np.float32)
        for name in parts[0].vectors
    }
    seconds = {name: sum(p.seconds[name] for p in parts) for name in parts[0].seconds}
    return Described(vectors, seconds)


def _write_part(path: Path, part: Described) -> Described:
    content = io.BytesIO()
    seconds = {SECONDS + name: np.float64(value) for name, value in part.seconds.items()}
    np.savez(content, **part.vectors, **seconds)  # type: ignore[arg-type]
    write_bytes(path, content.getvalue())
    return part


def _read_part(path: Path, count: int) -> Described | None:
    """The contents of the file; None where it is missing, damaged, or of other photos by number."""
    if not path.is_file():
        return None
    try:
        values = read_arrays(path)
        seconds = {
            k.removeprefix(SECONDS): float(v) for k, v in values.items() if k.startswith(SECONDS)
        }
    except (OSError, TypeError, ValueError):
        return None
    vectors = {name: v for name, v in values.items() if not name.startswith(SECONDS)}
    if not vectors or any(v.ndim != 2 or len(v) != count for v in vectors.values()):
        return None
    return Described(vectors, seconds)
