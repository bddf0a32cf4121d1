"""A counter to look at: the products of the store that comes with the package, with prices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from rpc.camera import Frame, frames_of
from rpc.data.evenly_spaced import evenly_spaced
from rpc.data.exemplars import Exemplar
from rpc.data.images import encode_jpeg, read_image
from rpc.data.shipped import shipped
from rpc.data.store import Store
from rpc.pictures.thumbnails import colourfulness
from rpc.serving.events.events import Who
from rpc.serving.products.products import Product, Products

STORE: Final = "examples/ministore"
HOLD_S: Final = 6.0  # seconds that the camera shows each tray
SIDE: Final = 240  # px of thumbnails
LOOKED_AT: Final = 6  # exemplars of a product, for its thumbnail
CENTS: Final = {
    "soda_can_0": 119,
    "soda_can_1": 119,
    "soda_can_2": 129,
    "soda_can_3": 129,
    "chips_bag_0": 199,
    "chips_bag_1": 219,
    "chips_bag_2": 219,
    "chips_bag_3": 229,
    "cup_noodle_0": 159,
    "cup_noodle_1": 149,
    "cup_noodle_2": 169,
    "cup_noodle_3": 159,
}


def demo_camera() -> Iterator[Frame]:
    """The example trays, as a camera would show them, again and again."""
    return frames_of(demo_trays(), hold_s=HOLD_S, paced=True, loop=True)


def demo_trays() -> Path:
    """The folder of the example trays."""
    store = Store.open(shipped(STORE))
    return store.image_dir("val")


def price_demo(products: Products, who: Who) -> None:
    """Give the example's products their prices, unless somebody gave them others."""
    known = products.all()
    made = [
        Product(sku, known[sku].title, cents, known[sku].ean, known[sku].retired)
        for sku, cents in CENTS.items()
        if sku in known and known[sku].price_cents is None
    ]
    products.bring_in(made, who)


def demo_thumbnails(skus: Sequence[str]) -> dict[str, bytes]:
    """A small JPEG of each of the example's products, of its most colourful exemplar of a few."""
    store = Store.open(shipped(STORE))
    taxonomy = store.taxonomy
    exemplars: dict[str, list[Exemplar]] = {}
    for exemplar in store.exemplars():
        sku = taxonomy.category(taxonomy.label(exemplar.category_id)).name
        if sku in skus:
            exemplars.setdefault(sku, []).append(exemplar)
    return {
        sku: encode_jpeg(max(_small(some), key=colourfulness), 85)
        for sku, some in exemplars.items()
    }


def _small(exemplars: Sequence[Exemplar]) -> Iterator[NDArray[np.uint8]]:
    """A few of a product's exemplars, cropped and small."""
    for row in evenly_spaced(len(exemplars), LOOKED_AT):
        x1, y1, x2, y2 = (round(value) for value in exemplars[row].box)
        crop = read_image(exemplars[row].path)[max(y1, 0) : y2, max(x1, 0) : x2]
        scale = SIDE / max(crop.shape[:2])
        size = (round(crop.shape[1] * scale), round(crop.shape[0] * scale))
        small = cv2.resize(crop, size, interpolation=cv2.INTER_AREA)
        yield np.asarray(small, dtype=np.uint8)
