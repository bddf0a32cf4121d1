"""The photos that scenes shall look like: unlabelled, and never test photos by accident."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rpc.data.files import DataError
from rpc.data.photo_files import find_photos
from rpc.data.store import Store

Supervision = Literal["E", "T"]


@dataclass(frozen=True)
class TargetPhotos:
    """Unlabelled checkout photos.

    Attributes:
        paths: of the photos, in a fixed order.
        split: where they come from: "val", "test" or a folder's name.
        supervision: "E", or "T" where test photos are among them.
    """

    paths: tuple[Path, ...]
    split: str
    supervision: Supervision


def target_of_store(
    store: Store, split: Literal["val", "test"] = "val", *, allow_test: bool = False
) -> TargetPhotos:
    """The photos of a store's split; its labels stay unread by whoever uses them.

    Raises:
        DataError: the split is missing or empty, or it is "test" without `allow_test`.
    """
    if split == "test" and not allow_test:
        raise DataError(
            f"{store.root}: test photos as target: refused, since results would no longer be "
            "protocol E; --allow-test takes them and marks the result T"
        )
    images = store.split(split).images
    if not images:
        raise DataError(f"{store.root}: its {split} split lists no image to look at")
    paths = tuple(store.image_path(split, image) for image in images)
    return TargetPhotos(paths, split, "T" if split == "test" else "E")


def target_of_folder(
    folder: str | Path, store: Store | None = None, *, allow_test: bool = False
) -> TargetPhotos:
    """All photos of a folder.

    Args:
        folder: of unlabelled photos.
        store: whose test photos are to be kept out: known by their place and by their file names.
        allow_test: take them all the same; the result is then marked T.

    Raises:
        DataError: the folder is missing or holds no photo, or test photos of the store.
    """
    paths = find_photos(folder, "unlabelled checkout photos").photos
    tests = _test_photos(paths, store)
    if tests and not allow_test:
        raise DataError(
            f"{folder}: holds {len(tests)} test photos of {store.root if store else ''} "
            f"(such as {tests[0].name}): refused; --allow-test takes them and marks the result T"
        )
    return TargetPhotos(paths, Path(folder).name, "T" if tests else "E")


def _test_photos(paths: tuple[Path, ...], store: Store | None) -> list[Path]:
    """Those that lie in the store's test folder, or bear a test photo's name and no val one's."""
    if store is None or not store.has_split("test"):
        return []
    folder = store.image_dir("test").resolve()
    names = {Path(image.file_name).name for image in store.split("test").images}
    if store.has_split("val"):
        names -= {Path(image.file_name).name for image in store.split("val").images}
    return [p for p in paths if p.resolve().parent == folder or p.name in names]
