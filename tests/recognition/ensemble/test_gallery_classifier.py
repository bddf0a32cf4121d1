"""Naming by a gallery of invented descriptors: what a crop's colour is decides it."""

import numpy as np
import pytest

from rpc.checkout import Checkout
from rpc.counting import CountingRule
from rpc.data.files import DataError
from rpc.recognition.ensemble.gallery_classifier import GalleryClassifier
from rpc.recognition.ensemble.gallery_tuning import choose_settings, labels_of_boxes
from rpc.retrieval.gallery.fusion import Fusion
from rpc.retrieval.gallery.gallery import Gallery
from rpc.retrieval.gallery.gallery_edit import (
    NewPhoto,
    NewSku,
    add_skus,
    create_gallery,
    remove_skus,
    set_setting,
)
from rpc.retrieval.gallery.open_set import OpenSet
from rpc.structures import Detections

RED, GREEN, BLUE, BLACK = (200, 0, 0), (0, 200, 0), (0, 0, 200), (0, 0, 0)
COLOURS = {"red": RED, "green": GREEN, "blue": BLUE}


RECIPE = {"name": "mean colour"}


class MeanColour:
    recipe = RECIPE

    def __call__(self, pictures):
        if not pictures:
            return np.zeros((0, 3), np.float32)
        means = np.stack([p.reshape(-1, 3).mean(axis=0) for p in pictures])
        return (means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-9)).astype(
            np.float32
        )


def block(colour):
    return np.full((10, 10, 3), colour, np.uint8)


def tray(*colours):
    """Blocks of 20 px side by side, and their boxes."""
    rgb = np.concatenate([np.full((20, 20, 3), c, np.uint8) for c in colours], axis=1)
    boxes = np.array([[20 * n, 0, 20 * n + 20, 20] for n in range(len(colours))], float)
    return rgb, boxes


@pytest.fixture
def folder(tmp_path):
    create_gallery(tmp_path, MeanColour.recipe, 3)
    for number, (name, colour) in enumerate(COLOURS.items()):
        embeddings = MeanColour()([block(colour)])
        # Ids against the order of the names: labels go by id.
        add_skus(
            tmp_path, MeanColour.recipe, [NewSku(name, [NewPhoto(embeddings)], "", 9 - number)]
        )
    return tmp_path


def classifier(folder, **more):
    return GalleryClassifier(Gallery.open(folder), MeanColour(), OpenSet(0.9, 0.05), **more)


def test_a_box_gets_the_sku_of_its_exemplar_and_an_unknown_is_in_none(folder):
    names = classifier(folder)
    rgb, boxes = tray(BLUE, RED, GREEN, (120, 120, 0), BLACK)
    found = names.probabilities(rgb, boxes)
    assert found.shape == (5, 4)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    named = [(*names.taxonomy.names, "none")[label] for label in found.argmax(axis=1)]
    assert named == ["blue", "red", "green", "none", "none"]


def test_no_box_gives_no_row(folder):
    assert classifier(folder).probabilities(tray(RED)[0], np.zeros((0, 4))).shape == (0, 4)


def test_a_product_is_counted_as_soon_as_its_photos_are_in(folder):
    class Finds:
        def predict(self, rgb):
            boxes = tray(RED, GREEN, BLUE)[1]
            return Detections(boxes, np.full(3, 0.9), np.zeros(3, int))

        def predict_batch(self, photos):
            return [self.predict(rgb) for rgb in photos]

    rgb = tray(RED, GREEN, BLUE)[0]
    remove_skus(folder, ["green"])

    def counted():
        names = classifier(folder)
        checkout = Checkout(Finds(), names.taxonomy, names, CountingRule(0.5))
        labels = checkout.counted(rgb).labels.tolist()
        return sorted(names.taxonomy.names[label] for label in labels)

    assert counted() == ["blue", "red"]
    green = NewSku("green", [NewPhoto(MeanColour()([block(GREEN)]))])
    add_skus(folder, MeanColour.recipe, [green])
    assert counted() == ["blue", "green", "red"]


class SaysRed:
    """Knows red and a product that the gallery does not have."""

    def probabilities(self, rgb, boxes):
        return np.tile([0.05, 0.9, 0.05], (len(boxes), 1))


def test_a_recogniser_speaks_for_the_skus_it_knows(folder):
    rgb, boxes = tray((200, 190, 0))  # between red and green, a little nearer to red
    both = classifier(
        folder, recogniser=SaysRed(), recogniser_names=("other", "red"), fusion=Fusion(0.5, 0.05)
    )
    assert both.known.tolist() == [-1, -1, 1]  # blue (7), green (8), red (9)
    alone = classifier(folder).probabilities(rgb, boxes)[0]
    joined = both.probabilities(rgb, boxes)[0]
    assert joined.sum() == pytest.approx(1)
    assert joined[2] > alone[2]


