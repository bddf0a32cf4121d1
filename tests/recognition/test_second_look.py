import numpy as np
import pytest

from rpc.features.text.sku_words import SkuWords
from rpc.recognition.second_look import LooksAgain, ObservedItems
from rpc.recognition.word_look import WordLook
from rpc.structures.readings import Reading
from tests.features.text.fake_reader import FakeReader

NAMES = ("fizzo cherry", "fizzo orange", "4006381333931")
WORDS = [
    *(SkuWords((Reading(name, 1.0),), 8) for name in NAMES[:2]),
    SkuWords((), 8, ("06291041500213",)),
]
BOXES = np.array([[0, 0, 20, 20], [30, 0, 50, 20], [60, 0, 80, 20]], float)
CHERRY, ORANGE, CODE, OTHER_CODE, NOTHING = 10, 20, 30, 40, 50
READER = {CHERRY: ["CHERRY"], ORANGE: ["ORAN6E"]}
CODES = {CODE: ["06291041500213"], OTHER_CODE: ["00036000291452"]}


def photo(*reds):
    rgb = np.zeros((20, 90, 3), np.uint8)
    for red, (x1, _, x2, _) in zip(reds, BOXES.astype(int), strict=False):
        rgb[:, max(x1 - 4, 0) : x2 + 4, 0] = red
    return rgb


class Fixed:
    """Says what it was told."""

    def __init__(self, rows):
        self.rows = np.array(rows, float)

    def probabilities(self, rgb, boxes):
        return self.rows[: len(boxes)]


def look(codes=CODES):
    return WordLook(FakeReader(READER, codes), NAMES, WORDS)


def test_words_settle_what_is_in_doubt():
    rows = [[0.45, 0.5, 0.03, 0.02], [0.5, 0.4, 0.05, 0.05], [0.4, 0.4, 0.1, 0.1]]
    joined = LooksAgain(Fixed(rows), [look()])
    found = joined.probabilities(photo(CHERRY, ORANGE, NOTHING), BOXES)
    assert found.argmax(axis=1).tolist()[:2] == [0, 1]
    assert found[0, 0] > 0.8
    np.testing.assert_array_equal(found[2], rows[2])  # nothing legible: as it was
    np.testing.assert_allclose(found.sum(axis=1), 1)


def test_only_what_is_in_doubt_is_read():
    words = look()
    joined = LooksAgain(Fixed([[0.99, 0.01, 0, 0], [0.5, 0.5, 0, 0], [0, 0, 0, 1.0]]), [words])
    found = joined.probabilities(photo(ORANGE, ORANGE, CHERRY), BOXES)
    assert words.read.asked == 1
    assert found[0].tolist() == [0.99, 0.01, 0, 0]


def test_without_a_doubt_or_a_box_nobody_reads():
    words = look()
    joined = LooksAgain(Fixed([[1.0, 0, 0, 0]]), [words])
    joined.probabilities(photo(CHERRY), BOXES[:1])
    assert joined.probabilities(photo(), BOXES[:0]).shape == (0, 4)
    assert words.read.asked == 0


def test_a_barcode_of_a_sku_decides():
    rows = [[0.6, 0.3, 0.05, 0.05]] * 2
    found = LooksAgain(Fixed(rows), [look()]).probabilities(photo(CODE, OTHER_CODE), BOXES[:2])
    assert found[0, 2] > 0.998
    np.testing.assert_array_equal(found[1], rows[1])  # nobody's code says nothing
    np.testing.assert_allclose(found.sum(axis=1), 1)


def test_a_name_that_is_a_code_needs_no_exemplar_with_it():
    reads = look({CODE: ["04006381333931"]})
    read = reads.observe(photo(CODE)[:20, :20])
    found = reads.judge([read], np.array([[0.6, 0.3, 0.05, 0.05]]))
    assert found[0].argmax() == 2


def test_several_looks_come_one_after_the_other():
    class Settles:
        def observe(self, crop):
            return None

        def judge(self, observed, probabilities):
            return np.array([[0.0, 1.0, 0, 0]] * len(observed))

    words = look()
    joined = LooksAgain(Fixed([[0.5, 0.5, 0, 0]]), [Settles(), words])
    assert joined.probabilities(photo(CHERRY), BOXES[:1])[0, 1] == 1
    assert words.read.asked == 0


def test_a_batch_is_as_photo_by_photo():
    rows = [[0.45, 0.5, 0.03, 0.02], [0.5, 0.4, 0.05, 0.05]]
    joined = LooksAgain(Fixed(rows), [look()])
    photos = [photo(CHERRY, ORANGE), photo(ORANGE, ORANGE)]
    at_once = joined.batch_probabilities(photos, [BOXES[:2], BOXES[:1]])
    for rgb, boxes, found in zip(photos, [BOXES[:2], BOXES[:1]], at_once, strict=True):
        np.testing.assert_array_equal(found, joined.probabilities(rgb, boxes))


def test_an_item_is_observed_once_however_often_it_is_asked_for():
    words, read = look(), []
    items = ObservedItems(lambda: read.append(1) or photo(CHERRY, ORANGE), BOXES[:2])
    first = items.observed(words, np.array([1]))
    both = items.observed(words, np.array([0, 1]))
    assert both[1] is first[0]
    assert [text.readings[0].text for text in both] == ["CHERRY", "ORAN6E"]
    items.observed(words, np.array([1, 0]))
    assert (words.read.asked, len(read)) == (2, 2)
    assert items.observed(look(), np.array([1])) == first  # another look sees for itself
    assert len(read) == 3


def test_wrong_numbers_are_refused():
    with pytest.raises(ValueError, match="probability"):
        LooksAgain(Fixed([]), [], sure=2)
    with pytest.raises(ValueError, match="SKUs"):
        WordLook(FakeReader({}), NAMES, WORDS[:1])
