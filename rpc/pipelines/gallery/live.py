"""A gallery behind a counter that serves: photos go in and come out, and the counter follows.

The networks are those that the counter has loaded already: its classifier's descriptor describes
new exemplars too. What is printed on them is read afterwards, photo by photo, by whoever has time.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from rpc.data.evenly_spaced import evenly_spaced
from rpc.data.files import DataError
from rpc.data.images import read_image
from rpc.data.product_box import find_product_box
from rpc.pictures.thumbnails import colourfulness
from rpc.retrieval.descriptors.exemplar_views import exemplar_embeddings
from rpc.retrieval.descriptors.product_crops import crop_products
from rpc.retrieval.gallery.exemplar_photos import READ
from rpc.retrieval.gallery.gallery import DescribesPictures, Gallery
from rpc.retrieval.gallery.gallery_edit import (
    NewPhoto,
    NewSku,
    add_photos,
    keep_words,
    remove_photos,
)
from rpc.retrieval.gallery.gallery_files import PICTURES, read_state
from rpc.retrieval.gallery.gallery_state import GalleryState, PhotoWords
from rpc.structures.readings import ReadsPacks

Rgb = NDArray[np.uint8]
Box = tuple[float, float, float, float]
LOOKED_AT: Final = 6  # pictures of a SKU, for its thumbnail
DEPTH: Final = 4  # classifiers that may lie around the gallery's: second looks, an ensemble


class Exemplar(Protocol):
    """A photo of one product, see `rpc.serving.gallery.gallery_service.NewExemplar`."""

    @property
    def sku(self) -> str:
        """Of the product."""
        ...

    @property
    def title(self) -> str:
        """Its name for people; empty leaves the one that is there."""
        ...

    @property
    def source(self) -> str:
        """A name for the photo that no other has."""
        ...

    @property
    def rgb(self) -> Rgb:
        """(H, W, 3)."""
        ...

    @property
    def box(self) -> Box | None:
        """Of the product; None looks for it."""
        ...


@dataclass(frozen=True, eq=False)
class _Unread:
    """A photo whose words nobody has read yet: its SKU, its name, and the product on it."""

    sku: str
    source: str
    crop: Rgb


class LiveGallery:
    """A gallery's folder, and the way to a counter that names with it.

    Args:
        folder: of the gallery.
        load: a counter that names with the folder as it is now.
        reader: makes what reads packs, when it is first needed; None reads none.

    Raises:
        DataError: the counter does not name by this gallery.
    """

    def __init__(
        self,
        folder: Path,
        load: Callable[[], Any],
        reader: Callable[[], ReadsPacks] | None = None,
    ) -> None:
        self._folder, self._load, self._make_reader = folder, load, reader
        self._reader: ReadsPacks | None = None
        self._unread: deque[_Unread] = deque()
        self._words: dict[str, list[PhotoWords]] = {}  # read, and not kept yet
        self._lock = threading.Lock()
        self._state: GalleryState = read_state(folder)
        self._shown: dict[str, tuple[tuple[Path, ...], bytes]] = {}  # thumbnails, and of what
        self.counter = load()
        self._describe = descriptor_of_classifier(self.counter.recogniser)

    def photos(self) -> Mapping[str, int]:
        """How many photos each SKU has."""
        return {sku.name: len(sku.photos) for sku in self._state.skus}

    def generation(self) -> int:
        """How often the gallery was changed."""
        return self._state.generation

    def picture(self, sku: str) -> bytes | None:
        """A small JPEG of a SKU, the most colourful of a few; None where it has none."""
        kept = [
            self._folder / PICTURES / photo.picture
            for one in self._state.skus
            for photo in (one.photos if one.name == sku else ())
            if photo.picture
        ]
        there = [path for path in kept if path.is_file()]
        few = tuple(there[row] for row in evenly_spaced(len(there), LOOKED_AT))
        if not few:
            return None
        shown = self._shown.get(sku)
        if shown is None or shown[0] != few:  # names of pictures follow from their content
            best = max(few, key=lambda path: colourfulness(read_image(path)))
            shown = self._shown[sku] = few, best.read_bytes()
        return shown[1]

    def add(self, exemplars: Sequence[Exemplar]) -> Sequence[str]:
        """Put photos in, with one change; returns the sources of those that were there already.

        Raises:
            DataError: they cannot be put in.
        """
        crops = [crop_of(one) for one in exemplars]
        blocks = exemplar_embeddings(self._describe, crops)
        by_sku: dict[str, list[NewPhoto]] = {}
        for one, crop, block in zip(exemplars, crops, blocks, strict=True):
            by_sku.setdefault(one.sku, []).append(NewPhoto(block, one.source, crop))
        titles = {one.sku: one.title for one in exemplars}
        skus = [NewSku(sku, photos, titles[sku]) for sku, photos in by_sku.items()]
        with self._lock:
            self._state, known = add_photos(self._folder, self._describe.recipe, skus)
            self._leave_to_read(
                _Unread(one.sku, one.source, crop)
                for one, crop in zip(exemplars, crops, strict=True)
                if one.source not in known
            )
        return known

    def unread(self) -> int:
        """How many photos that were put in wait for being read."""
        return len(self._unread)

    def read_one(self) -> Mapping[str, int]:
        """Read what is printed on one photo that waits; after the last one, keep all that was read.

        Photos that wait are forgotten when the process ends.

        Returns:
            How many photos' words the gallery keeps now that it did not before, by SKU.

        Raises:
            DataError: another process is changing the gallery.
        """
        if not self._unread or self._make_reader is None:
            return {}
        self._reader = self._reader or self._make_reader()
        one = self._unread.popleft()
        text = self._reader(one.crop)
        with self._lock:
            found = self._words.setdefault(one.sku, [])
            found.append(PhotoWords(one.source, text.readings, text.codes))
            if self._unread:
                return {}
            before = {sku.name: len(sku.words) for sku in self._state.skus}
            self._state = keep_words(self._folder, self._words)
            self._words = {}
        gain = {sku.name: len(sku.words) - before.get(sku.name, 0) for sku in self._state.skus}
        return {sku: more for sku, more in gain.items() if more}

    def take_out(self, photos: Mapping[str, Sequence[str]]) -> None:
        """Take photos out by SKU and source; a SKU that has no other goes too.

        Raises:
            DataError: the gallery would be empty, or another process is changing it.
        """
        with self._lock:
            self._state = remove_photos(self._folder, photos)

    def _leave_to_read(self, photos: Iterable[_Unread]) -> None:
        """Line photos up for reading, as many of a SKU as reading is good for."""
        if self._make_reader is None:
            return
        read = Counter({sku.name: len(sku.words) for sku in self._state.skus})
        read.update(one.sku for one in self._unread)
        read.update({sku: len(some) for sku, some in self._words.items()})
        for one in photos:
            if read[one.sku] < READ:
                read[one.sku] += 1
                self._unread.append(one)

    def agreement(self, exemplars: Sequence[Exemplar]) -> NDArray[np.bool_]:
        """Whether photos (N) of one SKU show one thing: (N, N), symmetric, its diagonal True.

        True where two are more like each other than either is like any photo of another SKU.
        """
        sku = exemplars[0].sku
        crops = [crop_of(one) for one in exemplars]
        found = np.asarray(self._describe(crops), dtype=np.float64)
        own = found @ found.T
        gallery = Gallery.open(self._folder, self._describe.recipe)
        others = [place for place, name in enumerate(gallery.names) if name != sku]
        if not others:
            return np.ones(own.shape, dtype=np.bool_)
        rival = gallery.similarities(found)[:, others].max(axis=1)
        agree = own > np.maximum(rival[:, None], rival[None, :])
        np.fill_diagonal(agree, True)
        return np.asarray(agree)

    def reloaded(self) -> Any:
        """A counter that names with the gallery as it is now."""
        self.counter = self._load()
        self._describe = descriptor_of_classifier(self.counter.recogniser)
        return self.counter


def descriptor_of_classifier(classifier: Any) -> DescribesPictures:
    """The descriptor that a counter's classifier compares with a gallery's.

    Raises:
        DataError: it compares with none.
    """
    for _ in range(DEPTH):
        describe = getattr(classifier, "describe", None)
        if describe is not None:
            found: DescribesPictures = describe
            return found
        classifier = getattr(classifier, "first", None)
    raise DataError("this counter names without a gallery: give one with --gallery")


def crop_of(exemplar: Exemplar) -> Rgb:
    """The product (h, w, 3) on a photo."""
    box = find_product_box(exemplar.rgb)[0] if exemplar.box is None else exemplar.box
    return crop_products(exemplar.rgb, np.array([box], dtype=np.float64))[0]
