import numpy as np
import pytest

from rpc.checkout.pictures import gallery_picture_looks, picture_looks
from rpc.features.local.sku_pictures import pack_pictures
from rpc.recognition.second_look import LooksAgain
from rpc.retrieval.gallery.gallery_edit import NewPhoto, NewSku, add_skus, create_gallery
from rpc.retrieval.gallery.gallery_files import PICTURES
from tests.features.local.packs import lying, pack
from tests.retrieval.gallery.gallery_makers import DIMENSION, RECIPE, unit_vectors

NAMES = ("blue", "red")
SHELF = {"blue": pack(label=(40, 60, 210)), "red": pack(label=(200, 30, 30))}
BOXES = np.array([[0.0, 0, 320, 320]])


class Doubts:
    def probabilities(self, rgb, boxes):
        return np.array([[0.5, 0.4, 0.1]] * len(boxes))


def named(looks, name="red"):
    rgb = lying(SHELF[name])
    return NAMES[int(LooksAgain(Doubts(), looks).probabilities(rgb, BOXES).argmax())]


def made_gallery(folder, photos=1):
    create_gallery(folder, RECIPE, DIMENSION)
    for seed, (name, picture) in enumerate(sorted(SHELF.items(), reverse=True)):
        blocks = unit_vectors(np.random.default_rng(seed), photos, 1, DIMENSION)
        entries = [
            NewPhoto(block, f"{name}_{n}.jpg", np.roll(picture, n, axis=0))
            for n, block in enumerate(blocks)
        ]
        state = add_skus(folder, RECIPE, [NewSku(name, entries)])
    return state


def test_the_pictures_of_a_model_tell_look_alikes_apart():
    looks = picture_looks([pack_pictures([SHELF[name]]) for name in NAMES])
    assert [named(looks, name) for name in NAMES] == list(NAMES)


@pytest.mark.parametrize("pictures", [None, [(), ()]])
def test_without_pictures_nobody_compares(pictures):
    assert picture_looks(pictures) == []


def test_a_gallerys_pictures_come_in_the_order_of_the_labels(tmp_path):
    state = made_gallery(tmp_path / "gallery")
    looks = gallery_picture_looks(tmp_path / "gallery", state, NAMES)
    assert [named(looks, name) for name in NAMES] == list(NAMES)


def test_of_many_photos_some_are_compared_and_a_file_that_is_gone_is_passed_over(tmp_path):
    folder = tmp_path / "gallery"
    state = made_gallery(folder, photos=12)
    (look,) = gallery_picture_looks(folder, state, NAMES)
    assert look.compare.photos.tolist() == [8, 8]
    for sku in state.skus:
        for photo in sku.photos[1:]:
            (folder / PICTURES / photo.picture).unlink()
    (look,) = gallery_picture_looks(folder, state, NAMES)
    assert look.compare.photos.tolist() == [1, 1]
    for file in (folder / PICTURES).iterdir():
        file.unlink()
    assert gallery_picture_looks(folder, state, NAMES) == []
