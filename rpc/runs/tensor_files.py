"""Files of tensors and plain values: written whole, read without executing what they hold."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from rpc.data.files import DataError, write_bytes
from rpc.runs.tensor_archive import RefusedError, read_archive


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
    """Read a dict of tensors and plain values, on the CPU: nothing in the file is executed.

    Raises:
        DataError: the file is missing, is no checkpoint, would execute code on loading, or claims
            more numbers than it holds.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path}: no such checkpoint; expected a file that a training wrote")
    try:
        content = read_archive(path)
    except RefusedError as error:
        raise DataError(f"{path}: refused: {error}") from error
    # A truncated or foreign file shows in many ways: BadZipFile, EOFError, KeyError, ...
    except Exception as error:
        raise DataError(f"{path}: not a checkpoint, or a damaged one") from error
    if not isinstance(content, dict):
        raise DataError(f"{path}: not a checkpoint: it holds a {type(content).__name__}")
    return content


def weights_of(value: object, where: str) -> dict[str, Tensor]:
    """A network's weights out of a file's values: tensors by name, all numbers finite.

    Args:
        value: what the file holds in their place.
        where: the file and the place, for errors.

    Raises:
        DataError: it is something else, or a number is NaN or infinite.
    """
    if not isinstance(value, Mapping):
        raise DataError(f"{where}: expected weights by name, got {_kind(value)}")
    for name, tensor in value.items():
        if not (isinstance(name, str) and isinstance(tensor, Tensor)):
            raise DataError(f"{where}: {name!r:.80}: expected a tensor, got {_kind(tensor)}")
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise DataError(
                f"{where}: {name!r:.80} holds numbers that are NaN or infinite: the file is "
                "damaged or its training went wrong; train anew"
            )
    return dict(value)


def require_plain(value: object, where: str) -> None:
    """Refuse anything but the values that JSON knows, at any depth.

    Args:
        value: what a file holds, as `read_tensors` gives it.
        where: the file and the place, for errors.

    Raises:
        DataError: a tensor or something else is in it, or a name that is no text.
    """
    if isinstance(value, Mapping):
        for name, part in value.items():
            if not isinstance(name, str):
                raise DataError(f"{where}: expected names in text, got {name!r:.40}")
            require_plain(part, f"{where}.{name:.40}")
    elif isinstance(value, list | tuple):
        for part in value:
            require_plain(part, where)
    elif not (value is None or isinstance(value, bool | int | float | str)):
        raise DataError(f"{where}: expected plain values, got {_kind(value)}")


def _kind(value: object) -> str:
    """A value of the wrong type, in a word or two; never at its full length."""
    if value is None or isinstance(value, bool | float):
        return str(value)
    return "a tensor" if isinstance(value, Tensor) else f"a value of type {type(value).__name__}"


def first_misfit(error: Exception) -> str:
    """The line of an error that says most: torch heads its list of misfits with an empty phrase."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = [line for line in lines if not line.endswith(":")] or lines or [type(error).__name__]
    return told[0] if len(told[0]) <= 120 else told[0][:117] + "..."
