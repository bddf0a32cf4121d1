"""Any number of descriptors as one vector: VLAD, Fisher vector, bag of words.

Each is fitted on descriptors of gallery photos and then encodes one image at a time, with the
signed square root and unit length at the end. No descriptor gives the zero vector.

Key: M descriptors of dimension C, K clusters or Gaussians.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rpc.data.packages import needed
from rpc.features.encodings.normalise import check_finite, power_normalised

FloatArray = NDArray[np.floating[Any]]

TRIES = 3  # random starts of a fit; the best is kept
# No variance of a Gaussian is below this share of the mean variance: a channel that was silent
# while fitting would else outshout all others.
LEAST_VARIANCE = 1e-3


@dataclass(frozen=True)
class Vlad:
    """Vector of locally aggregated descriptors: Jegou et al., CVPR 2010.

    Attributes:
        centres: (K, C).
    """

    centres: FloatArray

    def sums(self, descriptors: FloatArray) -> FloatArray:
        """Of each centre the sum of what separates its descriptors from it, (K, C)."""
        nearest = _nearest(descriptors, self.centres)
        parts = [
            (descriptors[nearest == k] - centre).sum(axis=0)
            for k, centre in enumerate(self.centres)
        ]
        return np.stack(parts)

    def __call__(self, descriptors: FloatArray) -> FloatArray:
        """Descriptors (M, C) to one vector (K * C,).

        Raises:
            ValueError: another C, or a value is not finite.
        """
        check_descriptors(descriptors, self.centres.shape[1])
        return power_normalised(self.sums(descriptors).ravel())


@dataclass(frozen=True)
class BagOfWords:
    """How often each centre is the nearest one: Sivic and Zisserman, ICCV 2003.

    Attributes:
        centres: (K, C).
    """

    centres: FloatArray

    def __call__(self, descriptors: FloatArray) -> FloatArray:
        """Descriptors (M, C) to one vector (K,).

        Raises:
            ValueError: another C, or a value is not finite.
        """
        check_descriptors(descriptors, self.centres.shape[1])
        nearest = _nearest(descriptors, self.centres)
        counts = np.bincount(nearest, minlength=len(self.centres))
        return power_normalised(counts.astype(np.float64))


@dataclass(frozen=True)
class FisherVector:
    """Gradient of the mean log-likelihood of a Gaussian mixture, Fisher-scaled.

    Perronnin, Sanchez, Mensink, ECCV 2010, with means and standard deviations (no weights): of
    Gaussian k with weight w, mean m, deviation s and posterior g(x)
    `1/(M sqrt(w)) sum g(x) (x - m)/s` and `1/(M sqrt(2w)) sum g(x) ((x - m)^2/s^2 - 1)`.

    Attributes:
        weights: (K,), their sum is 1.
        means: (K, C).
        deviations: (K, C), positive.
    """

    weights: FloatArray
    means: FloatArray
    deviations: FloatArray

    def gradient(self, descriptors: FloatArray) -> FloatArray:
        """The two gradients before any normalisation, (2, K, C); zeros without a descriptor."""
        if not len(descriptors):
            return np.zeros((2, *self.means.shape))
        x = descriptors.astype(np.float64)
        posterior = self._posterior(x)  # (M, K)
        mass = posterior.sum(axis=0)[:, None]  # (K, 1)
        first, second = posterior.T @ x, posterior.T @ x**2  # (K, C)
        scale = len(x) * np.sqrt(self.weights)[:, None]
        by_mean = (first - mass * self.means) / self.deviations / scale
        spread = (second - 2 * self.means * first + mass * self.means**2) / self.deviations**2
        return np.stack([by_mean, (spread - mass) / (np.sqrt(2) * scale)])

    def __call__(self, descriptors: FloatArray) -> FloatArray:
        """Descriptors (M, C) to one vector (2 * K * C,).

        Raises:
            ValueError: another C, or a value is not finite.
        """
        check_descriptors(descriptors, self.means.shape[1])
        return power_normalised(self.gradient(descriptors).ravel())

    def _posterior(self, x: FloatArray) -> FloatArray:
        """Probability of each Gaussian for each descriptor, (M, K)."""
        precision = self.deviations**-2.0
        distance = (
            x**2 @ precision.T
            - 2 * x @ (self.means * precision).T
            + (self.means**2 * precision).sum(axis=1)
        )
        log = np.log(self.weights) - np.log(self.deviations).sum(axis=1) - distance / 2
        odds = np.exp(log - log.max(axis=1, keepdims=True))
        share: FloatArray = odds / odds.sum(axis=1, keepdims=True)
        return share


def fit_centres(descriptors: FloatArray, clusters: int, seed: int) -> FloatArray:
    """Centres (K, C) of descriptors (M, C) by k-means.

    Raises:
        ValueError: fewer descriptors than clusters, or a value is not finite.
    """
    with needed("sklearn"):
        from sklearn.cluster import KMeans
    _check_enough(descriptors, clusters)
    fitted = KMeans(clusters, n_init=TRIES, random_state=seed).fit(descriptors)
    return np.asarray(fitted.cluster_centers_)


def fit_vlad(descriptors: FloatArray, clusters: int, seed: int) -> Vlad:
    """VLAD with centres by k-means; see `fit_centres`."""
    return Vlad(fit_centres(descriptors, clusters, seed))


def fit_bag_of_words(descriptors: FloatArray, clusters: int, seed: int) -> BagOfWords:
    """Bag of words with centres by k-means; see `fit_centres`."""
    return BagOfWords(fit_centres(descriptors, clusters, seed))


def fit_fisher(descriptors: FloatArray, gaussians: int, seed: int) -> FisherVector:
    """Fisher vector of a mixture with diagonal covariances, fitted on descriptors (M, C).

    Raises:
        ValueError: fewer descriptors than Gaussians, or a value is not finite.
    """
    with needed("sklearn"):
        from sklearn.mixture import GaussianMixture
    _check_enough(descriptors, gaussians)
    x = descriptors.astype(np.float64)
    floor = max(float(x.var(axis=0).mean()) * LEAST_VARIANCE, 1e-12)
    mixture = GaussianMixture(
        gaussians, covariance_type="diag", reg_covar=floor, random_state=seed, max_iter=100
    ).fit(x)
    return FisherVector(mixture.weights_, mixture.means_, np.sqrt(mixture.covariances_))


def check_descriptors(descriptors: FloatArray, dimension: int) -> None:
    """Refuse what is not (M, C) of finite numbers with this C.

    Raises:
        ValueError: says what it is instead.
    """
    if descriptors.ndim != 2 or descriptors.shape[1] != dimension:
        raise ValueError(f"descriptors: expected (M, {dimension}), got {descriptors.shape}")
    check_finite(descriptors, "descriptors")


def _check_enough(descriptors: FloatArray, clusters: int) -> None:
    if descriptors.ndim != 2:
        raise ValueError(f"descriptors: expected (M, C), got {descriptors.shape}")
    check_finite(descriptors, "descriptors")
    if not 1 <= clusters <= len(descriptors):
        raise ValueError(
            f"{len(descriptors)} descriptors cannot be fitted with {clusters} clusters or "
            "Gaussians: give more photos, or fewer of them"
        )


def _nearest(descriptors: FloatArray, centres: FloatArray) -> NDArray[np.intp]:
    """Index of the nearest centre of each descriptor (M,)."""
    distance = (centres**2).sum(axis=1) - 2 * descriptors @ centres.T
    nearest: NDArray[np.intp] = distance.argmin(axis=1)
    return nearest
