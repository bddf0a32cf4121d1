"""Drawn trays, detectors good and poor, and mistakes put into their results."""

from dataclasses import dataclass, replace

import numpy as np

from rpc.counting import CountingRule
from rpc.data import Annotation, Category, Dataset, ImageInfo, Taxonomy
from rpc.reporting.evaluation.reading import CountedCarts, read_boxes, read_carts
from rpc.reporting.evaluation.results import Results
from rpc.reporting.evaluation.suspicious import suspicions_of


def trays(seed, images=40, skus=12, most=12, sizes=((1280, 960),), gap=1, first=1, image_first=100):
    """Trays of 3 to `most` items; names of SKUs and files sort otherwise than ids."""
    rng = np.random.default_rng([seed, 5])
    infos, items = [], []
    names = rng.permutation(images)
    for n in range(images):
        width, height = sizes[int(rng.integers(len(sizes)))]
        infos.append(ImageInfo(image_first + n, f"tray_{names[n]:03}.jpg", width, height))
        for _ in range(int(rng.integers(3, most + 1))):
            w, h = rng.uniform(0.08, 0.22, 2) * min(width, height)
            x, y = rng.uniform(0, [width - w, height - h])
            sku = first + gap * int(rng.integers(skus))
            box = tuple(np.round([x, y, x + w, y + h], 2).tolist())
            items.append(Annotation(len(items) + 1, image_first + n, sku, box, float(w * h)))
    order = rng.permutation(skus)
    taxonomy = Taxonomy([Category(first + gap * k, f"sku {order[k]:02}") for k in range(skus)])
    return Dataset(infos, items, taxonomy)


@dataclass(frozen=True)
class Detector:
    """How good a drawn detector is: shares of items found and named rightly, pixels off, ..."""

    recall: float = 0.95
    named: float = 0.97
    off: float = 0.05  # of a box's size
    false: float = 0.3  # boxes beside everything, for each item
    cut: float = 0.0  # scores below are not written


GOOD = Detector()
POOR = {
    "good": GOOD,
    "perfect boxes": Detector(1, 1, 0, 0),
    "half is wrong": Detector(0.5, 0.5, 0.1, 1.0),
    "low mAP": Detector(0.3, 0.6, 0.25, 1.5),
    "SKUs confused 60 %": Detector(0.9, 0.4, 0.06, 0.3),
    "few boxes": Detector(0.15, 0.8, 0.1, 0.0),
    "loose boxes": Detector(0.9, 0.9, 0.35, 0.5),
}


def detect(dataset, seed, detector=GOOD, siblings=False):
    """Results of a detector on these trays."""
    rng = np.random.default_rng([seed, 9])
    rows, labels = dataset.places()
    corners = np.array([a.bbox for a in dataset.annotations])
    sizes = np.array([(i.width, i.height) for i in dataset.images], float)
    skus = len(dataset.taxonomy)
    found = rng.random(len(rows)) < detector.recall
    rows, labels, corners = rows[found], labels[found].copy(), corners[found]
    boxes = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)
    boxes = boxes + rng.normal(0, 1, boxes.shape) * np.tile(boxes[:, 2:], 2) * detector.off
    wrong = rng.random(len(rows)) > detector.named
    other = labels ^ 1 if siblings else rng.integers(0, skus, len(rows))
    labels[wrong] = np.minimum(other, skus - 1)[wrong]
    scores = rng.beta(6, 2, len(rows))
    extra = int(detector.false * len(dataset.annotations))
    beside = rng.integers(0, len(dataset), extra)
    sides = rng.uniform(0.05, 0.25, (extra, 2)) * sizes[beside].min(axis=1, keepdims=True)
    places = rng.random((extra, 2)) * (sizes[beside] - sides)
    rows = np.concatenate([rows, beside])
    labels = np.concatenate([labels, rng.integers(0, skus, extra)])
    boxes = np.concatenate([boxes, np.concatenate([places, sides], axis=1)])
    boxes[:, 2:] = np.maximum(boxes[:, 2:], 1)
    scores = np.concatenate([scores, rng.beta(1.2, 5, extra)])
    order = rng.permutation(len(rows))
    order = order[scores[order] >= detector.cut]
    return Results(rows[order], labels[order], boxes[order].round(2), scores[order], dataset)


