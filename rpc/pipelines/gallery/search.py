"""The SKUs of a gallery that are most like what a photo shows, and a picture of them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rpc.data.file_names import PHOTO_SIGNS, FileNames
from rpc.data.files import DataError
from rpc.data.images import write_image
from rpc.pictures.lettering import Lettering
from rpc.pipelines.gallery.recipe import descriptor_of
from rpc.pipelines.gallery.sheet import draw_hits
from rpc.retrieval.gallery.comparison import Comparison
from rpc.retrieval.gallery.exemplar_photos import Box, ExemplarPhoto
from rpc.retrieval.gallery.gallery import Gallery, Hit
from rpc.retrieval.gallery.gallery_files import PICTURES
from rpc.retrieval.gallery.open_set import OpenSet
from rpc.retrieval.reranking.search_again import search_again
from rpc.runs.folder_lock import prepare_files


@dataclass(frozen=True)
class SearchRequest:
    """A photo to be searched for.

    Attributes:
        gallery: its folder.
        photo: the file.
        box: of the product, px; None looks for it.
        whole: the photo shows nothing but the product.
        count: SKUs to show.
        rerank: second look.
        out: folder of the picture.
        device: that networks run on, see `rpc.runs.devices`.
    """

    gallery: Path
    photo: Path
    box: Box | None = None
    whole: bool = False
    count: int = 5
    rerank: Literal["none", "expansion", "reciprocal", "verify"] = "none"
    out: Path = Path("out/gallery")
    device: str = "auto"


@dataclass(frozen=True)
class Found:
    """The answer of a search.

    Attributes:
        hits: best first.
        accepted: whether the best is above the gallery's threshold; None where it has none.
        picture: of photo and hits.
        milliseconds: of the search, without describing the photo.
    """

    hits: tuple[Hit, ...]
    accepted: bool | None
    picture: Path
    milliseconds: float


def search_gallery(request: SearchRequest) -> Found:
    """Describe the photo, search, draw.

    Raises:
        DataError: the photo is missing or damaged, or the gallery is missing, damaged or empty.
    """
    name = FileNames(keep=PHOTO_SIGNS).give(request.photo.stem, "_search.jpg")
    path = request.out / name
    prepare_files(path)
    describe = descriptor_of(request.gallery, request.device)
    crop = ExemplarPhoto(request.photo, request.box, request.whole).crop()
    gallery = Gallery.open(request.gallery, describe.recipe)
    if len(gallery) == 0:
        raise DataError(f"{request.gallery}: the gallery is empty; add a SKU's photos first")
    comparison = _comparison(gallery)
    gallery, embeddings = comparison.gallery, comparison.queries(describe([crop]))
    began = time.perf_counter()
    hits = search_again(gallery, embeddings, [crop], request.rerank, request.count)[0]
    milliseconds = 1000 * (time.perf_counter() - began)
    accepted = None
    if "open_set" in gallery.state.settings:
        best = float(gallery.similarities(embeddings).max())
        accepted = best >= OpenSet.from_dict(gallery.state.settings["open_set"]).threshold
    picture = draw_hits(crop, hits, request.gallery / PICTURES, Lettering(), accepted)
    write_image(path, picture)
    return Found(tuple(hits), accepted, path, milliseconds)


def _comparison(gallery: Gallery) -> Comparison:
    try:
        return Comparison.of_settings(gallery)
    except ValueError as error:
        raise DataError(f"{gallery.folder}: {error}; tune it anew") from error
