"""Exemplar pictures at a counter: a second look at items whose name is in doubt.

They are never needed: where none were kept, the counter counts as it did without.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rpc.data.evenly_spaced import evenly_spaced
from rpc.data.images import read_image
from rpc.features.local.key_points import Rgb
from rpc.features.local.picture_evidence import PictureEvidence
from rpc.features.local.sku_pictures import SkuPictures, unpack_pictures
from rpc.recognition.local_look import LocalLook
from rpc.recognition.second_look import SecondLook
from rpc.retrieval.gallery.exemplar_photos import COMPARED
from rpc.retrieval.gallery.gallery_files import PICTURES
from rpc.retrieval.gallery.gallery_state import GalleryState


def picture_looks(pictures: Sequence[SkuPictures] | None) -> list[SecondLook]:
    """The look by pictures of each SKU, by label; none where no picture was kept."""
    if pictures is None or not any(pictures):
        return []
    known = tuple(pictures)
    photos = [len(one) for one in known]
    return [LocalLook(PictureEvidence(lambda label: unpack_pictures(known[label]), photos))]


def gallery_picture_looks(
    folder: Path, state: GalleryState, names: Sequence[str]
) -> list[SecondLook]:
    """The look by the pictures that a gallery keeps, which are read as they are needed.

    Args:
        folder: of the gallery.
        state: what is in it.
        names: of its SKUs, by label.

    Returns:
        The look; none where the gallery kept no picture. A picture's file that somebody removed is
        passed over.
    """
    by_name = {sku.name: sku for sku in state.skus}
    paths = [
        [folder / PICTURES / photo.picture for photo in by_name[name].photos if photo.picture]
        for name in names
    ]
    spread = [[some[place] for place in evenly_spaced(len(some), COMPARED)] for some in paths]
    there = [[path for path in some if path.is_file()] for some in spread]
    if not any(there):
        return []

    def pictures_of(label: int) -> list[Rgb]:
        return [read_image(path) for path in there[label]]

    return [LocalLook(PictureEvidence(pictures_of, [len(some) for some in there]))]
