import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.features.encodings.normalise import l2_normalised, power_normalised
from rpc.features.pooling.global_pooling import (
    average_and_max_pool,
    average_pool,
    descriptors_of,
    gem_pool,
    max_pool,
    rmac_pool,
    rmac_regions,
)

POOLS = [average_pool, max_pool, average_and_max_pool, gem_pool, rmac_pool]
seeds = st.integers(0, 10_000)


def _map(seed, shape=(6, 5, 7)):
    return np.random.default_rng(seed).random(shape).astype(np.float32)


@given(seeds)
def test_average_maximum_and_gem_do_not_know_where_a_cell_lies(seed):
    one = _map(seed)
    cells = np.random.default_rng(seed).permutation(35)
    moved = one.reshape(6, 35)[:, cells].reshape(6, 5, 7)
    for pool in (average_pool, max_pool, average_and_max_pool, gem_pool):
        np.testing.assert_allclose(pool(moved), pool(one), atol=1e-6)


@given(seeds, st.floats(0.01, 100))
def test_a_brighter_map_has_the_same_descriptor(seed, factor):
    one = _map(seed)
    for pool in POOLS:
        np.testing.assert_allclose(pool((one * factor).astype(np.float32)), pool(one), atol=2e-5)


@pytest.mark.parametrize("pool", [average_pool, max_pool, gem_pool, rmac_pool])
def test_a_pooled_vector_has_unit_length_and_two_have_sqrt_two(pool):
    assert np.linalg.norm(pool(_map(0))) == pytest.approx(1)
    assert np.linalg.norm(average_and_max_pool(_map(0))) == pytest.approx(2**0.5)


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("shape", [(4, 1, 1), (1, 3, 3), (4, 1, 9), (4, 9, 1)])
def test_a_silent_map_of_any_shape_gives_zeros_and_no_nan(pool, shape):
    found = pool(np.zeros(shape, np.float32))
    assert found.ndim == 1
    assert not found.any()


def test_gem_runs_from_the_average_to_the_maximum():
    one = _map(3)
    np.testing.assert_allclose(gem_pool(one, 1.0), average_pool(one), rtol=1e-5)
    np.testing.assert_allclose(gem_pool(one, 5000.0), max_pool(one), rtol=2e-3)


def test_gem_of_a_known_channel_is_the_cubic_mean():
    one = np.array([[[1.0, 3.0]], [[2.0, 2.0]]])
    raw = np.array([((1 + 27) / 2) ** (1 / 3), 2.0])
    np.testing.assert_allclose(gem_pool(one), raw / np.linalg.norm(raw))


def test_rmac_at_one_scale_of_a_square_map_is_the_maximum():
    one = _map(1, (6, 5, 5))
    np.testing.assert_allclose(rmac_pool(one, scales=1), max_pool(one), rtol=1e-6)


def test_rmac_regions_are_one_four_and_nine_squares_of_a_square_map():
    regions = rmac_regions(12, 12)
    assert [side for _, _, side in regions] == [12] + [8] * 4 + [6] * 9
    assert {(0, 0, 6), (3, 3, 6), (6, 6, 6)} <= set(regions)


@given(st.integers(1, 30), st.integers(1, 30))
def test_rmac_regions_lie_in_the_map_and_cover_its_corners(height, width):
    regions = rmac_regions(height, width)
    assert all(t >= 0 and x >= 0 and t + s <= height and x + s <= width for t, x, s in regions)
    first = [r for r in regions if r[2] == min(height, width)]
    assert min(t + x for t, x, _ in first) == 0
    assert max(t + s for t, _, s in first) == height
    assert max(x + s for _, x, s in first) == width


def test_descriptors_are_the_cells_row_by_row():
    one = _map(2)
    np.testing.assert_array_equal(descriptors_of(one)[8], one[:, 1, 1])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_value_that_is_not_finite_is_told_in_one_line(bad):
    one = _map(0)
    one[1, 2, 3] = bad
    for pool in POOLS:
        with pytest.raises(ValueError, match="1 of 210 values are NaN or infinite"):
            pool(one)


def test_what_is_no_map_is_refused_with_its_shape():
    with pytest.raises(ValueError, match=r"expected \(C, h, w\), got \(3, 4\)"):
        average_pool(np.zeros((3, 4)))
    with pytest.raises(ValueError, match="power"):
        gem_pool(_map(0), 0)
    with pytest.raises(ValueError, match="scales"):
        rmac_pool(_map(0), 0)


@given(seeds, st.sampled_from([1e-30, 1e-4, 1.0, 1e4, 1e30]))
def test_unit_length_whatever_the_size_of_the_values(seed, size):
    one = np.random.default_rng(seed).normal(size=(3, 4)).astype(np.float32) * np.float32(size)
    np.testing.assert_allclose(np.linalg.norm(l2_normalised(one), axis=-1), 1, rtol=1e-5)


def test_the_power_keeps_signs_and_zeros():
    found = power_normalised(np.array([-4.0, 0.0, 9.0]))
    np.testing.assert_allclose(found, np.array([-2.0, 0.0, 3.0]) / 13**0.5)
    with pytest.raises(ValueError, match="power"):
        power_normalised(np.ones(2), 0.0)
