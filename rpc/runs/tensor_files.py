"""Files of tensors and plain values: written whole, read without executing what they hold."""

from __future__ import annotations

import io
import pickle
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from rpc.data.files import DataError, write_bytes


def write_tensors(path: str | Path, content: Mapping[str, Any]) -> Path:
    """`torch.save`, atomically.

    Raises:
        DataError: the file cannot be written.
    """
    # Through memory: torch's own writer turns a full disk into an internal error of its archive.
    buffer = io.BytesIO()
    torch.save(dict(content), buffer)
    return write_bytes(path, buffer.getvalue())


def read_tensors(path: str | Path) -> dict[str, Any]:
    """Read a dict of tensors and plain values, on the CPU; nothing in the file is executed.

    Raises:
        DataError: the file is missing, is no checkpoint, or would execute code on loading.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path}: no such checkpoint; expected a file that a training wrote")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's remarks on foreign files: judged below
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise DataError(
            f"{path}: refused: it holds {_culprit(error)}, and loading that could execute code; "
            "expected tensors and plain values only"
        ) from error
    # A truncated or foreign file reaches torch's reader in many ways: EOFError, RuntimeError, ...
    except Exception as error:
        raise DataError(f"{path}: not a checkpoint, or a damaged one") from error
    if not isinstance(content, dict):
        raise DataError(f"{path}: not a checkpoint: it holds a {type(content).__name__}")
    return content


def _culprit(error: BaseException) -> str:
    """The object that the file wanted to load, by name where torch gives it."""
    found = re.search(r"GLOBAL (\S+)|Unsupported global: GLOBAL (\S+)", str(error))
    return f"'{found.group(1) or found.group(2)}'" if found else "a foreign pickle"


def first_misfit(error: Exception) -> str:
    """The line of an error that says most: torch heads its list of misfits with an empty phrase."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = [line for line in lines if not line.endswith(":")] or lines or [type(error).__name__]
    return told[0] if len(told[0]) <= 120 else told[0][:117] + "..."
