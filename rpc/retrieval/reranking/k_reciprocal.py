"""Re-ranking by k-reciprocal neighbours (Zhong et al., CVPR 2017).

Two pictures of one product have neighbours in common: beside their own distance, the Jaccard
distance of their sets of mutual neighbours counts.

Key: N queries, M descriptors of D dimensions, all of unit length; A = N + M of them together.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def k_reciprocal_distances(
    queries: NDArray[np.floating],
    embeddings: NDArray[np.floating],
    k1: int = 20,
    k2: int = 6,
    own: float = 0.3,
) -> FloatArray:
    """Re-ranked distances (N, M) of queries (N, D) and embeddings (M, D): small is alike.

    The paper's steps: R(p), the mutual neighbours among the `k1` nearest (eq. 2); a neighbour's own
    set of k1/2 joins where two thirds of it lie in R (eq. 4); the members' weights are exp(-d), d
    the squared distance over its row's largest (eq. 7), divided by their sum as in the authors'
    code; each vector becomes the mean of its `k2` nearest (local query expansion, eq. 11); Jaccard
    distance of the vectors (eq. 10); and `own` of the original distance (eq. 12). A picture is its
    own first neighbour.

    Args:
        queries: (N, D).
        embeddings: (M, D), such as the candidates of a search: memory and time go with (N + M)^2.
        k1: neighbours for the mutual sets.
        k2: neighbours for the local expansion.
        own: weight of the original distance, 0 to 1; at 1 the order is that of the distances.

    Raises:
        ValueError: shapes do not fit, or a number is out of its range.
    """
    if queries.ndim != 2 or embeddings.ndim != 2 or queries.shape[1:] != embeddings.shape[1:]:
        raise ValueError(
            f"k-reciprocal: expected (N, D) and (M, D), got {queries.shape} and {embeddings.shape}"
        )
    if k1 < 1 or k2 < 1 or not 0 <= own <= 1:
        raise ValueError(f"k-reciprocal: expected k1, k2 >= 1, own in 0..1; got {k1}, {k2}, {own}")
    count = len(queries)
    everything = np.concatenate([queries, embeddings]).astype(np.float64)  # (A, D)
    distance = np.maximum(2 - 2 * everything @ everything.T, 0)  # squared Euclidean
    np.fill_diagonal(distance, 0)
    largest = distance.max(axis=1, keepdims=True, initial=0)
    distance = np.divide(distance, largest, out=np.zeros_like(distance), where=largest > 0)
    # A picture is its own first neighbour, even where another one is the same.
    order = distance.copy()
    np.fill_diagonal(order, -1)
    ranking = np.argsort(order, axis=1, kind="stable")
    encoded = _encode(distance, ranking, k1)
    if k2 > 1:
        encoded = np.stack([encoded[near].mean(axis=0) for near in ranking[:, :k2]])
    jaccard = _jaccard(encoded[:count], encoded[count:])
    return np.asarray((1 - own) * jaccard + own * distance[:count, count:])


def _encode(distance: FloatArray, ranking: NDArray[np.int64], k1: int) -> FloatArray:
    """Weights (A, A) of each picture's expanded mutual neighbours; rows sum to 1."""
    full = _mutual(ranking, k1)
    half = _mutual(ranking, round(k1 / 2))
    encoded = np.zeros_like(distance)
    for row, members in enumerate(full):
        wide = members.copy()
        for candidate in np.flatnonzero(members):
            other = half[candidate]
            if (other & members).sum() > 2 / 3 * other.sum():
                wide |= other
        weights = np.exp(-distance[row, wide])
        encoded[row, wide] = weights / weights.sum()
    return encoded


def _mutual(ranking: NDArray[np.int64], k: int) -> NDArray[np.bool_]:
    """Who is among the k nearest of each other (A, A), oneself included."""
    near = np.zeros(ranking.shape, dtype=bool)
    np.put_along_axis(near, ranking[:, : k + 1], True, axis=1)
    return near & near.T


def _jaccard(first: FloatArray, second: FloatArray) -> FloatArray:
    """Jaccard distance (N, M) of weights (N, A) and (M, A), each row of a positive sum."""
    distance = np.empty((len(first), len(second)))
    for row, weights in enumerate(first):
        shared = np.minimum(weights, second).sum(axis=1)
        either = np.maximum(weights, second).sum(axis=1)
        distance[row] = 1 - shared / either
    return distance