def test_settings_chosen_for_a_gallery_are_taken_from_it(folder):
    set_setting(folder, "open_set", {"threshold": 0.7, "temperature": 0.1, "chosen_on": "val"})
    set_setting(folder, "fusion", {"weight": 0.4, "novelty": 0.2})
    names = GalleryClassifier(Gallery.open(folder), MeanColour())
    assert (names.open_set, names.fusion) == (OpenSet(0.7, 0.1), Fusion(0.4, 0.2))


def test_what_is_missing_or_damaged_is_told_in_one_line(folder, tmp_path_factory):
    with pytest.raises(DataError, match="tune"):
        classifier(folder, recogniser=SaysRed(), recogniser_names=("other", "red"))
    set_setting(folder, "open_set", {"threshold": 7, "temperature": 0.1})
    with pytest.raises(DataError, match="threshold"):
        GalleryClassifier(Gallery.open(folder), MeanColour())
    empty = tmp_path_factory.mktemp("empty")
    create_gallery(empty, MeanColour.recipe, 3)
    with pytest.raises(DataError, match="empty"):
        classifier(empty)


def test_found_boxes_get_the_label_of_the_item_they_lie_on():
    items = np.array([[0, 0, 10, 10], [20, 0, 30, 10]], float)
    boxes = np.array([[0, 0, 10, 9], [21, 0, 31, 10], [5, 0, 25, 10], [50, 50, 60, 60]], float)
    assert labels_of_boxes(boxes, items, np.array([4, 2]), 7).tolist() == [4, 2, 7, 7]
    assert labels_of_boxes(boxes, items[:0], np.array([], int), 7).tolist() == [7] * 4
    assert labels_of_boxes(boxes[:0], items, np.array([4, 2]), 7).tolist() == []


def test_the_threshold_minds_unknown_products_where_there_are_enough_and_never_strays():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], 20)
    table = np.full((60, 3), 0.4) + rng.normal(0, 0.02, (60, 3))
    table[np.arange(60), labels] = 0.9
    chosen = choose_settings(table, labels)
    assert chosen.open_set.threshold == 0.9  # all the known ones reach it
    assert (chosen.facts["unknown_boxes"], chosen.facts["left_out_rejected"]) == (0, 1)
    strays = choose_settings(np.r_[table, np.ones((30, 3))], np.r_[labels, np.full(30, 4)])
    assert strays.open_set == chosen.open_set
    unknowns = np.full((30, 3), 0.7)
    more = choose_settings(np.r_[table, unknowns], np.r_[labels, np.full(30, 3)])
    assert 0.7 < more.open_set.threshold < 0.9
    assert (more.facts["rule"], more.facts["unknown_boxes"]) == ("known and unknown", 30)
    assert (more.facts["known_accepted"], more.facts["unknown_rejected"]) == (1, 1)
    with pytest.raises(ValueError, match="no box"):
        choose_settings(unknowns, np.full(30, 3))


def test_one_sku_without_an_unknown_keeps_its_boxes():
    chosen = choose_settings(np.array([[0.8], [0.6]]), np.array([0, 0]))
    assert chosen.open_set.threshold == 0.6


def test_what_all_crops_of_a_camera_share_is_no_evidence(folder):
    colours = [(150, 130, 20), (150, 20, 130), (150, 128, 24), (150, 24, 128)]
    rgb, boxes = tray(*colours)  # green and blue things under a red lamp
    names = GalleryClassifier(Gallery.open(folder), MeanColour(), OpenSet(-1, 0.05))
    truth = ["green", "blue", "green", "blue"]

    def named(asked):
        found = asked.similarities(rgb, boxes).argmax(axis=1)
        return [names.taxonomy.names[label] for label in found]

    assert named(names) == ["red"] * 4
    mean = names.embeddings(rgb, boxes).mean(axis=0).round(4).tolist()
    set_setting(folder, "camera", {"mean": mean, "crops": 40, "share": 0.5})
    tuned = GalleryClassifier(Gallery.open(folder), MeanColour(), OpenSet(-1, 0.05))
    assert named(tuned) == truth
    assert named(tuned.with_comparison(names.comparison)) == ["red"] * 4
    assert named(tuned) == truth


def test_a_camera_of_another_size_is_refused(folder):
    set_setting(folder, "camera", {"mean": [0.1, 0.1], "crops": 40, "share": 0.5})
    with pytest.raises(DataError, match="camera: mean: expected 3 numbers; tune it anew"):
        classifier(folder)
