"""What a gallery's counter counts is chosen on what it sees: second looks and repeats included."""

from types import SimpleNamespace

import numpy as np
import pytest

from rpc.checkout.seen import see
from rpc.data import Annotation, Category, Dataset, ImageInfo, Taxonomy
from rpc.data.images import write_image
from rpc.pipelines.gallery import counting
from rpc.pipelines.gallery.counting import choose_counting, items_of, seen_by_counter
from rpc.pipelines.gallery.trays import SeenTray
from rpc.retrieval.gallery.open_set import OpenSet
from rpc.structures import Detections

SKUS = Taxonomy([Category(n + 1, name) for n, name in enumerate("abc")])
CLASSIFIER = SimpleNamespace(taxonomy=SKUS, known=np.full(3, -1))
BOXES = np.array([[0.0, 0, 20, 20], [30, 0, 50, 20], [60, 0, 80, 20]])
# Seen on every tray: surely a, hardly told from b, surely c.
ROWS = np.array([[0.96, 0.01, 0.01, 0.02], [0.44, 0.5, 0.04, 0.02], [0.01, 0.01, 0.96, 0.02]])


def dataset(trays, skus=SKUS):
    """Trays with these SKUs in the three boxes."""
    images = [ImageInfo(n, f"{n}.png", 90, 30) for n in range(1, len(trays) + 1)]
    items = [
        Annotation(10 * n + at, n, skus.by_name(name).id, tuple(BOXES[at]), 400.0)
        for n, names in enumerate(trays, start=1)
        for at, name in enumerate(names)
    ]
    return Dataset(tuple(images), tuple(items), skus)


def seen(count):
    found = Detections(BOXES, np.array([0.9, 0.8, 0.7]), np.zeros(3, np.int64))
    return [see(found, ROWS) for _ in range(count)]


def counts(chosen, trays):
    found = [one.with_repeats(chosen.rule.repeat_gain).detections for one in trays]
    return chosen.rule.counts(found, 3).tolist()


def test_repeats_are_chosen_with_the_rule_and_doubt_with_both():
    trays = seen(8)
    chosen = choose_counting(dataset(["aac"] * 8), CLASSIFIER, trays)
    assert chosen.rule.repeat_gain > 0
    assert counts(chosen, trays) == [[2, 0, 1]] * 8
    assert (chosen.doubt.trays, chosen.doubt.chosen_on) == (8, "val")
    other = choose_counting(dataset(["abc"] * 8), CLASSIFIER, trays)
    assert other.rule.repeat_gain == 0
    assert counts(other, trays) == [[1, 1, 1]] * 8


def test_an_item_that_the_gallery_lacks_is_none_of_its_skus():
    more = Taxonomy([Category(7, "new"), *SKUS.categories])
    trays = seen(8)
    known = choose_counting(dataset(["abc"] * 8), CLASSIFIER, trays)
    lacking = choose_counting(dataset([["a", "new", "c"]] * 8, more), CLASSIFIER, trays)
    assert lacking.doubt.calibration != known.doubt.calibration  # every tray is wrong in b


@pytest.mark.parametrize("photos", [True, False])
def test_only_what_is_in_doubt_is_looked_at_again_and_only_then_is_a_photo_read(
    tmp_path, monkeypatch, photos
):
    asked = []

    class Reads:
        def observe(self, crop):
            asked.append(crop.shape)

        def judge(self, observed, probabilities):
            return np.array([[0.0, 0, 1, 0]] * len(observed))

    monkeypatch.setattr(counting, "probabilities", lambda *_: ROWS)
    found = Detections(BOXES, np.array([0.9, 0.8, 0.7]), np.zeros(3, np.int64))
    tray = SeenTray(found, np.zeros((3, 4)), np.zeros((3, 3)), None)
    path = tmp_path / "tray.png"
    if photos:
        write_image(path, np.zeros((30, 90, 3), np.uint8))
    looks = [Reads()] if photos else []
    items = items_of([tray], [path])
    (got,) = seen_by_counter([tray], items, CLASSIFIER, OpenSet(), None, looks)
    names = sorted(got.detections.labels.tolist())
    assert names == ([0, 2, 2] if photos else [0, 1, 2])
    assert asked == ([(21, 22, 3)] if photos else [])
