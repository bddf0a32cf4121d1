"""Statistics of maps against numpy, and what does not change them."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rpc.retrieval.descriptors.map_statistics import STATISTICS, joined_statistics, map_statistic

ORACLES = {
    "mean": lambda m: m.mean((2, 3)),
    "max": lambda m: m.max((2, 3)),
    "gem": lambda m: (np.maximum(m, 1e-6) ** 3).mean((2, 3)) ** (1 / 3),
    "std": lambda m: m.std((2, 3)),
}


def some_maps(seed, shape=(2, 5, 3, 4)):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("statistic", STATISTICS)
def test_a_statistic_is_what_numpy_says_of_unit_length(statistic):
    maps = some_maps(0)
    expected = ORACLES[statistic](maps)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    found = map_statistic(torch.from_numpy(maps), statistic)
    np.testing.assert_allclose(found, expected, atol=1e-6)


@given(st.integers(0, 500), st.sampled_from(STATISTICS))
def test_cells_may_change_places_and_a_positive_factor_changes_nothing(seed, statistic):
    maps = some_maps(seed)
    order = np.random.default_rng(seed).permutation(12)
    moved = 3 * maps.reshape(2, 5, 12)[:, :, order].reshape(2, 5, 3, 4)
    expected = map_statistic(torch.from_numpy(maps), statistic)
    found = map_statistic(torch.from_numpy(moved), statistic)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_joined_parts_weigh_the_same():
    maps = [torch.from_numpy(some_maps(1)), torch.from_numpy(100 * some_maps(2, (2, 9, 6, 8)))]
    joined = joined_statistics(maps, ((0, "mean"), (1, "max")))
    assert joined.shape == (2, 14)
    np.testing.assert_allclose(np.linalg.norm(joined[:, :5], axis=1), 0.5**0.5, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(joined, axis=1), 1, atol=1e-6)


def test_constant_maps_and_single_cells_give_numbers():
    for maps in (torch.zeros(1, 3, 2, 2), torch.ones(1, 3, 1, 1)):
        for statistic in STATISTICS:
            assert torch.isfinite(map_statistic(maps, statistic)).all()
