"""A product that the gallery lacks, counted, added by five photos, and counted again.

    python -m tests.serving.gallery.new_product [SKU ...]

For each SKU of the example store: the shipped gallery without it, the shipped exported counter, val
trays that hold it, five exemplars that the gallery never had. It comes back under another name, so
that the counter's recogniser, which was trained on all twelve, cannot name it. Its detector has
seen it too: what this shows is the way from photos to names, not how well it goes with a product
that no training saw (docs/gallery.md has figures of that). Prints a line a SKU, and the sums.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

import rpc
from rpc.data.evenly_spaced import evenly_spaced
from rpc.data.store import Store
from rpc.pipelines.gallery.live import LiveGallery
from rpc.retrieval.gallery.gallery_edit import remove_skus
from rpc.retrieval.gallery.gallery_files import read_state
from rpc.serving.database.database import Database
from rpc.serving.server import CounterServer
from rpc.serving.settings import ServingSettings
from rpc.structures import box_iou
from tests.serving import coloured_shop as shop

ROOT = Path(__file__).parents[3]
STORE = ROOT / "examples/ministore"
MODEL = ROOT / "rpc/weights/ministore"
GALLERY = ROOT / "rpc/weights/ministore_gallery"
TITLE, NAME = "Something new", "something_new"


@dataclass(frozen=True)
class Seen:
    """The true items of the product on some trays, before or after it was added.

    Attributes:
        items: true ones.
        named: counted under its name.
        asked: asked about, or not counted, so that somebody looks.
        wrong: counted as something else in silence.
    """

    items: int
    named: int
    asked: int
    wrong: int


@dataclass(frozen=True)
class Trial:
    """One product's way in, in seconds and items."""

    sku: str
    before: Seen
    after: Seen
    add_seconds: float
    count_seconds: float


def try_product(sku: str, folder: Path, *, trays: int = 2, fusion: bool = True) -> Trial:
    """Count, add, count again, by the interface."""
    store = Store.open(STORE)
    gallery = folder / "gallery"
    shutil.copytree(GALLERY, gallery)
    had = {photo.source for photo in read_state(gallery).sku(sku).photos}
    remove_skus(gallery, [sku])

    def load():
        return rpc.load(MODEL, gallery, device="cpu", fusion=fusion, words=False)

    live = LiveGallery(gallery, load)
    settings = ServingSettings(folder / "data", requests_per_second=10_000)
    database = Database.in_folder(folder / "data")
    parts = CounterServer(settings, database, live.counter, live)
    photos, truths = _trays(store, sku, trays)
    with shop.client(parts) as web:
        before, _ = _count(web, photos, truths)
        made = web.post("/v1/products", json={"title": TITLE, "price_cents": 199})
        assert made.json()["sku"] == NAME
        began = time.perf_counter()
        files = [("photos", (p.name, p.read_bytes(), "image/jpeg")) for p in _new(store, sku, had)]
        told = web.post(f"/v1/products/{NAME}/photos", files=files)
        add_seconds = time.perf_counter() - began
        assert told.json()["added"] == 5, told.text
        after, seconds = _count(web, photos, truths)
    return Trial(sku, before, after, round(add_seconds, 2), round(seconds, 2))


def _new(store: Store, sku: str, had: set[str]) -> list[Path]:
    """Five exemplars of a product that the gallery never had, spread over its views."""
    number = store.taxonomy.by_name(sku).id
    fresh = sorted(e.path for e in store.exemplars() if e.category_id == number)
    fresh = [path for path in fresh if path.name not in had]
    return [fresh[place] for place in evenly_spaced(len(fresh), 5)]


def _trays(store: Store, sku: str, most: int) -> tuple[list[bytes], list[np.ndarray]]:
    """The val trays with the fewest items that hold a product: bytes, and its true boxes."""
    dataset, number = store.split("val"), store.taxonomy.by_name(sku).id
    boxes = {
        image.id: np.array([a.bbox for a in dataset.annotations_of(image.id)
                            if a.category_id == number])
        for image in dataset.images
    }  # fmt: skip
    holding = [image for image in dataset.images if len(boxes[image.id])]
    holding.sort(key=lambda image: (len(dataset.annotations_of(image.id)), image.id))
    chosen = holding[:most]
    photos = [store.image_path("val", image).read_bytes() for image in chosen]
    return photos, [boxes[image.id] for image in chosen]


def _count(web, photos, truths) -> tuple[Seen, float]:
    named = asked = wrong = items = 0
    seconds = []
    for photo, truth in zip(photos, truths, strict=True):
        counted = web.post("/v1/count", content=photo).json()
        seconds.append(counted["seconds"])
        found = [one for one in counted["items"] if one["box"] is not None]
        overlaps = box_iou(truth, np.array([one["box"] for one in found]).reshape(-1, 4))
        for row in overlaps:
            place = int(row.argmax()) if row.size else 0
            item = found[place] if row.size and row[place] >= 0.5 else None
            items += 1
            named += item is not None and item["counted"] and item["sku"] == NAME
            asked += item is None or item["open"] or not item["counted"]
            wrong += (
                item is not None and item["counted"] and not item["open"] and item["sku"] != NAME
            )
    return Seen(items, named, asked, wrong), float(np.median(seconds))


def main() -> None:
    names = sys.argv[1:] or Store.open(STORE).taxonomy.names
    for fusion in (True, False):
        trials = []
        for sku in names:
            with tempfile.TemporaryDirectory() as folder:
                trials.append(try_product(sku, Path(folder), fusion=fusion))
            print(json.dumps({"fusion": fusion, **asdict(trials[-1])}), flush=True)
        sums = {
            when: {
                field: sum(getattr(getattr(one, when), field) for one in trials)
                for field in ("items", "named", "asked", "wrong")
            }
            for when in ("before", "after")
        }
        slowest = max(one.add_seconds for one in trials)
        print(json.dumps({"fusion": fusion, **sums, "slowest_add_seconds": slowest}), flush=True)


if __name__ == "__main__":
    main()
