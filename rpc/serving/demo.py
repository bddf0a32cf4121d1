"""A counter to look at: the products of the store that comes with the package, with prices."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rpc.camera import Frame, frames_of
from rpc.data.files import cannot_write
from rpc.data.shipped import shipped
from rpc.data.store import Store
from rpc.serving.events.events import Who
from rpc.serving.products.products import Product, Products

STORE: Final = "examples/ministore"
HOLD_S: Final = 6.0  # seconds that the camera shows each tray
GALLERY: Final = "rpc/weights/ministore_gallery"  # of eight exemplars a product, tuned on val
FOLDER: Final = "gallery"  # its copy, in the folder of everything that is kept
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


def demo_gallery(data: Path) -> Path:
    """The counter's own copy of the example's gallery, which takes new products; made once.

    Args:
        data: folder of everything that is kept.

    Raises:
        DataError: the folder cannot be written to.
    """
    folder = data / FOLDER
    if folder.exists():
        return folder
    try:
        with tempfile.TemporaryDirectory(prefix=".gallery-", dir=data) as part:
            made = shutil.copytree(shipped(GALLERY), Path(part) / FOLDER)
            made.rename(folder)  # as a whole: a kill leaves none, or all of it
    except OSError as error:
        raise cannot_write(folder, error) from error
    return folder


def price_demo(products: Products, who: Who) -> None:
    """Give the example's products their prices, unless somebody gave them others."""
    known = products.all()
    made = [
        Product(sku, known[sku].title, cents, known[sku].ean, known[sku].retired)
        for sku, cents in CENTS.items()
        if sku in known and known[sku].price_cents is None
    ]
    products.bring_in(made, who)
