"""Where numbers come from: the code, the libraries, the machine, the files.

Everything is looked up without importing the libraries: reporting works where torch is missing.
"""

from __future__ import annotations

import hashlib
import platform
import subprocess
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

from rpc.data import DataError, read_json
from rpc.data.parallel import available_cores
from rpc.data.shipped import PACKAGE
from rpc.version import __version__

LIBRARIES = (
    "numpy",
    "torch",
    "torchvision",
    "mmdet",
    "mmengine",
    "mmcv",
    "mmcv-lite",
    "onnxruntime",
    "opencv-python",
    "opencv-python-headless",
    "pycocotools",
    "albumentations",
)


def sha256(path: str | Path) -> str:
    """Hex digest of a file.

    Raises:
        DataError: it cannot be read.
    """
    try:
        digest = hashlib.sha256()
        with Path(path).open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
        return digest.hexdigest()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error


class Watched:
    """Files that a report names by their digest: told where one changes while the work goes on.

    Args:
        paths: of files that are about to be read; one that is missing is told when it is read.
    """

    def __init__(self, paths: Iterable[str | Path]) -> None:
        self._before = {Path(path): _state(Path(path)) for path in paths}

    def require_unchanged(self) -> None:
        """Make sure that the digests, taken by now, are those of what was read.

        Raises:
            DataError: a file was written or replaced since.
        """
        for path, before in self._before.items():
            if _state(path) != before:
                raise DataError(f"{path}: was changed while it was read; run again")


def _state(path: Path) -> tuple[int, int, int] | None:
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_ino, state.st_size, state.st_mtime_ns


def code_version() -> dict[str, Any]:
    """`{"commit", "dirty"}` of the repository our code runs from, else `{"version"}`.

    `dirty` says that tracked files were changed since the commit.
    """
    # An installed package may lie inside somebody else's repository: ask whether ours is tracked.
    tracked = _git(PACKAGE, "ls-files", "--error-unmatch", "__init__.py")
    commit = _git(PACKAGE, "rev-parse", "HEAD") if tracked else None
    if not commit:
        return {"version": __version__}
    changed = _git(PACKAGE, "status", "--porcelain", "--untracked-files=no", ":/")
    return {"version": __version__, "commit": commit, "dirty": changed != ""}


def library_versions() -> dict[str, str]:
    """Versions of those libraries that are installed."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return {"python": platform.python_version(), **found}


def machine() -> dict[str, Any]:
    """Processor, how many cores this process may use, and the system."""
    return {"cpu": _cpu_name(), "cores": available_cores(), "system": platform.system()}


def store_facts(root: str | Path) -> dict[str, Any]:
    """Name of a store, and hash and size of each of its JSON files.

    Raises:
        DataError: a file cannot be read.
    """
    splits = {}
    for path in sorted(Path(root).glob("instances_*.json")):
        raw = read_json(path)
        sizes = {name: len(raw.get(name, ())) for name in ("images", "annotations", "categories")}
        splits[path.stem.removeprefix("instances_")] = {"sha256": sha256(path), **sizes}
    return {"name": Path(root).resolve().name, "splits": splits}


def _git(folder: Path, *arguments: str) -> str | None:
    """The output of git; None where it fails or is not there."""
    try:
        done = subprocess.run(
            # Reading only: killed halfway, a `git status` would leave its lock in the repository.
            ["git", "--no-optional-locks", *arguments],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # not Linux
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
