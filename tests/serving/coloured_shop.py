"""A shop whose products are coloured squares: a counter without networks, and photos of its trays.

Red is tea, green is soap, blue is cola. An olive square may be tea or soap,
and grey-violet ones are found with a score too low to count: a question, where it is near enough.
"""

from __future__ import annotations

import io
from datetime import datetime, timedelta, timezone

import numpy as np
from PIL import Image
from scipy import ndimage

from rpc.checkout import Checkout
from rpc.counting import CountingRule
from rpc.data.taxonomy import Category, Taxonomy
from rpc.serving.app import create_app
from rpc.serving.database.database import Database
from rpc.serving.server import CounterServer
from rpc.serving.settings import ServingSettings
from rpc.structures import Detections

TAXONOMY = Taxonomy(
    [Category(1, "tea", title="Green tea"), Category(2, "soap", title="Soap"), Category(3, "cola")]
)
COLOURS = {
    "tea": (220, 30, 30),
    "soap": (30, 200, 30),
    "cola": (30, 30, 220),
    "olive": (130, 110, 40),  # tea, perhaps, or soap
    "faint": (120, 90, 140),  # found, and not counted
}
GROUND = (235, 235, 235)
CELL = 40


def tray(*names: str, side: int = 240) -> np.ndarray:
    """A photo (side, side, 3) with a square for each name, in rows of four."""
    rgb = np.full((side, side, 3), GROUND, np.uint8)
    for place, name in enumerate(names):
        top, left = 16 + 55 * (place // 4), 16 + 55 * (place % 4)
        rgb[top : top + CELL, left : left + CELL] = COLOURS[name]
    return rgb


def jpeg(*names: str) -> bytes:
    """The bytes of such a photo."""
    return encoded(tray(*names))


def encoded(rgb: np.ndarray, kind: str = "JPEG") -> bytes:
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, kind, quality=95)
    return file.getvalue()


class FindsSquares:
    """A detector of squares that are not the ground."""

    def predict(self, rgb):
        found, _ = ndimage.label(np.abs(rgb.astype(int) - GROUND).sum(axis=2) > 90)
        boxes, scores = [], []
        for rows, columns in ndimage.find_objects(found):
            if rows.stop - rows.start < CELL // 2:
                continue
            boxes.append((columns.start, rows.start, columns.stop, rows.stop))
            middle = rgb[rows, columns].reshape(-1, 3).mean(axis=0)
            faint = np.abs(middle - COLOURS["faint"]).sum() < 40
            scores.append(0.2 if faint else 0.9)
        order = np.argsort(-np.array(scores), kind="stable")
        return Detections(
            np.array(boxes, dtype=np.float64).reshape(-1, 4)[order],
            np.array(scores, dtype=np.float64)[order],
            np.zeros(len(boxes), dtype=np.int64),
        )

    def predict_batch(self, photos):
        return [self.predict(rgb) for rgb in photos]


class NamesColours:
    """A recogniser of colours."""

    def __init__(self, names=TAXONOMY.names):
        self.names = names

    def probabilities(self, rgb, boxes):
        rows = np.zeros((len(boxes), len(self.names) + 1))
        known = np.array([COLOURS.get(name, (0, 0, 0)) for name in self.names], dtype=float)
        for row, (x1, y1, x2, y2) in enumerate(np.asarray(boxes).round().astype(int)):
            middle = rgb[y1:y2, x1:x2].reshape(-1, 3).mean(axis=0)
            distance = np.abs(known - middle).sum(axis=1)
            shares = np.exp(-distance / 80)
            rows[row, :-1] = shares / (shares.sum() + 0.02)
            rows[row, -1] = 1 - rows[row, :-1].sum()
        return rows


def counter(names=TAXONOMY.names) -> Checkout:
    """A counter of coloured squares."""
    kept = [one for one in TAXONOMY.categories if one.name in names]
    kept += [Category(10 + n, name) for n, name in enumerate(names) if name not in TAXONOMY.names]
    taxonomy = Taxonomy(kept)
    rule = CountingRule(threshold=0.3, counts_by="item_score")
    return Checkout(FindsSquares(), taxonomy, NamesColours(taxonomy.names), rule, name="squares")


class Clock:
    """A time that a test sets."""

    def __init__(self):
        self.now = datetime(2026, 3, 2, 10, 0, tzinfo=timezone.utc)

    def __call__(self):
        self.now += timedelta(milliseconds=1)
        return self.now


def server(
    folder, *, gallery=None, camera=None, clock=None, counts=None, database=None, **settings
):
    """The parts of a counter in a folder."""
    return CounterServer(
        ServingSettings(folder, requests_per_second=10_000, **settings),
        database or Database.in_folder(folder),
        counts or counter(),
        gallery,
        camera,
        clock or Clock(),
    )


def client(parts):
    """A client of a counter, which is started with it: use it as a context."""
    from starlette.testclient import TestClient

    return TestClient(create_app(parts), base_url="http://127.0.0.1:8080")


PRICES = {"tea": 249, "soap": 100, "cola": 5}


def priced(web):
    """Give the shop's products their prices."""
    for sku, cents in PRICES.items():
        assert web.patch(f"/v1/products/{sku}", json={"price_cents": cents}).status_code == 200
    return web
