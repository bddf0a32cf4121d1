import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.features.encodings.covariance import Moments, principal_axes


def moments_of(vectors, *cuts):
    moments = Moments(vectors.shape[1])
    for chunk in np.split(vectors, sorted(cuts)):
        moments.add(chunk)
    return moments


def test_chunks_give_what_numpy_gives_for_the_whole():
    vectors = np.random.default_rng(0).normal(3, 2, (500, 7))
    moments = moments_of(vectors, 1, 17, 17, 400)
    np.testing.assert_allclose(moments.mean, vectors.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(moments.covariance(), np.cov(vectors.T, bias=True), atol=1e-12)


@given(cuts=st.lists(st.integers(0, 60), max_size=6), seed=st.integers(0, 99))
def test_any_cut_into_chunks_gives_the_same(cuts, seed):
    vectors = np.random.default_rng(seed).normal(size=(60, 4))
    whole, parts = moments_of(vectors), moments_of(vectors, *cuts)
    assert whole.count == parts.count
    np.testing.assert_allclose(parts.mean, whole.mean, atol=1e-13)
    np.testing.assert_allclose(parts.scatter, whole.scatter, atol=1e-11)


def test_merging_is_the_same_as_adding():
    vectors = np.random.default_rng(1).normal(size=(90, 3))
    one, other = moments_of(vectors[:20]), moments_of(vectors[20:])
    one.merge(other)
    one.merge(Moments(3))
    np.testing.assert_allclose(one.covariance(), np.cov(vectors.T, bias=True), atol=1e-13)


def test_a_mean_far_from_zero_costs_no_digits():
    vectors = np.random.default_rng(2).normal(size=(1000, 2))
    far = moments_of(vectors + 1e7, 100, 300)
    np.testing.assert_allclose(far.covariance(), np.cov(vectors.T, bias=True), rtol=1e-7, atol=1e-7)


def test_one_descriptor_has_no_variance_and_none_is_refused():
    assert not moments_of(np.ones((1, 3))).covariance().any()
    with pytest.raises(ValueError, match="1 descriptor or more"):
        Moments(3).covariance()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_value_that_is_not_finite_is_named_and_changes_nothing(value):
    vectors = np.ones((3, 2))
    vectors[1, 1] = value
    moments = moments_of(np.zeros((4, 2)))
    with pytest.raises(ValueError, match="row 1, channel 1"):
        moments.add(vectors)
    assert moments.count == 4


def test_another_width_is_refused():
    with pytest.raises(ValueError, match=r"\(M, 3\)"):
        Moments(3).add(np.ones((2, 4)))
    with pytest.raises(ValueError, match="do not fit"):
        Moments(3).merge(Moments(4))


def test_axes_are_those_of_a_known_matrix_by_falling_variance():
    turn = np.array([[0.6, 0.8], [0.8, -0.6]])
    variances, axes = principal_axes(turn.T @ np.diag([4.0, 1.0]) @ turn, 2)
    np.testing.assert_allclose(variances, [4, 1])
    np.testing.assert_allclose(axes, [[0.6, 0.8], [0.8, -0.6]], atol=1e-12)


@pytest.mark.parametrize(
    ("matrix", "number", "said"),
    [
        (np.ones((2, 3)), 1, "square"),
        (np.eye(2), 3, "1 to 2"),
        (np.full((2, 2), np.nan), 1, "not finite"),
        (np.array([[1.0, 2], [0, 1]]), 1, "symmetric"),
    ],
)
def test_what_is_no_covariance_is_refused(matrix, number, said):
    with pytest.raises(ValueError, match=said):
        principal_axes(matrix, number)
