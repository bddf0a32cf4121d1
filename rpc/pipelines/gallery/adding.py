"""A SKU's photos, or a store's exemplars, added to a gallery."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rpc.data.files import DataError
from rpc.data.store import Store
from rpc.features.text.installed import missing_reader
from rpc.features.text.pack_reader import PackReader
from rpc.pipelines.gallery.photos import sku_of_photos, skus_of_store
from rpc.pipelines.gallery.recipe import descriptor_for
from rpc.retrieval.gallery.exemplar_photos import Box
from rpc.retrieval.gallery.gallery import DescribesPictures
from rpc.retrieval.gallery.gallery_edit import NewSku, add_photos, create_gallery
from rpc.retrieval.gallery.gallery_files import writing
from rpc.retrieval.gallery.gallery_state import GalleryState
from rpc.structures.readings import ReadsPacks


@dataclass(frozen=True)
class AddRequest:
    """Photos for a gallery: those of one SKU, or a store's.

    Attributes:
        gallery: its folder; made where there is none.
        sku: name of the one SKU.
        photos: of it, or folders of them.
        title: its name for people.
        box: of the product on every photo, px; None looks for it.
        whole: the photos show nothing but the product.
        data: take the exemplars of this store instead.
        skus: of the store; None for all.
        most: exemplars of a SKU of the store.
        recipe: of a new gallery's descriptors; None for the best.
        device: that networks run on, see `rpc.runs.devices`.
        words: read the words and barcodes on some photos of each SKU, where the extra `words` is
            installed.

    Raises:
        DataError: neither a SKU with photos nor a store, or options of both.
    """

    gallery: Path
    sku: str | None = None
    photos: tuple[Path, ...] = ()
    title: str | None = None
    box: Box | None = None
    whole: bool = False
    data: Path | None = None
    skus: tuple[str, ...] | None = None
    most: int = 24
    recipe: str | None = None
    device: str = "auto"
    words: bool = True

    def __post_init__(self) -> None:
        if self.data is not None:
            if self.sku is not None or self.box is not None or self.whole:
                raise DataError("add: --data takes SKUs by --skus and boxes from the store")
        elif self.sku is None or not self.photos:
            raise DataError("add: expected a SKU and its photos, or --data STORE")


@dataclass(frozen=True)
class Added:
    """The additions to a gallery, its state afterwards, and a note about what was not done."""

    state: GalleryState
    skus: tuple[str, ...]
    photos: int
    known: tuple[str, ...]  # photos that were there already, and were not added again
    note: str = ""


def add_to_gallery(request: AddRequest) -> Added:
    """Describe photos and put them in.

    Raises:
        DataError: a photo is missing or damaged, the gallery is of another recipe, or another
            process is changing it.
    """
    with writing(request.gallery):
        describe = descriptor_for(request.gallery, request.recipe, request.device)
        note = missing_reader() if request.words else ""
        read = PackReader() if request.words and not note else None
        skus = _described(request, describe, read)
        recipe = dict(describe.recipe)
        create_gallery(request.gallery, recipe, skus[0].photos[0].embeddings.shape[1])
        state, known = add_photos(request.gallery, recipe, skus)
    names = tuple(sku.name for sku in skus)
    return Added(state, names, sum(len(sku.photos) for sku in skus) - len(known), known, note)


def _described(
    request: AddRequest, describe: DescribesPictures, read: ReadsPacks | None
) -> list[NewSku]:
    """The SKUs with descriptors of their photos."""
    if request.data is not None:
        store = Store.open(request.data)
        return skus_of_store(describe, store, request.skus, request.most, read)
    assert request.sku is not None
    return [
        sku_of_photos(
            describe,
            request.sku,
            request.photos,
            title=request.title or "",
            box=request.box,
            whole=request.whole,
            read=read,
        )
    ]
