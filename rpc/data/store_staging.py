"""A new store made in one step: what fails or is stopped leaves nothing, what a kill left goes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rpc.data.files import DataError

STAGING: Final = ".new_store"  # inside the store, while it is made
STORE_NAMES: Final = (
    *("exemplars", "val", "test", "labelled_trays", "backgrounds", "import.json"),
    *("instances_val.json", "instances_test.json", "instances_train.json"),
)


@contextmanager
def staging(out: Path) -> Iterator[Path]:
    """A folder inside `out` whose content moves up when all went well, and goes otherwise.

    Errors name files by the places that they would have had.
    """
    part = out / STAGING
    made = not out.exists()
    if part.exists():
        _remove_killed(out)
    try:
        part.mkdir(parents=True)
        yield part
        for path in sorted(part.iterdir(), key=_order):
            path.rename(out / path.name)
        part.rmdir()
    except BaseException as error:
        _remove_killed(out)
        if made and out.is_dir() and not any(out.iterdir()):
            out.rmdir()
        if isinstance(error, DataError) and str(part) in str(error):
            raise DataError(str(error).replace(str(part), str(out))) from error
        raise


def refuse_used(out: Path) -> None:
    """Refuse a place for a store that holds something already.

    Raises:
        DataError: it holds a store or other files.
    """
    if (out / "instances_train.json").exists():
        raise DataError(f"{out}: holds a store already; choose a new folder or remove it first")
    if not out.is_dir() or (out / STAGING).is_dir():
        return
    if any(not path.name.startswith(".") for path in out.iterdir()):
        raise DataError(f"{out}: is not empty; choose a new folder or remove it first")


def _order(path: Path) -> tuple[bool, bool, str]:
    """Folders before JSON files, that of the exemplars last: with it the store is whole."""
    return path.suffix == ".json", path.name == "instances_train.json", path.name


def _remove_killed(out: Path) -> None:
    """Remove what a job wrote that did not come to its end: `out` was empty when it began."""
    for name in STORE_NAMES:
        path = out / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    shutil.rmtree(out / STAGING, ignore_errors=True)
