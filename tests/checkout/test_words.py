import numpy as np
import pytest

from rpc.checkout import words as counter_words
from rpc.checkout.words import reading_classifier, words_of_gallery
from rpc.features.text.sku_words import SkuWords
from rpc.recognition.second_look import LooksAgain
from rpc.retrieval.gallery.gallery_edit import add_photos
from rpc.structures.readings import Reading
from tests.features.text.fake_reader import FakeReader
from tests.retrieval.gallery.gallery_makers import RECIPE, make_gallery
from tests.retrieval.gallery.test_gallery_words import with_words

NAMES = ("tea", "mint tea")
WORDS = [SkuWords((Reading("BLACK", 0.9),), 8), SkuWords((Reading("MINT", 0.9),), 8)]


class Doubts:
    def probabilities(self, rgb, boxes):
        return np.array([[0.5, 0.4, 0.1]] * len(boxes))


@pytest.fixture
def installed(monkeypatch):
    monkeypatch.setattr(counter_words, "missing_reader", lambda: "")
    monkeypatch.setattr(counter_words, "shared_reader", lambda: FakeReader({90: ["MINT"]}))


def test_words_of_the_exemplars_make_a_classifier_read(installed):
    reads, note = reading_classifier(Doubts(), NAMES, WORDS)
    assert isinstance(reads, LooksAgain)
    assert note == ""
    found = reads.probabilities(np.full((30, 30, 3), 90, np.uint8), np.array([[5.0, 5, 25, 25]]))
    assert found.argmax() == 1


@pytest.mark.parametrize("words", [None, [SkuWords(), SkuWords()]])
def test_without_words_a_classifier_stays_as_it_is(installed, words):
    first = Doubts()
    assert reading_classifier(first, NAMES, words) == (first, "")


def test_without_the_reader_it_stays_as_it_is_and_that_is_told(monkeypatch):
    monkeypatch.setattr(counter_words, "missing_reader", lambda: "no reader")
    first = Doubts()
    assert reading_classifier(first, NAMES, WORDS) == (first, "no reader")


def test_a_gallerys_words_come_in_the_order_of_the_labels(tmp_path):
    state, _ = add_photos(make_gallery(tmp_path), RECIPE, [with_words("milk")])
    words = words_of_gallery(state, ("tea", "milk"))
    assert words[0] == SkuWords()
    assert words[1] == SkuWords((Reading("OAT", 0.75),), 2, ("04006381333931",))
