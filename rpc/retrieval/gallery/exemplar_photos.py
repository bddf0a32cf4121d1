"""Exemplar photos on their way into a gallery: cropped, described, with a small picture."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rpc.data.entry_photo import read_entry_photo
from rpc.data.evenly_spaced import evenly_spaced
from rpc.data.exemplars import Exemplar
from rpc.data.product_box import find_product_box
from rpc.retrieval.descriptors.exemplar_views import exemplar_embeddings
from rpc.retrieval.descriptors.product_crops import crop_products
from rpc.retrieval.gallery.gallery import DescribesPictures
from rpc.retrieval.gallery.gallery_edit import NewPhoto
from rpc.retrieval.gallery.gallery_state import PhotoWords
from rpc.structures.readings import ReadsPacks

Rgb = NDArray[np.uint8]
Box = tuple[float, float, float, float]
AT_ONCE: Final = 16  # photos
READ: Final = 8  # photos of a SKU whose words are read: more add little, see docs/words.md
COMPARED: Final = 8  # photos of a SKU that are laid on doubtful items, see docs/pictures.md


@dataclass(frozen=True)
class ExemplarPhoto:
    """A photo of one product.

    Attributes:
        path: of the file.
        box: x1, y1, x2, y2 of the product in pixels; None finds it by itself.
        whole: take the whole photo, without looking for the product.
        size: width and height of the photo that the box was drawn on; None where not known.
    """

    path: Path
    box: Box | None = None
    whole: bool = False
    size: tuple[int, int] | None = None

    def crop(self) -> Rgb:
        """The product (h, w, 3).

        Raises:
            DataError: the photo is missing or damaged, or the box belongs to another size of it.
        """
        rgb = read_entry_photo(self.path, self.size, () if self.box is None else (self.box,))
        if self.whole:
            return rgb
        box = find_product_box(rgb)[0] if self.box is None else self.box
        return crop_products(rgb, np.array([box]))[0]


def describe_photos(
    describe: DescribesPictures,
    photos: Sequence[ExemplarPhoto],
    progress: Callable[[int], None] | None = None,
    read: ReadsPacks | None = None,
) -> list[NewPhoto]:
    """Photos described for a gallery, one by one.

    Args:
        describe: makes the descriptors.
        photos: any number.
        progress: is told how many are done.
        read: reads some of them, `READ` spread evenly; None reads none.

    Raises:
        DataError: a photo is missing or damaged.
    """
    made: list[NewPhoto] = []
    legible = set() if read is None else set(evenly_spaced(len(photos), READ))
    for start in range(0, len(photos), AT_ONCE):
        part = photos[start : start + AT_ONCE]
        crops = [photo.crop() for photo in part]
        embeddings = exemplar_embeddings(describe, crops)
        for photo, crop, block in zip(part, crops, embeddings, strict=True):
            name, words = photo.path.name, None
            if read is not None and len(made) in legible:
                text = read(crop)
                words = PhotoWords(name, text.readings, text.codes)
            made.append(NewPhoto(block, name, crop, words))
        if progress is not None:
            progress(len(made))
    return made


def spread(exemplars: Iterable[Exemplar], most: int) -> dict[int, list[Exemplar]]:
    """At most so many exemplars of each category id, spread evenly over cameras and views."""
    by_sku: dict[int, list[Exemplar]] = {}
    for exemplar in exemplars:
        by_sku.setdefault(exemplar.category_id, []).append(exemplar)
    chosen = {}
    for number, photos in by_sku.items():
        photos.sort(key=lambda e: (e.camera or 0, e.view or 0, e.path.name))
        chosen[number] = [photos[place] for place in evenly_spaced(len(photos), most)]
    return chosen
