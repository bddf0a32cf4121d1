"""Packages that only some of the work needs: imported when that work begins."""

from __future__ import annotations

import importlib
from typing import Any

from rpc.data.files import DataError


def import_package(name: str, distribution: str | None = None) -> Any:
    """A package that may not be installed, as a module.

    Args:
        name: as it is imported, such as "faiss".
        distribution: as it is installed, such as "faiss-cpu"; None where it has the same name.

    Raises:
        DataError: it is not installed, or cannot be loaded here; says how to install it.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise DataError(
            f"{name}: needed for this, and not installed or damaged ({error}); "
            f"pip install {distribution or name}"
        ) from error
