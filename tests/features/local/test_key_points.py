import numpy as np
import pytest

from rpc.features.local.key_points import key_points, mutual_pairs, scaled
from tests.features.local.packs import pack


def test_pictures_are_scaled_to_their_longer_side():
    assert scaled(pack(), 130).shape == (130, 90, 3)
    assert scaled(pack(), 520).shape == (520, 360, 3)
    assert scaled(np.zeros((1, 400, 3), np.uint8), 100).shape == (8, 100, 3)
    with pytest.raises(ValueError, match="picture"):
        scaled(np.zeros((0, 4, 3), np.uint8), 100)


def test_descriptors_are_whole_numbers_and_a_plain_picture_has_none():
    found = key_points(pack(), 50)
    assert found.points.shape == (len(found.sift), 2)
    assert 20 < len(found.sift) <= 60
    assert found.sift.dtype == np.uint8
    assert key_points(np.full((40, 40, 3), 9, np.uint8), 50).sift.shape == (0, 128)


def test_pairs_are_mutual_nearest_and_clear():
    near = np.eye(4, 8, dtype=np.float32)
    order = [2, 0, 3, 1]
    assert mutual_pairs(near, near[order], 0.8).tolist() == [[0, 1], [1, 3], [2, 0], [3, 2]]
    twice = np.concatenate([near[:1], near[:1]])
    assert len(mutual_pairs(near[:1], twice, 0.8)) == 0  # two are as near: which one?
    assert len(mutual_pairs(near, near[:1], 0.8)) == 0
