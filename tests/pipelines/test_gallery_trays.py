"""Trays that were seen once are compared again with a gallery, without another look."""

import numpy as np

from rpc.pipelines.gallery.trays import SeenTray, compared_again, comparison_of
from rpc.recognition.ensemble.gallery_classifier import GalleryClassifier
from rpc.retrieval.gallery.gallery import Gallery
from rpc.retrieval.gallery.gallery_edit import NewPhoto, NewSku, add_skus, create_gallery
from rpc.structures import Detections

RECIPE = {"name": "invented"}


class NeverAsked:
    recipe = RECIPE

    def __call__(self, pictures):
        raise AssertionError("a tray is described once")


def unit(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def test_settings_are_learnt_from_all_trays_and_change_similarities_alone(tmp_path):
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(6, 12))
    create_gallery(tmp_path, RECIPE, 12)
    photos = unit(centres[:, None] + rng.normal(size=(6, 4, 12)))
    add_skus(
        tmp_path,
        RECIPE,
        [NewSku(f"sku_{n}", [NewPhoto(row[None]) for row in photos[n]]) for n in range(6)],
    )
    gallery = Gallery.open(tmp_path)
    plain = GalleryClassifier(gallery, NeverAsked())
    trays = []
    for count in (0, 25, 20):
        boxes = np.tile([0.0, 0, 9, 9], (count, 1))
        rows = unit(rng.normal(size=(count, 12)) + 1)
        found = Detections(boxes, np.full(count, 0.9), np.zeros(count, int))
        trays.append(SeenTray(found, rows, plain.similarities_of(rows), None))
    comparison = comparison_of(trays, gallery)
    assert comparison.camera.crops == 45
    assert comparison.scatter is not None
    tuned = plain.with_comparison(comparison)
    for old, new in zip(trays, compared_again(trays, tuned), strict=True):
        assert new.found is old.found
        assert new.embeddings is old.embeddings
        expected = comparison.similarities(old.embeddings)
        np.testing.assert_array_equal(new.similarities, expected)
    again = compared_again(compared_again(trays, tuned), plain)
    np.testing.assert_array_equal(again[1].similarities, trays[1].similarities)
    assert not np.allclose(expected, trays[2].similarities, atol=0.01)
