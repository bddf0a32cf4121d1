"""Product photos by SKU folder, added to the store of an export that shows trays alone."""

from __future__ import annotations

import shutil
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from rpc.data.dataset import Annotation, Dataset, ImageInfo, read_dataset, write_dataset
from rpc.data.file_names import PHOTO_SIGNS, FileNames
from rpc.data.files import atomic_path, link_or_copy, read_json
from rpc.data.images import read_image
from rpc.data.importer import REPORT, import_folder
from rpc.data.parallel import Progress
from rpc.data.photo_files import find_photos
from rpc.data.taxonomy import Category, Taxonomy

_APART: Final = ".product_photos"


@dataclass(frozen=True)
class ProductPhotos:
    """Exemplars that were imported from a folder of photos by SKU.

    Attributes:
        folder: where they lie, a store of their own inside the new one until they are joined.
        dataset: its exemplars.
        report: what was found and left out, as in `import.json`.
    """

    folder: Path
    dataset: Dataset
    report: Mapping[str, Any]

    @property
    def skus(self) -> tuple[str, ...]:
        """Names of their SKUs."""
        return self.dataset.taxonomy.names


def import_product_photos(
    photos: str | Path, folder: Path, progress: Progress | None = None
) -> ProductPhotos:
    """Import `photos/<sku>/*.jpg` into a place inside the new store.

    Raises:
        DataError: as `import_folder`.
    """
    inner = folder / _APART
    import_folder(photos, inner, progress=progress)
    return ProductPhotos(
        folder=inner,
        dataset=read_dataset(inner / "instances_train.json"),
        report=read_json(inner / REPORT),
    )


def joined_taxonomy(taxonomy: Taxonomy, added: ProductPhotos) -> tuple[Taxonomy, dict[int, int]]:
    """The SKUs of the export and, after them, those of folders that are no class of it.

    A folder is of a class where their names agree but for case and Unicode form.

    Returns:
        The SKUs, and their ids by the category id of the product photos.
    """
    known = {_key(sku.name): sku.id for sku in taxonomy.categories}
    ids: dict[int, int] = {}
    more: list[Category] = []
    number = max(taxonomy.ids)
    for sku in added.dataset.taxonomy.categories:
        if _key(sku.name) not in known:
            number += 1
            known[_key(sku.name)] = number
            more.append(Category(number, sku.name))
        ids[sku.id] = known[_key(sku.name)]
    return Taxonomy([*taxonomy.categories, *more]), ids


def join_exemplars(
    folder: Path, added: ProductPhotos, taxonomy: Taxonomy, ids: Mapping[int, int]
) -> None:
    """Move the product photos among the store's exemplars, and list them in its JSON.

    Raises:
        DataError: a file cannot be written.
    """
    path = folder / "instances_train.json"
    own = read_dataset(path) if path.exists() else Dataset((), (), taxonomy)
    names = FileNames([image.file_name for image in own.images], keep=PHOTO_SIGNS)
    first_image = max((image.id for image in own.images), default=0) + 1
    first_item = max((item.id for item in own.annotations), default=0) + 1
    images: list[ImageInfo] = []
    items: list[Annotation] = []
    for image in added.dataset.images:
        name = names.give(Path(image.file_name).stem, Path(image.file_name).suffix)
        link_or_copy(added.folder / "exemplars" / image.file_name, folder / "exemplars" / name)
        number = first_image + len(images)
        images.append(replace(image, id=number, file_name=name))
        items += [
            replace(
                item,
                id=first_item + len(items) + place,
                image_id=number,
                category_id=ids[item.category_id],
            )
            for place, item in enumerate(added.dataset.annotations_of(image.id))
        ]
    whole = replace(
        own,
        images=(*own.images, *images),
        annotations=(*own.annotations, *items),
        extra={"info": {"description": "of an export and a folder of photos"}} | dict(own.extra),
    )
    write_dataset(path, whole)
    shutil.rmtree(added.folder, ignore_errors=True)


def copy_backgrounds(source: str | Path, folder: Path) -> int:
    """Copy photos of the empty tray into the store; returns how many.

    Raises:
        DataError: there is none, or one cannot be read.
    """
    photos = find_photos(source, "photos of the empty tray").photos
    there = folder / "backgrounds"
    names = FileNames([p.name for p in there.iterdir()] if there.is_dir() else [])
    for photo in photos:
        read_image(photo)
        name = names.give("background_" + photo.stem, photo.suffix.lower())
        with atomic_path(there / name) as part:
            shutil.copyfile(photo, part)
    return len(photos)


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).strip().casefold()
