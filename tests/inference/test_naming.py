"""A crop in doubt is seen in more turns, and each box keeps its row."""

import numpy as np
import pytest

from rpc.data.files import DataError
from rpc.inference.naming import NamesCrops, softmax

RED, GREEN = (250, 0, 0), (0, 250, 0)


class SaysColours:
    """Scores by the mean colour of the upper half: a turned crop says something else."""

    def __init__(self):
        self.seen = []

    def __call__(self, crops, extents):
        assert crops.shape[1:] == (32, 32, 3)
        assert extents.shape == (len(crops), 2)
        self.seen.append(len(crops))
        return crops[:, :16].mean(axis=(1, 2), dtype=np.float32) / 50


def test_who_gives_no_features_says_so():
    with pytest.raises(DataError, match="export its model again"):
        NamesCrops(SaysColours(), 32, 3).features([np.zeros((9, 9, 3), np.uint8)])


@pytest.fixture
def photo():
    """Left plain red; right red above green."""
    rgb = np.zeros((100, 200, 3), np.uint8)
    rgb[:] = RED
    rgb[50:, 100:] = GREEN
    return rgb


BOXES = np.array([[10.0, 10, 90, 90], [110, 10, 190, 90]])


def test_what_is_sure_is_seen_once_and_what_is_not_is_averaged_over_turns(photo):
    says = SaysColours()
    names = NamesCrops(says, 32, 3, settled=0.999)
    found = names.probabilities(photo, BOXES)
    assert says.seen == [2, 2, 2, 2]  # 250 / 50: 0.986 is not enough
    says.seen.clear()
    names = NamesCrops(says, 32, 3, settled=0.98)
    np.testing.assert_allclose(names.probabilities(photo, BOXES)[0], found[0])
    assert says.seen == [2]
    np.testing.assert_allclose(found.sum(axis=1), 1)
    np.testing.assert_allclose(found[1, 0], found[1, 1], atol=0.05)  # as much red as green
    assert NamesCrops(says, 32, 3, turns=1, settled=2.0).probabilities(photo, BOXES)[1, 0] > 0.9


def test_the_boxes_of_several_photos_go_through_at_once_and_keep_their_photo(photo):
    says = SaysColours()
    names = NamesCrops(says, 32, 3, turns=1)
    boxes = [BOXES, np.zeros((0, 4)), BOXES[:1]]
    found = names.batch_probabilities([photo, photo, photo[:, ::-1]], boxes)
    assert says.seen == [3]
    assert [len(rows) for rows in found] == [2, 0, 1]
    for rgb, places, rows in zip([photo, photo, photo[:, ::-1]], boxes, found, strict=True):
        np.testing.assert_allclose(rows, names.probabilities(rgb, places))
    assert names.batch_probabilities([], []) == []
    assert names.probabilities(photo, np.zeros((0, 4))).shape == (0, 3)


def test_a_softmax_of_large_scores_is_finite():
    np.testing.assert_allclose(softmax(np.array([[1e4, 0, -1e4]], np.float32)), [[1, 0, 0]])
