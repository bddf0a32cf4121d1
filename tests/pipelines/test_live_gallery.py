"""A gallery behind a counter that serves: photos in and out, and the counter follows."""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest

from rpc.data.files import DataError
from rpc.data.images import read_image
from rpc.pipelines.gallery.live import LiveGallery
from rpc.recognition.ensemble.gallery_classifier import GalleryClassifier
from rpc.recognition.second_look import LooksAgain
from rpc.retrieval.gallery.exemplar_photos import READ
from rpc.retrieval.gallery.gallery import Gallery
from rpc.retrieval.gallery.gallery_edit import NewPhoto, NewSku, add_skus, create_gallery
from rpc.retrieval.gallery.gallery_files import read_state
from rpc.structures.readings import PackText, Reading

COLOURS = {"tea": (220, 30, 30), "soap": (30, 200, 30), "cola": (30, 30, 220)}


class MeanColour:
    """A descriptor: the mean colour of a crop, in four dimensions."""

    def __init__(self):
        self.recipe = {"name": "mean colour"}

    def __call__(self, pictures):
        rows = [[*np.mean(one, axis=(0, 1)) - 128, 40] for one in pictures]
        array = np.array(rows, dtype=np.float32)
        return array / np.linalg.norm(array, axis=1, keepdims=True)


@dataclass(frozen=True, eq=False)
class Photo:
    sku: str
    source: str
    rgb: np.ndarray
    title: str = ""
    box: tuple[float, float, float, float] | None = (10, 10, 50, 50)


def photo(sku, source="new.jpg", colour=None, shift=0):
    rgb = np.full((60, 60, 3), 235, np.uint8)
    rgb[8:52, 8:52] = np.clip(np.array(colour or COLOURS[sku]) + shift, 0, 255)
    return Photo(sku, source, rgb, sku.title())


@pytest.fixture
def live(tmp_path):
    describe = MeanColour()
    create_gallery(tmp_path, describe.recipe, 4)
    for sku in ("soap", "tea"):
        block = describe([photo(sku).rgb[8:52, 8:52]])
        add_skus(tmp_path, describe.recipe, [NewSku(sku, [NewPhoto(block, f"{sku}.jpg")])])

    def load():
        classifier = GalleryClassifier(Gallery.open(tmp_path, describe.recipe), describe)
        return SimpleNamespace(recogniser=LooksAgain(classifier, ()), taxonomy=classifier.taxonomy)

    return LiveGallery(tmp_path, load, lambda: lambda rgb: PackText((Reading("OATS", 0.9),)))


def named(counter, sku):
    shares = counter.recogniser.probabilities(photo(sku).rgb, np.array([[10.0, 10, 50, 50]]))[0]
    return (*counter.taxonomy.names, "none")[int(shares.argmax())]


def test_a_product_is_named_once_its_photo_is_in_and_the_counter_was_loaded_again(live):
    assert live.add([photo("cola")]) == ()
    assert named(live.counter, "cola") != "cola"
    assert named(live.reloaded(), "cola") == "cola"
    assert (live.photos()["cola"], live.generation()) == (1, 4)
    assert live.picture("cola").startswith(b"\xff\xd8")
    assert live.picture("bread") is None


def test_the_most_colourful_picture_of_a_product_is_shown(live):
    live.add([photo("cola", "end.jpg", colour=(90, 90, 90))])
    grey = live.picture("cola")
    live.add([photo("cola", "front.jpg", colour=(220, 20, 20))])
    front = live.picture("cola")
    live.add([photo("cola", "back.jpg", colour=(120, 100, 100))])
    assert grey != front == live.picture("cola")


def test_a_thumbnail_is_chosen_once_until_the_photos_of_its_product_change(live, monkeypatch):
    opened = []
    monkeypatch.setattr(
        "rpc.pipelines.gallery.live.read_image",
        lambda path: opened.append(path) or read_image(path),
    )
    live.add([photo("cola", "a.jpg")])
    first = live.picture("cola")
    assert (live.picture("cola"), len(opened)) == (first, 1)
    live.add([photo("soap", "b.jpg", shift=9)])
    assert (live.picture("cola"), len(opened)) == (first, 1)
    live.add([photo("cola", "c.jpg", shift=9)])
    live.picture("cola")
    assert len(opened) == 3


def words(folder):
    return {sku.name: [one.source for one in sku.words] for sku in read_state(folder).skus}


def test_new_photos_are_read_later_and_kept_with_one_change(live, tmp_path):
    live.add([photo("cola", "a.jpg"), photo("cola", "b.jpg", shift=9)])
    before = live.generation()
    assert (live.unread(), words(tmp_path)["cola"]) == (2, [])
    assert live.read_one() == {}
    assert live.read_one() == {"cola": 2}
    assert (live.unread(), live.generation()) == (0, before + 1)
    assert words(tmp_path) == {"cola": ["a.jpg", "b.jpg"], "soap": [], "tea": []}
    assert read_state(tmp_path).sku("cola").words[0].readings[0].text == "OATS"
    assert live.read_one() == {}


def test_eight_photos_of_a_product_are_read_and_those_taken_out_meanwhile_are_not_kept(
    live, tmp_path
):
    live.add([photo("cola", f"{n}.jpg", shift=-n) for n in range(7)])
    live.add([photo("cola", f"{n}.jpg", shift=-n) for n in range(7, 20)])
    assert live.unread() == READ == 8
    live.take_out({"cola": ["0.jpg", "3.jpg"]})
    while live.unread():
        told = live.read_one()
    assert told == {"cola": 6}
    assert words(tmp_path)["cola"] == ["1.jpg", "2.jpg", "4.jpg", "5.jpg", "6.jpg", "7.jpg"]
    live.add([photo("cola", f"{n}.jpg", shift=-n) for n in range(20, 24)])
    assert live.unread() == 2


def test_without_a_reader_no_photo_waits(live, tmp_path):
    other = LiveGallery(tmp_path, lambda: live.counter)
    other.add([photo("cola")])
    assert (other.unread(), other.read_one()) == (0, {})


def test_the_same_photo_again_is_told_and_changes_nothing(live):
    live.add([photo("cola")])
    before = live.generation()
    assert live.add([photo("cola", "again.jpg")]) == ("again.jpg",)
    assert live.generation() == before


def test_what_went_in_comes_out_and_nothing_else(live, tmp_path):
    before = live.photos()
    live.add([photo("cola"), photo("tea", "more.jpg", shift=9)])
    live.take_out({"cola": ["new.jpg"], "tea": ["more.jpg", "never.jpg"]})
    assert live.photos() == before
    assert {sku.name for sku in read_state(tmp_path).skus} == {"soap", "tea"}
    with pytest.raises(DataError, match="only photos"):
        live.take_out({"soap": ["soap.jpg"], "tea": ["tea.jpg"]})


def test_crops_agree_that_are_more_alike_than_either_is_to_another_product(live):
    cola = [photo("cola", f"{n}", shift=n) for n in (0, 6)]
    mistake = photo("cola", "2", COLOURS["soap"])
    agreement = live.agreement([*cola, mistake])
    assert agreement.tolist() == [[True, True, False], [True, True, False], [False, False, True]]


def test_a_counter_without_a_gallery_is_refused(tmp_path, live):
    with pytest.raises(DataError, match="without a gallery"):
        LiveGallery(tmp_path, lambda: SimpleNamespace(recogniser=None))
