"""One truth for all layouts of exports, and the files that they are made of."""

import functools
import json
from dataclasses import dataclass

import cv2
import numpy as np

WIDTH, HEIGHT = 240, 180
COLA, TEA = (68, 48, 162, 142), (10, 20, 50, 90)


@dataclass(frozen=True)
class Truth:
    """A photo of the truth: `items` are pairs of a SKU's name and a box xyxy in pixels."""

    split: str
    name: str
    items: tuple = ()


# One name in two splits: readers must not take one photo for the other.
SPLIT_TRUTH = (
    Truth("train", "a.jpg", (("cola", COLA),)),
    Truth("train", "b b.jpg", (("grüner tee", TEA),)),
    Truth("val", "a.jpg", (("cola", COLA), ("grüner tee", TEA))),
    Truth("test", "d.jpg", (("cola", TEA), ("cola", COLA), ("grüner tee", (0, 0, 240, 180)))),
)
FLAT_TRUTH = (
    Truth("", "a.jpg", (("cola", COLA),)),
    Truth("", "b b.jpg", (("grüner tee", TEA),)),
    Truth("", "c.jpg", (("cola", COLA), ("grüner tee", TEA))),
)
NAMES = ("cola", "grüner tee")


def write_photo(path):
    """A photo of noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(photo_bytes())


@functools.cache
def photo_bytes():
    """A JPEG file."""
    rgb = np.random.default_rng(0).integers(180, 212, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    return cv2.imencode(".jpg", rgb)[1].tobytes()


def write_text(path, text):
    """Write a text file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def write_json(path, value):
    """Write a JSON file and the folders above it."""
    write_text(path, json.dumps(value, ensure_ascii=False))


def by_split(truth):
    """The photos of each split."""
    return {split: [p for p in truth if p.split == split] for split in ("train", "val", "test")}
