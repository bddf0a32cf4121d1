import numpy as np
import pytest

from rpc.retrieval.descriptors.remembered import RememberedMaps


def test_maps_are_computed_once_while_they_fit_and_again_beyond():
    asked = []

    def compute(number):
        asked.append(number)
        return (np.full((1, 2, 2), number, np.float32),)

    maps = RememberedMaps(compute, 3, budget=2 * 16)
    for _ in range(2):
        assert [one[0][0, 0, 0] for one in maps] == [0, 1, 2]
    assert asked == [0, 1, 2, 2]
    assert len(maps) == 3
    with pytest.raises(IndexError):
        maps[3]
