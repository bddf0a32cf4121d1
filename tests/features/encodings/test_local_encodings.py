import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.mixture import GaussianMixture

from rpc.features.encodings.local_encodings import (
    BagOfWords,
    FisherVector,
    Vlad,
    fit_bag_of_words,
    fit_fisher,
    fit_vlad,
)
from rpc.features.encodings.normalise import power_normalised

seeds = st.integers(0, 10_000)
FITS = [fit_vlad, fit_fisher, fit_bag_of_words]


def _descriptors(seed, count=40, dimension=3):
    return np.random.default_rng(seed).normal(size=(count, dimension))


def _sklearn_mixture(weights, means, deviations):
    """sklearn's mixture with these parameters, not fitted."""
    mixture = GaussianMixture(len(weights), covariance_type="diag")
    mixture.weights_, mixture.means_ = weights, means
    mixture.covariances_ = deviations**2
    mixture.precisions_cholesky_ = 1 / deviations
    return mixture


@given(seeds)
def test_vlad_with_one_centre_is_the_sum_of_the_differences(seed):
    x, centre = _descriptors(seed), _descriptors(seed + 1, 1)
    np.testing.assert_allclose(Vlad(centre).sums(x), (x - centre).sum(axis=0)[None])


def test_vlad_sums_each_centre_s_own_descriptors():
    centres = np.array([[0.0, 0.0], [10.0, 0.0]])
    x = np.array([[1.0, 2.0], [9.0, 1.0], [0.0, -1.0]])
    np.testing.assert_allclose(Vlad(centres).sums(x), [[1, 1], [-1, 1]])
    np.testing.assert_allclose(Vlad(centres)(x), power_normalised(np.array([1.0, 1, -1, 1])))


def test_a_bag_of_words_counts_nearest_centres():
    bag = BagOfWords(np.array([[0.0], [1.0], [9.0]]))
    found = bag(np.array([[0.1], [-3.0], [0.2], [0.4], [8.0]]))
    np.testing.assert_allclose(found, np.sqrt([4, 0, 1]) / 5**0.5)


@given(seeds)
def test_the_fisher_vector_is_the_numeric_gradient_of_the_likelihood(seed):
    rng = np.random.default_rng(seed)
    weights = rng.dirichlet([5.0, 5.0])
    means, deviations = rng.normal(size=(2, 3)), rng.uniform(0.5, 2.0, (2, 3))
    x = rng.normal(size=(15, 3))

    def likelihood(m, s):
        return _sklearn_mixture(weights, m, s).score_samples(x).mean()

    by_mean, by_deviation = np.zeros((2, 3)), np.zeros((2, 3))
    for place in np.ndindex(2, 3):
        step = np.zeros((2, 3))
        step[place] = 1e-5
        up, down = likelihood(means + step, deviations), likelihood(means - step, deviations)
        by_mean[place] = (up - down) / 2e-5
        up, down = likelihood(means, deviations + step), likelihood(means, deviations - step)
        by_deviation[place] = (up - down) / 2e-5
    # The inverse root of the Fisher information: deviation over the root of w, or of 2w.
    root = np.sqrt(weights)[:, None]
    expected = np.stack(
        [by_mean * deviations / root, by_deviation * deviations / (np.sqrt(2) * root)]
    )
    found = FisherVector(weights, means, deviations).gradient(x)
    np.testing.assert_allclose(found, expected, atol=1e-7)


def test_the_gradient_vanishes_where_the_mixture_was_fitted():
    x = np.concatenate([_descriptors(0, 300), _descriptors(1, 200) * 0.5 + 6])
    fitted = fit_fisher(x, 2, seed=0)
    assert np.abs(fitted.gradient(x)).max() < 0.02


@given(seeds)
def test_the_order_of_descriptors_changes_no_encoding(seed):
    x = _descriptors(seed)
    shuffled = x[np.random.default_rng(seed).permutation(len(x))]
    for fit in FITS:
        encode = fit(_descriptors(7), 2, seed=0)
        np.testing.assert_allclose(encode(shuffled), encode(x), atol=1e-9)


@pytest.mark.parametrize(
    ("fit", "length"), [(fit_vlad, 6), (fit_fisher, 12), (fit_bag_of_words, 2)]
)
def test_encodings_have_unit_length_and_none_gives_zeros(fit, length):
    encode = fit(_descriptors(0), 2, seed=0)
    for x in (_descriptors(1), _descriptors(1, 1)):
        found = encode(x)
        assert found.shape == (length,)
        assert np.linalg.norm(found) == pytest.approx(1)
    none = encode(np.zeros((0, 3)))
    assert none.shape == (length,)
    assert not none.any()


@pytest.mark.parametrize("fit", FITS)
def test_the_same_seed_fits_the_same_encoding(fit):
    x = _descriptors(5, 100)
    np.testing.assert_array_equal(fit(x, 3, seed=1)(x[:9]), fit(x, 3, seed=1)(x[:9]))


def test_a_channel_that_was_silent_while_fitting_outshouts_nobody():
    x = _descriptors(0, 200)
    x[:, 2] = 0
    fitted = fit_fisher(x, 2, seed=0)
    surprise = np.concatenate([x[:20, :2], np.full((20, 1), 0.5)], axis=1)
    assert np.isfinite(fitted(surprise)).all()
    assert fitted.deviations[:, 2].min() > 0.01


@pytest.mark.parametrize("fit", FITS)
def test_bad_descriptors_are_told_in_one_line(fit):
    with pytest.raises(ValueError, match="1 descriptors cannot be fitted with 2"):
        fit(_descriptors(0, 1), 2, seed=0)
    with pytest.raises(ValueError, match=r"\(M, C\), got \(4,\)"):
        fit(np.zeros(4), 2, seed=0)
    broken = _descriptors(0)
    broken[3, 1] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        fit(broken, 2, seed=0)
    encode = fit(_descriptors(0), 2, seed=0)
    with pytest.raises(ValueError, match="NaN"):
        encode(broken)
    with pytest.raises(ValueError, match=r"expected \(M, 3\), got \(5, 4\)"):
        encode(np.zeros((5, 4)))
