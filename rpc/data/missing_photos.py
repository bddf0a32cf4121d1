"""Photos that a store's JSON lists and that are not there: counted, so that one line tells them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rpc.data.by_kind import Problem, ProblemKind
from rpc.data.dataset import Dataset, ImageInfo
from rpc.data.files import DataError
from rpc.data.photo_names import PhotoFolder
from rpc.data.store import Split, Store

REMEDY = "unpack all parts of the data set, or take the entries out of the JSON"


@dataclass(frozen=True)
class MissingPhotos:
    """The missing photos of one split.

    Attributes:
        folder: of the photos.
        images: those that are missing, in the order of the JSON.
        listed: how many the JSON lists.
        bare_skus: names of SKUs of exemplars that have no photo at all, by label.
        skus: how many have an exemplar in the JSON.
        near: a file that may be meant by the first one's name; empty where there is none.
    """

    folder: Path
    images: tuple[ImageInfo, ...]
    listed: int
    bare_skus: tuple[str, ...] = ()
    skus: int = 0
    near: str = ""

    def problems(self) -> list[Problem]:
        """One for each photo, all of one kind."""
        none = f" ({len(self.bare_skus)} of {self.skus} SKUs have none)" if self.bare_skus else ""
        kind = f"of {self.listed:,} photos of {self.folder.name} are missing{none}"
        remedy = REMEDY
        if self.near:
            remedy = (
                f"{self.folder.name}/ has {self.near!r:.100} for the first: write the names in the "
                "JSON as the files are called"
            )
        return [
            Problem(f"{self.folder.name}/{image.file_name}", "is missing", kind, remedy)
            for image in self.images
        ]

    def told(self) -> str:
        """All in one line; empty where none is missing."""
        if not self.images:
            return ""
        problems = self.problems()
        return f"{self.folder.parent}: {ProblemKind(problems[0].kind, tuple(problems)).told()}"


def missing_photos(photos: PhotoFolder, dataset: Dataset, *, exemplars: bool) -> MissingPhotos:
    """The photos of a data set that are not in their folder.

    Names that lead out of the folder are not looked for: whoever opens them says so.

    Args:
        photos: the folder.
        dataset: the split.
        exemplars: whether each photo shows one SKU, and SKUs without any count.
    """
    gone = tuple(image for image in dataset.images if not _is_there(photos, image))
    near = photos.near(gone[0].file_name) if gone else ""
    if not gone or not exemplars:
        return MissingPhotos(photos.folder, gone, len(dataset.images), near=near)
    lost = {image.id for image in gone}
    listed = {a.category_id for a in dataset.annotations}
    shown = {a.category_id for a in dataset.annotations if a.image_id not in lost}
    bare = [c.name for c in dataset.taxonomy.categories if c.id in listed - shown]
    return MissingPhotos(photos.folder, gone, len(dataset.images), tuple(bare), len(listed), near)


def require_photos(store: Store, split: Split) -> None:
    """Refuse a split that is not complete, before a long job trips over it.

    Raises:
        DataError: a photo is missing.
    """
    dataset = store.split(split)
    missing = missing_photos(store.photo_folder(split), dataset, exemplars=split == "train")
    if missing.images:
        raise DataError(missing.told())


def _is_there(photos: PhotoFolder, image: ImageInfo) -> bool:
    try:
        return photos.path(image.file_name).exists()
    except (DataError, OSError):
        return True
