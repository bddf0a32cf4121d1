"""The manifest: what a reader needs to know, and to do, to get the same numbers again."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from rpc.reporting.provenance import (
    code_version,
    library_versions,
    machine,
    sha256,
    store_facts,
)


def manifest(
    *,
    threshold: float | None,
    chosen_on: str,
    split: str,
    config: str | Path | None = None,
    seeds: Mapping[str, int] | None = None,
    data: str | Path | None = None,
    checkpoint: str | Path | None = None,
    files: Mapping[str, str | Path] | None = None,
    durations: Mapping[str, float] | None = None,
    argv: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Where the numbers of a report come from; what is not given is left out.

    Args:
        threshold: score from which a box counted; None where shopping lists were given.
        chosen_on: what the threshold was chosen on, such as `val`; or `given`.
        split: what was measured, such as `test`.
        config: the training's config file: its name and hash are kept.
        seeds: by what they are for, such as `compose`, `train`.
        data: root of the store: its name, and hash and size of each JSON, are kept.
        checkpoint: the model file: name and hash.
        files: other files the numbers rest on, by what they are: names and hashes.
        durations: seconds by step.
        argv: the command line; that of this process where it is None.

    Raises:
        DataError: one of the files cannot be read.
    """
    optional: dict[str, Any] = {
        "config": _named(config) if config else None,
        "seeds": dict(seeds) if seeds else None,
        "data": store_facts(data) if data else None,
        "checkpoint": _named(checkpoint) if checkpoint else None,
        "files": {name: _named(path) for name, path in files.items()} if files else None,
        "durations": {k: round(v, 3) for k, v in durations.items()} if durations else None,
    }
    return {
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "code": code_version(),
        "argv": [without_folders(word) for word in (sys.argv if argv is None else argv)],
        "split": split,
        "threshold": {"value": threshold, "chosen_on": chosen_on},
        **{name: value for name, value in optional.items() if value is not None},
        "versions": library_versions(),
        "machine": machine(),
    }


def without_folders(word: str) -> str:
    """A word of a command line; of an absolute path only its last part: a report travels."""
    return Path(word).name if Path(word).is_absolute() else word


def _named(path: str | Path) -> dict[str, str]:
    return {"name": Path(path).name, "sha256": sha256(path)}
