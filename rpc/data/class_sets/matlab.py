"""MATLAB's .mat files, in which older data sets keep their lists: plain arrays only."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat

from rpc.data.files import DataError


def read_mat(path: str | Path, names: Sequence[str], what: str) -> dict[str, NDArray[Any]]:
    """Variables of a .mat file as one-dimensional arrays; nothing in it is executed.

    Args:
        path: the file, as MATLAB writes it up to version 7.2.
        names: of the variables.
        what: the file holds, for errors.

    Raises:
        DataError: the file is missing or damaged, or lacks one of the variables.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path}: missing; expected {what}")
    try:
        content: dict[str, Any] = loadmat(str(path), variable_names=list(names), squeeze_me=True)
        return {name: np.atleast_1d(content[name]) for name in names}
    # A damaged or foreign file reaches scipy's reader in many ways.
    except Exception as error:
        wanted = ", ".join(f"'{name}'" for name in names)
        raise DataError(f"{path}: not {what} (a .mat file with {wanted})") from error
