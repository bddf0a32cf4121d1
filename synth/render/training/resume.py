"""The resume point of a renderer's training: all that the next batch depends on.

What is drawn for batch i (crops, patches, the pool's coin) is a function of the seed and i, so the
number of the batch stands for all random state.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from rpc.data.files import DataError
from rpc.runs.run_folder import require_same_settings
from rpc.runs.tensor_files import read_tensors, write_tensors

NAME = "render_last.pth"
VERSION = 1
# May change from one sitting to the next; everything else decides what is learned.
FREE = frozenset(
    f"training.{name}"
    for name in ("iterations", "minutes", "sample_every", "save_every", "workers", "lr")
) | frozenset({"tiling.tile", "tiling.overlap", "tiling.max_pixels"})


def data_key(scenes: tuple[Path, ...], photos: tuple[Path, ...]) -> str:
    """A fingerprint of the files' names and order, on which the stream of crops depends."""
    names = "\n".join(("scenes", *(p.name for p in scenes), "photos", *(p.name for p in photos)))
    return sha256(names.encode()).hexdigest()[:16]


def write_resume(path: Path, run: Mapping[str, Any], state: Mapping[str, Any]) -> Path:
    """Write a resume point, whole or not at all.

    Args:
        path: of the file.
        run: what the training is: `settings` (nested dicts), `seed`, `data`, `processes`.
        state: tensors and plain values of the training.

    Raises:
        DataError: the file cannot be written.
    """
    return write_tensors(path, {"version": VERSION, "run": dict(run), "state": dict(state)})


def read_resume(path: Path, run: Mapping[str, Any]) -> dict[str, Any]:
    """Read the state of a training that `run` goes on with.

    Raises:
        DataError: the file is missing or damaged, or is of another training: what differs is said.
    """
    content = read_tensors(path)
    before, state = content.get("run"), content.get("state")
    if (
        content.get("version") != VERSION
        or not isinstance(before, dict)
        or not isinstance(state, dict)
    ):
        raise DataError(f"{path}: not a resume point of version {VERSION}; choose another folder")
    assert isinstance(before, dict)
    assert isinstance(state, dict)
    require_same_settings(path, before, run, free={f"settings.{name}" for name in FREE})
    return dict(state)
