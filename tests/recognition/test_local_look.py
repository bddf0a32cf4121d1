import numpy as np
import pytest

from rpc.features.local.picture_evidence import PictureEvidence
from rpc.recognition.local_look import LocalLook
from rpc.recognition.second_look import LooksAgain
from tests.features.local.packs import lying, pack

SHELF = [[pack(label=(200, 30, 30))], [pack(label=(40, 60, 210))], [pack(family=5)]]
BOXES = np.array([[0.0, 0, 320, 320], [340, 0, 660, 320]])


class Fixed:
    """Says what it was told."""

    def __init__(self, rows):
        self.rows = np.array(rows, float)

    def probabilities(self, rgb, boxes):
        return self.rows[: len(boxes)]


def photo(*packs):
    rgb = np.full((320, 660, 3), 120, np.uint8)
    for one, (x1, *_) in zip(packs, BOXES.astype(int), strict=False):
        rgb[:, x1 : x1 + 320] = lying(one)
    return rgb


def look(asked=None, **settings):
    def pictures_of(label):
        if asked is not None:
            asked.append(label)
        return SHELF[label]

    return LocalLook(PictureEvidence(pictures_of, [1] * 3), **settings)


def test_pictures_settle_what_is_in_doubt():
    rows = [[0.3, 0.5, 0.1, 0.1], [0.5, 0.3, 0.1, 0.1]]
    found = LooksAgain(Fixed(rows), [look()]).probabilities(photo(SHELF[0][0], SHELF[1][0]), BOXES)
    assert found.argmax(axis=1).tolist() == [0, 1]
    np.testing.assert_allclose(found.sum(axis=1), 1)


def test_what_is_sure_or_shows_nothing_stays_as_it_was():
    asked = []
    rows = [[0.05, 0.92, 0.03, 0.0], [0.5, 0.3, 0.1, 0.1]]
    plain = np.full((320, 660, 3), 120, np.uint8)
    found = LooksAgain(Fixed(rows), [look(asked)]).probabilities(plain, BOXES)
    np.testing.assert_array_equal(found, rows)
    sure = LooksAgain(Fixed(rows[:1] * 2), [look(asked := [])])
    np.testing.assert_array_equal(
        sure.probabilities(photo(SHELF[0][0], SHELF[0][0]), BOXES), rows[:1] * 2
    )
    assert asked == []


def test_only_the_likeliest_skus_are_asked():
    asked = []
    rows = np.array([[0.3, 0.1, 0.5, 0.1]])
    compares = look(asked, likely=2)
    crop = compares.observe(photo(SHELF[0][0])[:, :320])
    compares.judge([crop], rows)
    assert asked == [2, 0]
    compares.judge([crop], rows[:, [2, 1, 0, 3]])
    assert asked == [2, 0]  # both lie on the crop already
    compares.judge([crop], rows[:, [0, 2, 1, 3]])
    assert asked == [2, 0, 1]
    with pytest.raises(ValueError, match="two SKUs"):
        look(likely=1)
