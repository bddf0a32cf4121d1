"""The real server with a counter that remembers what it read: no network runs.

`python -m tests.serving.web.remembered_trays --port 8080 --data DIR` serves the example store.
Boxes and names are those that the shipped model gave for six of its trays; what it asked about is
asked here as well. Any other photo is read as the tray that it is most like.
"""

import argparse
import json
from collections import Counter
from pathlib import Path

import cv2
import numpy as np

from rpc.checkout import Checkout
from rpc.counting import CountingRule
from rpc.data.images import encode_jpeg, read_image
from rpc.data.shipped import shipped
from rpc.data.store import Store
from rpc.retrieval.gallery.gallery_files import PICTURES, read_state
from rpc.serving.app import create_app
from rpc.serving.database.database import Database
from rpc.serving.demo import GALLERY, price_demo
from rpc.serving.server import CounterServer
from rpc.serving.settings import ServingSettings
from rpc.serving.times import utc_now
from rpc.structures import Detections

ROOT = Path(__file__).parents[3]
STORE = ROOT / "examples/ministore"
TRAYS = ROOT / "rpc/serving/web/tests/fake/trays.json"
SIDE = 1024  # px of the remembered photos
CLOSE = 0.55  # share of the likeliest SKU where a question was asked


def signature(rgb):
    """A photo in 12 x 12 grey values."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (12, 12), interpolation=cv2.INTER_AREA).astype(float)
    return small - small.mean()


class Remembers:
    """Detector and recogniser of the remembered trays."""

    def __init__(self, taxonomy):
        self.names = list(taxonomy.names)
        self.trays = json.loads(TRAYS.read_text(encoding="utf-8"))["trays"]
        photos = [STORE / "val" / tray["photo"] for tray in self.trays]
        self.signatures = np.array([signature(read_image(photo)) for photo in photos])

    def tray(self, rgb):
        gaps = np.abs(self.signatures - signature(rgb)).mean(axis=(1, 2))
        return self.trays[int(gaps.argmin())]

    def predict(self, rgb):
        items = self.tray(rgb)["items"]
        scale = np.array(rgb.shape[1::-1] * 2) / SIDE
        boxes = np.array([item["box"] for item in items]) * scale
        scores = np.array([item["score"] for item in items])
        order = np.argsort(-scores, kind="stable")
        return Detections(boxes[order], scores[order], np.zeros(len(items), np.int64))

    def predict_batch(self, photos):
        return [self.predict(rgb) for rgb in photos]

    def probabilities(self, rgb, boxes):
        tray = self.tray(rgb)
        scale = np.array(rgb.shape[1::-1] * 2) / SIDE
        known = np.array([item["box"] for item in tray["items"]]) * scale
        asked = {tuple(question["box"]) for question in tray["questions"]}
        rows = np.full((len(boxes), len(self.names) + 1), 1e-4)
        for row, box in enumerate(np.asarray(boxes)):
            item = tray["items"][int(np.abs(known - box).sum(axis=1).argmin())]
            pairs = item["alternatives"]
            for sku, share in pairs:
                rows[row, self.names.index(sku)] += share
            if tuple(item["box"]) in asked:  # two that are close: the plain limits ask then
                rows[row, self.names.index(pairs[0][0])] = CLOSE
                rows[row, self.names.index(pairs[1][0])] = CLOSE - 0.15
        return rows / rows.sum(axis=1, keepdims=True)


class CountsPhotos:
    """A gallery that takes every photo."""

    def __init__(self, made):
        self.made, self.changes = made, 0
        shown = read_state(shipped(GALLERY)).skus
        self.kept = Counter({sku.name: len(sku.photos) for sku in shown})
        self.first = {
            sku.name: (shipped(GALLERY) / PICTURES / sku.photos[0].picture).read_bytes()
            for sku in shown
        }

    def photos(self):
        return dict(self.kept)

    def generation(self):
        return self.changes

    def picture(self, sku):
        return self.first.get(sku)

    def add(self, exemplars):
        self.changes += 1
        for one in exemplars:
            small = cv2.resize(one.rgb, (120, 120), interpolation=cv2.INTER_AREA)
            self.first.setdefault(one.sku, encode_jpeg(small))
            self.kept[one.sku] += 1
        return []

    def take_out(self, photos):
        self.changes += 1
        for sku, sources in photos.items():
            self.kept[sku] -= len(sources)

    def unread(self):
        return 0

    def read_one(self):
        return {}

    def agreement(self, exemplars):
        return np.eye(len(exemplars), dtype=bool)

    def reloaded(self):
        return self.made


def server(folder, clock=utc_now):
    """The parts of this counter in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    taxonomy = Store.open(STORE).taxonomy
    remembers = Remembers(taxonomy)
    rule = CountingRule(threshold=0.1, counts_by="item_score")
    made = Checkout(remembers, taxonomy, remembers, rule, name="ministore")
    settings = ServingSettings(folder, shop="Corner Shop", requests_per_second=10_000)
    parts = CounterServer(
        settings, Database.in_folder(folder), made, CountsPhotos(made), None, clock
    )
    parts.products.learn_of(taxonomy, parts.own)
    price_demo(parts.products, parts.own)
    return parts


def main():
    import uvicorn

    options = argparse.ArgumentParser()
    options.add_argument("--port", type=int, required=True)
    options.add_argument("--data", type=Path, required=True)
    given = options.parse_args()
    uvicorn.run(create_app(server(given.data)), port=given.port, log_level="warning")


if __name__ == "__main__":
    main()
