"""The common object of a set of images, on disk: arrays in an NPZ file, never a pickle."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rpc.data.files import DataError, write_bytes
from rpc.retrieval.colocalisation.axis_sign import RULES, SignRule
from rpc.retrieval.colocalisation.colocalise import Colocaliser
from rpc.retrieval.colocalisation.ddt import CommonAxis
from rpc.runs.array_files import read_arrays

VERSION: Final = 1
OLD_RULE: Final[SignRule] = "skewness"
# How a truncated or foreign file shows.
_DAMAGE: Final = (AttributeError, KeyError, OSError, OverflowError, TypeError, ValueError)
_NUMBERS: Final = ("variance", "share", "skewness", "border_gap")


def write_colocaliser(path: str | Path, colocaliser: Colocaliser, digest: str = "") -> Path:
    """Write a file that appears whole or not at all.

    Args:
        path: ends in .npz.
        colocaliser: what was learned.
        digest: text that says of what, given back on reading.

    Raises:
        DataError: the file cannot be written.
    """
    content: dict[str, np.ndarray] = {
        "version": np.array(VERSION),
        "layers": np.array(len(colocaliser.axes)),
        "digest": np.array(digest),
    }
    for number, axis in enumerate(colocaliser.axes):
        content[f"mean_{number}"] = axis.mean
        content[f"axis_{number}"] = axis.axis
        content[f"numbers_{number}"] = np.array([getattr(axis, name) for name in _NUMBERS])
        content[f"rule_{number}"] = np.array(axis.rule)
    buffer = io.BytesIO()
    np.savez(buffer, **content)  # type: ignore[arg-type]
    return write_bytes(path, buffer.getvalue())


def read_colocaliser(path: str | Path) -> tuple[Colocaliser, str]:
    """The learned arrays, and their digest.

    Raises:
        DataError: the file is missing, damaged, of another version, or holds no finite axes.
    """
    path = Path(path)
    try:
        content = read_arrays(path)
        if int(content["version"]) != VERSION:
            raise DataError(
                f"{path}: version {int(content['version'])}, expected {VERSION}; delete it "
                "and run again"
            )
        axes = []
        for number in range(int(content["layers"])):
            mean, axis = content[f"mean_{number}"], content[f"axis_{number}"]
            numbers = content[f"numbers_{number}"]
            if (
                mean.ndim != 1
                or axis.shape != mean.shape
                or numbers.shape != (len(_NUMBERS),)
                or not all(np.isfinite(part).all() for part in (mean, axis, numbers))
            ):
                raise DataError(f"{path}: holds no axis of finite numbers; delete it")
            variance, share, skewness, gap = (float(value) for value in numbers)
            rule = _rule(content.get(f"rule_{number}"), path)
            if rule == OLD_RULE and variance > 0:
                gap /= math.sqrt(variance)  # these files have it in units of P
            axes.append(CommonAxis(mean, axis, variance, share, skewness, gap, rule))
        return Colocaliser(tuple(axes)), str(content["digest"])
    except DataError:
        raise
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file; run the step that learns it again") from error
    except _DAMAGE as error:
        raise DataError(f"{path}: damaged, or no file of this kind; delete it") from error


def _rule(found: NDArray[Any] | None, path: Path) -> SignRule:
    """The rule by which a sign was chosen; files from before there were several do not name it."""
    name = OLD_RULE if found is None else str(found)
    for rule in RULES:
        if rule == name:
            return rule
    raise DataError(f"{path}: the sign was chosen by {name!r:.60}, which is no rule; delete it")
