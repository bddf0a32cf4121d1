"""A naive double loop, unbiasedness by simulation, and the error against repeated draws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.quality.kernel_distance import PhotoKernels, kernel_distance, polynomial_kernel


def naive(x, y, same_photo):
    """The formula by loops over patches (N, P, D); pairs of one photo left out within a set."""
    dims = x.shape[-1]

    def k(a, b):
        return (sum(p * q for p, q in zip(a, b, strict=True)) / dims + 1) ** 3

    def mean(left, right, skip):
        values = [
            k(a, b)
            for i, photo in enumerate(left)
            for j, other in enumerate(right)
            if not (skip and i == j)
            for a in photo
            for b in other
        ]
        return sum(values) / len(values)

    return mean(x, x, same_photo) + mean(y, y, same_photo) - 2 * mean(x, y, False)


@pytest.mark.parametrize(("n", "m", "p", "q"), [(2, 2, 1, 1), (4, 7, 1, 1), (5, 3, 2, 4)])
def test_it_is_the_naive_loop(n, m, p, q):
    rng = np.random.default_rng(n)
    x, y = rng.normal(size=(n, p, 3)), rng.normal(size=(m, q, 3)) + 0.3
    assert PhotoKernels.of(x, y).distance() == pytest.approx(naive(x, y, True))
    if p == q == 1:
        assert kernel_distance(x[:, 0], y[:, 0])[0] == pytest.approx(naive(x, y, True))


def test_the_kernel_is_the_published_cube():
    assert polynomial_kernel(np.array([[1.0, 3.0]]), np.array([[2.0, 4.0]])) == 8.0**3


def test_of_two_constants_it_is_the_squared_distance_in_the_kernels_space():
    """k(1, 1) + k(2, 2) - 2 k(1, 2) with k = (xy + 1)^3."""
    assert kernel_distance(np.full((3, 1), 1.0), np.full((5, 1), 2.0)) == (8 + 125 - 2 * 27, 0)


def patches_of_photos(rng, count, patches=3, dims=4):
    """Patches of one photo resemble each other more than those of two."""
    photo = rng.normal(size=(count, 1, dims))
    return photo + 0.3 * rng.normal(size=(count, patches, dims))


def test_sets_alike_are_at_no_distance_on_average_however_patches_hang_together():
    rng = np.random.default_rng(0)
    values = [
        PhotoKernels.of(patches_of_photos(rng, 6), patches_of_photos(rng, 4)).distance()
        for _ in range(2000)
    ]
    error = np.std(values) / np.sqrt(len(values))
    assert abs(np.mean(values)) < 3 * error
    # Patches taken for photos of their own would give a distance where there is none.
    wrong = [
        kernel_distance(*(patches_of_photos(rng, n).reshape(-1, 4) for n in (6, 4)))[0]
        for _ in range(300)
    ]
    assert np.mean(wrong) > 10 * error


def test_the_mean_does_not_depend_on_how_many_photos_are_compared():
    rng = np.random.default_rng(1)

    def values(n):
        return [
            kernel_distance(rng.normal(size=(n, 3)), rng.normal(size=(n, 3)) + 0.7)[0]
            for _ in range(1500)
        ]

    few, many = values(4), values(16)
    error = np.hypot(np.std(few), np.std(many)) / np.sqrt(1500)
    assert abs(np.mean(few) - np.mean(many)) < 3 * error
    assert np.mean(many) > 20 * np.std(many) / np.sqrt(1500)


def test_the_standard_error_is_that_of_repeated_draws():
    rng = np.random.default_rng(2)
    pairs = [
        kernel_distance(rng.normal(size=(60, 3)), rng.normal(size=(40, 3)) + 1.0)
        for _ in range(300)
    ]
    values, errors = np.array(pairs).T
    assert 0.9 < errors.mean() / values.std() < 1.3


def test_the_standard_error_is_the_jackknife_by_leaving_photos_out():
    rng = np.random.default_rng(3)
    x, y = patches_of_photos(rng, 5), patches_of_photos(rng, 4)
    squares = 0.0
    for left, pair in ((x, lambda v: (v, y)), (y, lambda v: (x, v))):
        without = [
            PhotoKernels.of(*pair(np.delete(left, i, axis=0))).distance() for i in range(len(left))
        ]
        squares += (len(left) - 1) * np.var(without)
    assert PhotoKernels.of(x, y).standard_error() == pytest.approx(np.sqrt(squares))


def test_two_photos_have_a_distance_and_no_error():
    value, error = kernel_distance(np.eye(2), np.eye(2) * 2)
    assert np.isfinite(value)
    assert np.isnan(error)


@given(st.integers(0, 2**32 - 1), st.integers(3, 8), st.integers(3, 8))
def test_order_turns_and_sides_change_nothing(seed, n, m):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(n, 4)), rng.normal(size=(m, 4)) + 0.5
    turn = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    expected = pytest.approx(kernel_distance(x, y), rel=1e-7, abs=1e-9)
    assert kernel_distance(y, x) == expected
    assert kernel_distance(rng.permutation(x), rng.permutation(y)) == expected
    assert kernel_distance(x @ turn, y @ turn) == expected


@pytest.mark.parametrize("shape", [(1, 3), (0, 3), (4, 2)])
def test_what_has_no_distance_is_refused(shape):
    with pytest.raises(ValueError, match="feature sets: expected"):
        kernel_distance(np.ones(shape), np.ones((4, 3)))
