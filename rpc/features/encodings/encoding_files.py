"""Fitted encodings on disk: tensors only, nothing in the file is executed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Final

import numpy as np
import torch

from rpc.data.files import DataError
from rpc.features.encodings.local_encodings import BagOfWords, FisherVector, Vlad
from rpc.features.encodings.whitening import Whitening
from rpc.runs.tensor_files import read_tensors, write_tensors

Encoding = Vlad | FisherVector | BagOfWords | Whitening

KINDS: Final[dict[str, type[Encoding]]] = {
    kind.__name__: kind for kind in (Vlad, FisherVector, BagOfWords, Whitening)
}


def write_encodings(path: str | Path, encodings: Mapping[str, Encoding]) -> Path:
    """Write encodings by name, whole or not at all.

    Raises:
        DataError: the file cannot be written.
    """
    content = {
        name: {"kind": type(one).__name__, **{k: torch.as_tensor(v) for k, v in vars(one).items()}}
        for name, one in encodings.items()
    }
    return write_tensors(path, {"encodings": content})


def read_encodings(path: str | Path) -> dict[str, Encoding]:
    """Read what `write_encodings` wrote.

    Raises:
        DataError: the file is missing, damaged, or holds something else.
    """
    content = read_tensors(path).get("encodings")
    if not isinstance(content, dict):
        raise DataError(f"{path}: holds no encodings; delete it to fit them again")
    return {str(name): _encoding(path, entry) for name, entry in content.items()}


def _encoding(path: str | Path, entry: object) -> Encoding:
    kind = KINDS.get(str(entry.get("kind"))) if isinstance(entry, dict) else None
    parts = {} if kind is None else {f.name: entry.get(f.name) for f in fields(kind)}  # type: ignore[attr-defined]
    arrays = {name: p.numpy() for name, p in parts.items() if isinstance(p, torch.Tensor)}
    if kind is None or len(arrays) < len(parts):
        raise DataError(
            f"{path}: a damaged or newer file of encodings; delete it to fit them again"
        )
    if not all(np.isfinite(array).all() for array in arrays.values()):
        raise DataError(f"{path}: holds numbers that are NaN or infinite; delete it to fit anew")
    try:
        return kind(**arrays)
    except (IndexError, TypeError, ValueError) as error:
        raise DataError(f"{path}: a damaged file of encodings: {error}; delete it") from error
