"""Closed forms of normal distributions, scipy's matrix root, and what must not change it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import sqrtm

from synth.quality.frechet import frechet_distance


def with_moments(mean, covariance, count, rng):
    """Vectors whose sample mean and covariance are exactly these."""
    dims = len(mean)
    x = rng.normal(size=(count, dims))
    x -= x.mean(axis=0)
    own = np.linalg.cholesky(np.cov(x.T).reshape(dims, dims))
    wanted = np.linalg.cholesky(covariance)
    return x @ np.linalg.inv(own).T @ wanted.T + mean


def rotated(dims, rng):
    return np.linalg.qr(rng.normal(size=(dims, dims)))[0]


def naive(x, y):
    c1, c2 = np.cov(x.T), np.cov(y.T)
    root = sqrtm(c1 @ c2).real
    return np.square(x.mean(0) - y.mean(0)).sum() + np.trace(c1 + c2 - 2 * root)


def test_in_one_dimension_it_is_the_difference_of_means_and_of_deviations():
    rng = np.random.default_rng(0)
    x = with_moments([1.0], [[4.0]], 30, rng)
    y = with_moments([4.0], [[25.0]], 50, rng)
    assert frechet_distance(x, y) == pytest.approx(3**2 + (5 - 2) ** 2)


def test_covariances_with_the_same_axes_compare_by_their_deviations():
    rng = np.random.default_rng(1)
    axes = rotated(5, rng)
    a, b = rng.uniform(0.5, 3, 5), rng.uniform(0.5, 3, 5)
    x = with_moments(np.zeros(5), axes @ np.diag(a**2) @ axes.T, 40, rng)
    y = with_moments(np.ones(5), axes @ np.diag(b**2) @ axes.T, 40, rng)
    assert frechet_distance(x, y) == pytest.approx(5 + np.square(a - b).sum())


@pytest.mark.parametrize(("n", "m", "dims"), [(200, 300, 6), (20, 31, 12), (9, 50, 8)])
def test_it_is_that_of_scipys_matrix_root(n, m, dims):
    rng = np.random.default_rng(n)
    x = rng.normal(size=(n, dims)) @ rng.normal(size=(dims, dims))
    y = rng.normal(size=(m, dims)) * 2 + 0.5
    assert frechet_distance(x, y) == pytest.approx(naive(x, y), rel=1e-8)


def test_fewer_vectors_than_dimensions_are_exact():
    """Two sets in planes of their own: the planes' principal angles give the closed form."""
    dims, angle = 40, 0.3
    first, second = np.zeros((2, dims))
    first[0] = 1.0
    second[:2] = np.cos(angle), np.sin(angle)
    x = np.array([[-1.0], [1.0]]) * first  # variance 2 along `first`
    y = np.array([[-3.0], [3.0]]) * second  # variance 18 along `second`
    expected = 2 + 18 - 2 * np.sqrt(2 * 18) * np.cos(angle)
    assert frechet_distance(x, y) == pytest.approx(expected, rel=1e-12)


def test_a_set_is_at_no_distance_from_itself_even_with_a_singular_covariance():
    x = np.random.default_rng(2).normal(size=(10, 300)) * 100
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-7)
    assert frechet_distance(np.ones((3, 4)), np.ones((2, 4))) == 0


@given(st.integers(0, 2**32 - 1), st.integers(2, 12), st.integers(2, 12), st.integers(1, 9))
def test_order_turns_and_shifts_of_both_sets_change_nothing(seed, n, m, dims):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(n, dims)), rng.normal(size=(m, dims)) * 2
    distance = frechet_distance(x, y)
    assert distance >= 0
    turn, shift = rotated(dims, rng), rng.normal(size=dims)
    for a, b in (
        (y, x),
        (rng.permutation(x), rng.permutation(y)),
        (x @ turn + shift, y @ turn + shift),
    ):
        assert frechet_distance(a, b) == pytest.approx(distance, rel=1e-7, abs=1e-9)
    assert frechet_distance(3 * x, 3 * y) == pytest.approx(9 * distance, rel=1e-7, abs=1e-9)


def test_few_vectors_make_it_larger():
    rng = np.random.default_rng(3)
    means = [
        np.mean([frechet_distance(*rng.normal(size=(2, n, 5))) for _ in range(60)])
        for n in (6, 12, 48)
    ]
    assert means[0] > 1.5 * means[1] > 1.5**2 * means[2] > 0


@pytest.mark.parametrize(
    ("x", "y", "told"),
    [
        (np.ones((1, 3)), np.ones((4, 3)), "two vectors or more"),
        (np.ones((4, 3)), np.ones((0, 3)), "two vectors or more"),
        (np.ones((4, 3)), np.ones((4, 2)), "same last one"),
        (np.ones(3), np.ones((4, 3)), "2 dimensions"),
        (np.array([[1.0], [np.nan]]), np.ones((4, 1)), "finite"),
    ],
)
def test_what_has_no_distance_is_refused(x, y, told):
    with pytest.raises(ValueError, match=told):
        frechet_distance(x, y)
