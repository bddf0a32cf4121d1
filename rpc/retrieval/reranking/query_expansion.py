"""Query expansion: a query joined by its nearest exemplars finds their kin.

Key: N queries, M descriptors of D dimensions, all of unit length; n neighbours.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


def expand_queries(
    queries: NDArray[np.floating],
    embeddings: NDArray[np.floating],
    neighbours: int = 3,
    alpha: float = 3.0,
) -> FloatArray:
    """Each query plus its nearest embeddings, weighted by their similarity to the power `alpha`.

    Average query expansion (Chum et al., ICCV 2007) is `alpha` = 0; weights by similarity are from
    Radenovic et al., TPAMI 2019, eq. 8 (alpha-QE). One whose similarity is not positive has no
    weight.

    Args:
        queries: (N, D).
        embeddings: (M, D), such as the candidates of a search.
        neighbours: n; of fewer embeddings, all are taken. 0 changes nothing.
        alpha: 0 or more.

    Returns:
        (N, D), of unit length; a query whose sum vanishes stays as it is.

    Raises:
        ValueError: shapes do not fit, or a number is negative.
    """
    if queries.ndim != 2 or embeddings.ndim != 2 or queries.shape[1:] != embeddings.shape[1:]:
        raise ValueError(
            f"query expansion: expected (N, D) and (M, D), got {queries.shape}, {embeddings.shape}"
        )
    if neighbours < 0 or alpha < 0:
        raise ValueError(
            "query expansion: expected neighbours and alpha of at least 0, "
            f"got {neighbours}, {alpha}"
        )
    near = queries.astype(np.float64) @ embeddings.astype(np.float64).T  # (N, M)
    chosen = np.argsort(-near, axis=1, kind="stable")[:, :neighbours]  # (N, n)
    weights = np.maximum(np.take_along_axis(near, chosen, axis=1), 0.0)
    weights = np.where(weights > 0, weights**alpha, 0.0)
    total = queries + np.einsum("nk,nkd->nd", weights, embeddings[chosen].astype(np.float64))
    length = np.linalg.norm(total, axis=1, keepdims=True)
    unit = np.divide(total, length, out=queries.astype(np.float64), where=length > 1e-12)
    return np.asarray(unit, dtype=np.float32)