def random_boxes(dataset, seed):
    """Boxes anywhere, of any SKU."""
    return detect(dataset, seed, Detector(recall=0.0, false=1.5))


def in_another_form(results, convert, share=1.0, seed=0):
    """Some of the boxes written by `convert(boxes, sizes)`."""
    sizes = np.array([(i.width, i.height) for i in results.dataset.images], float)[results.rows]
    some = np.random.default_rng(seed).random(len(results)) < share
    boxes = np.where(some[:, None], convert(results.boxes, sizes), results.boxes)
    boxes[:, 2:] = np.maximum(boxes[:, 2:], 0)  # as the reader demands
    return replace(results, boxes=boxes)


def told(results, threshold=0.5):
    """What is suspected of results, by kind."""
    reading = read_boxes(results, CountingRule.plain(threshold))
    return {one.kind: one for one in suspicions_of(results.dataset, reading)}


def told_of_counts(dataset, counts):
    """What is suspected of shopping lists, by kind."""
    reading = read_carts(CountedCarts(np.asarray(counts), None, 0))
    return {one.kind: one for one in suspicions_of(dataset, reading)}


def _letterbox(b, s, side=640.0):
    ratio = side / s.max(axis=1, keepdims=True)
    padding = (side - s * ratio) / 2
    return np.concatenate([b[:, :2] * ratio + padding, b[:, 2:] * ratio], axis=1)


def _corners(b):
    return np.concatenate([b[:, :2], b[:, :2] + b[:, 2:]], axis=1)


def _centre(b):
    return np.concatenate([b[:, :2] + b[:, 2:] / 2, b[:, 2:]], axis=1)


def _norm(b, s):
    return b / np.tile(s, 2)


FORMS = {  # how boxes are written, and what must be said
    "corners": (lambda b, s: _corners(b), "x1, y1, x2, y2 (corners) in pixels"),
    "centre": (lambda b, s: _centre(b), "centre x, centre y, width, height in pixels"),
    "0..1": (_norm, "x, y, width, height from 0 to 1"),
    "YOLO": (lambda b, s: _centre(_norm(b, s)), "centre x, centre y, width, height from 0 to 1"),
    "corners 0..1": (lambda b, s: _corners(_norm(b, s)), "(corners) from 0 to 1"),
    "percent": (lambda b, s: 100 * _norm(b, s), "x, y, width, height from 0 to 100"),
    "0..1000": (lambda b, s: 1000 * _norm(b, s), "from 0 to 1000"),
    "half": (lambda b, s: b / 2, "scaled by 0.5"),
    "double": (lambda b, s: b * 2, "scaled by 2"),
    "0.37": (lambda b, s: b * 0.37, "scaled by 0.3"),
    "y before x": (lambda b, s: b[:, [1, 0, 3, 2]], "y, x, height, width"),
    "y1 x1 y2 x2": (lambda b, s: _corners(b)[:, [1, 0, 3, 2]], "y1, x1, y2, x2"),
    "x1 x2 y1 y2": (lambda b, s: _corners(b)[:, [0, 2, 1, 3]], "x1, x2, y1, y2"),
    "letterbox": (_letterbox, "640 x 640 square with the photo in its middle"),
    "letterbox corners": (lambda b, s: _corners(_letterbox(b, s)), "640 x 640 square"),
    "letterbox centre": (lambda b, s: _centre(_letterbox(b, s)), "640 x 640 square"),
    "stretched": (lambda b, s: 640 * _norm(b, s), "stretched to 640 x 640"),
    "turned left": (
        lambda b, s: np.stack([b[:, 1], s[:, 0] - b[:, 0] - b[:, 2], b[:, 3], b[:, 2]], axis=1),
        "turned left by 90",
    ),
    "turned right": (
        lambda b, s: np.stack([s[:, 1] - b[:, 1] - b[:, 3], b[:, 0], b[:, 3], b[:, 2]], axis=1),
        "turned right by 90",
    ),
    "upside down": (
        lambda b, s: np.concatenate([s - b[:, :2] - b[:, 2:], b[:, 2:]], axis=1),
        "turned by 180",
    ),
    "mirrored": (
        lambda b, s: np.concatenate([s[:, :1] - b[:, :1] - b[:, 2:3], b[:, 1:]], axis=1),
        "mirrored left to right",
    ),
    "moved": (lambda b, s: b + np.array([150.0, -80.0, 0.0, 0.0]), "moved by"),
}
