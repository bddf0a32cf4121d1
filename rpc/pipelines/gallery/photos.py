"""Photos on their way into a gallery: those of a command line, or the exemplars of a store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rpc.data.check_photos import require_exemplars
from rpc.data.files import DataError
from rpc.data.photo_files import find_photos
from rpc.data.store import Store
from rpc.retrieval.gallery.exemplar_photos import Box, ExemplarPhoto, describe_photos, spread
from rpc.retrieval.gallery.gallery import DescribesPictures
from rpc.retrieval.gallery.gallery_edit import NewSku
from rpc.runs.progress import bar
from rpc.structures.readings import ReadsPacks


def sku_of_photos(
    describe: DescribesPictures,
    name: str,
    given: Sequence[Path],
    *,
    title: str = "",
    box: Box | None = None,
    whole: bool = False,
    read: ReadsPacks | None = None,
) -> NewSku:
    """A SKU from photo files and folders of photos.

    Args:
        describe: makes the descriptors.
        name: of the SKU.
        given: photos, or folders of them.
        title: name for people.
        box: of the product on every photo; None looks for it.
        whole: the photos show nothing but the product.
        read: reads the words on some of them; None reads none.

    Raises:
        DataError: a photo or folder is missing or damaged.
    """
    paths: list[Path] = []
    for one in given:
        paths += find_photos(one, "photos of the SKU").photos if one.is_dir() else [one]
    photos = [ExemplarPhoto(path, box, whole) for path in paths]
    return NewSku(name, describe_photos(describe, photos, read=read), title)


def skus_of_store(
    describe: DescribesPictures,
    store: Store,
    names: Sequence[str] | None,
    most: int,
    read: ReadsPacks | None = None,
) -> list[NewSku]:
    """SKUs of a store with their exemplars, at most so many of each.

    Args:
        describe: makes the descriptors.
        store: where the exemplars and their boxes are.
        names: of the SKUs; None takes all.
        most: exemplars of a SKU, spread over cameras and views.
        read: reads the words on some of them; None reads none.

    Raises:
        DataError: a SKU is not in the store, none has an exemplar, or a photo is damaged.
    """
    if most < 1:
        raise DataError(f"--most: expected 1 or more, got {most}")
    taxonomy = store.taxonomy
    wanted = taxonomy.names if names is None else names
    categories = [taxonomy.by_name(name) for name in wanted]
    require_exemplars(store, wanted)
    chosen = spread(store.exemplars(), most)
    skus = []
    with bar("describing exemplars") as progress:
        for done, category in enumerate(categories, start=1):
            exemplars = chosen.get(category.id, [])
            photos = [ExemplarPhoto(e.path, e.box, size=e.size) for e in exemplars]
            made = describe_photos(describe, photos, read=read)
            skus.append(NewSku(category.name, made, category.title, category.id))
            progress(done, len(categories))
    skus = [sku for sku in skus if sku.photos]
    if not skus:
        raise DataError(f"{store.root}: no exemplar of these SKUs")
    return skus
