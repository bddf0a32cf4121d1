"""A new store made in one step: what fails or is stopped leaves nothing, what a kill left goes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rpc.data.files import DataError

STAGING: Final = ".new_store"  # inside the store, while it is made
MOVING: Final = "moving.txt"  # in it: the names that are moving up
STORE_NAMES: Final = (
    *("exemplars", "val", "test", "labelled_trays", "backgrounds", "import.json"),
    *("instances_val.json", "instances_test.json", "instances_train.json"),
)


@contextmanager
def staging(out: Path) -> Iterator[Path]:
    """A folder inside `out` whose content moves up when all went well, and goes otherwise.

    Nothing else in `out` is touched. Errors name files by the places that they would have had.

    Raises:
        DataError: `out` holds a part of a store.
    """
    part = out / STAGING
    if part.is_symlink():
        raise DataError(
            f"{part}: is a link; remove it: a new store is made in a folder of that name"
        )
    made = not out.exists()
    if part.exists():
        _remove_killed(out)
    refuse_store(out)
    try:
        part.mkdir(parents=True)
        yield part
        moving = sorted(part.iterdir(), key=_order)
        (part / MOVING).write_text("\n".join(path.name for path in moving), encoding="utf-8")
        for path in moving:
            path.rename(out / path.name)
        (part / MOVING).unlink()
        part.rmdir()
    except BaseException as error:
        _remove_killed(out)
        if made and out.is_dir() and not any(out.iterdir()):
            out.rmdir()
        if isinstance(error, DataError) and str(part) in str(error):
            raise DataError(str(error).replace(str(part), str(out))) from error
        raise


def refuse_store(out: Path) -> None:
    """Refuse a place for a store that holds one, or a part of one; other files may be there.

    Raises:
        DataError: it does.
    """
    if (out / STAGING).is_dir():
        return  # of a job that was killed: it goes
    if (out / "instances_train.json").exists():
        raise DataError(f"{out}: holds a store already; choose a new folder or remove it first")
    there = [name for name in STORE_NAMES if (out / name).exists()]
    if there:
        raise DataError(
            f"{out}: holds {there[0]} already, a part of a store; choose a new folder or remove it "
            "first"
        )


def _order(path: Path) -> tuple[bool, bool, str]:
    """Folders before JSON files, that of the exemplars last: with it the store is whole."""
    return path.suffix == ".json", path.name == "instances_train.json", path.name


def _remove_killed(out: Path) -> None:
    """Remove what a job wrote that did not come to its end, and nothing else."""
    moving = out / STAGING / MOVING
    names = moving.read_text(encoding="utf-8").splitlines() if moving.is_file() else []
    for name in names:
        path = out / name
        if (out / STAGING / name).exists() or name not in STORE_NAMES:
            continue  # it did not move up
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    shutil.rmtree(out / STAGING, ignore_errors=True)
