"""Any data set that recognition systems can be trained on, opened by its folder."""

from __future__ import annotations

from pathlib import Path

from rpc.data.class_sets.class_layouts import read_class_set
from rpc.data.class_sets.class_set import ClassSet, checked
from rpc.data.class_sets.store_crops import is_store, read_store_set
from rpc.data.files import DataError
from rpc.inference.crops import MARGIN


def open_class_set(root: str | Path, scenes: str | Path | None = None) -> ClassSet:
    """Read a data set in any of `rpc.data.class_sets.class_layouts.LAYOUTS`.

    Args:
        root: its folder.
        scenes: composed scenes to learn from besides, for a store.

    Raises:
        DataError: none of the layouts, or something in it is missing or damaged; scenes are given
            and it is no store.
    """
    root = Path(root)
    if is_store(root):
        return checked(read_store_set(root, MARGIN, scenes), root)
    if scenes is not None:
        raise DataError(f"{root}: no store in RPC's shape: --scenes is for stores alone")
    return read_class_set(root)
