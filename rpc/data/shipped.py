"""Files that come with the package: configs, weights and the small example store."""

from __future__ import annotations

from pathlib import Path
from typing import Final

PACKAGE: Final = Path(__file__).resolve().parent.parent
_INSTALLED: Final = PACKAGE / "share"  # where a wheel keeps what a checkout has beside the package


def shipped(name: str) -> Path:
    """The path of a file or folder that comes with the package.

    Args:
        name: below the repository's root, such as "configs/cpu_default.py", "examples/ministore" or
            "rpc/weights/start.pth".
    """
    if name.startswith("rpc/"):
        return PACKAGE / name.removeprefix("rpc/")
    installed = _INSTALLED / name
    return installed if installed.exists() else PACKAGE.parent / name
