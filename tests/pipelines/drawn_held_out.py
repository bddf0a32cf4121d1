"""A drawn store, its gallery and a counter for tests: look-alike packs, one of them held out."""

import json
from types import SimpleNamespace

import numpy as np

from rpc.data import Category, Taxonomy
from rpc.data.images import write_image
from rpc.retrieval.gallery.gallery_edit import NewPhoto, NewSku, add_skus, create_gallery
from rpc.retrieval.gallery.gallery_state import PhotoWords
from rpc.structures import Detections
from rpc.structures.readings import Reading
from tests.features.local.packs import lying, pack

NAMES = ("blue", "green", "other", "red")
NEW = "green"
PACKS = {
    "blue": pack(label=(40, 60, 210)),
    "green": pack(label=(40, 160, 60)),
    "other": pack(family=5),
    "red": pack(label=(200, 30, 30)),
}
SIDE, SLOTS = 160, 4
BOXES = np.array([[10.0 + SIDE * n, 10, SIDE * n + 150, 150] for n in range(SLOTS)])
TRAYS = {
    "train": ["blue", "green", "other", "red"],
    "val": ["blue green red", "red other", "green green blue other", "blue", "red red green"],
    "test": ["green red blue", "other other red", "green", "blue red green other"],
}


class MeanColours:
    """A descriptor: the mean colour of a crop's middle and of the whole."""

    recipe = {"name": "mean colours"}  # noqa: RUF012

    def __call__(self, pictures):
        rows = []
        for one in pictures:
            h, w = one.shape[:2]
            middle = one[h // 3 : -(h // 3), w // 3 : -(w // 3)]
            rows.append([*middle.mean(axis=(0, 1)) - 110, *one.mean(axis=(0, 1)) - 110, 30])
        array = np.array(rows, dtype=np.float32)
        return array / np.linalg.norm(array, axis=1, keepdims=True)


def make_store(root):
    """All splits in RPC's shape; `train` holds the packs, one a photo."""
    ids = {name: n for n, name in enumerate(NAMES, start=1)}
    categories = [{"id": n, "name": name} for name, n in ids.items()]
    for split, trays in TRAYS.items():
        images, items = [], []
        for number, tray in enumerate(trays, start=1):
            names = tray.split()
            folder, file = ("exemplars", f"{tray}_camera0-1.png") if split == "train" else (
                split, f"{number}.png",
            )  # fmt: skip
            write_image(root / folder / file, photo(names, seed=number))
            images.append({"id": number, "file_name": file, "width": SIDE * SLOTS, "height": SIDE})
            for place, name in enumerate(names):
                x1, y1, x2, y2 = BOXES[place].tolist()
                box = {"image_id": number, "category_id": ids[name]}
                items.append({"id": len(items) + 1, **box, "bbox": [x1, y1, x2 - x1, y2 - y1]})
        content = {"images": images, "annotations": items, "categories": categories}
        (root / f"instances_{split}.json").write_text(json.dumps(content))
    return root


def photo(names, seed):
    """Packs side by side, each turned, in the light of the photo."""
    rgb = np.full((SIDE, SIDE * SLOTS, 3), 120, np.uint8)
    for place, name in enumerate(names):
        small = lying(PACKS[name], 20.0 * seed + 50 * place, (1 - 0.05 * seed,) * 3, seed)[::2, ::2]
        rgb[:, SIDE * place : SIDE * (place + 1)] = small
    return rgb


def make_gallery(folder):
    """All packs, with their pictures and a word on each."""
    describe = MeanColours()
    create_gallery(folder, describe.recipe, 7)
    for name, rgb in PACKS.items():
        views = [lying(rgb, degrees) for degrees in (0, 90)]
        photos = [
            NewPhoto(
                describe([view]), f"{name}_{n}.png", rgb, PhotoWords(name, (Reading(name, 0.9),))
            )
            for n, view in enumerate(views)
        ]
        add_skus(folder, describe.recipe, [NewSku(name, photos)])
    return folder


class Finds:
    """A detector: a box where something lies."""

    def predict(self, rgb):
        """Boxes of the slots that are not bare."""
        there = [box for box in BOXES if rgb[:, int(box[0]) + 70].std() > 9]
        scores = np.linspace(0.95, 0.8, len(there))
        return Detections(np.array(there).reshape(-1, 4), scores, np.zeros(len(there), np.int64))


class HalfKnows:
    """A recogniser of the SKUs that are not held out: it is fairly sure of a pack by its label."""

    def probabilities(self, rgb, boxes):
        """(N, J + 1)."""
        labels = [rgb[70:90, int(x1) + 60 : int(x1) + 80].mean(axis=(0, 1)) for x1, *_ in boxes]
        own = [PACKS[name][120:130, 80:90].mean(axis=(0, 1)) for name in NAMES if name != NEW]
        far = np.array([[np.abs(a - b).mean() for b in own] + [70.0] for a in labels])
        power = np.exp(-far.reshape(-1, len(own) + 1) / 25)
        return power / power.sum(axis=1, keepdims=True)


def counter():
    """A counter that was trained without the held-out pack."""
    known = Taxonomy([Category(n + 1, name) for n, name in enumerate(NAMES) if name != NEW])
    return SimpleNamespace(detector=Finds(), recogniser=HalfKnows(), floor=0.1, taxonomy=known)
