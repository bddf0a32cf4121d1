"""Second looks at the top candidates of a search, each by name.

Key: N queries, D dimensions, C candidates of one query.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from rpc.data.files import DataError
from rpc.data.images import read_image
from rpc.retrieval.gallery import gallery_files as files
from rpc.retrieval.gallery.gallery import Gallery, Hit, unit_embeddings
from rpc.retrieval.gallery.index import search_embeddings
from rpc.retrieval.reranking.k_reciprocal import k_reciprocal_distances
from rpc.retrieval.reranking.query_expansion import expand_queries
from rpc.retrieval.reranking.verification import (
    LocalFeatures,
    agreement,
    local_features,
    verified_scores,
)

Method = Literal["none", "expansion", "reciprocal", "verify"]
METHODS: Final[tuple[Method, ...]] = get_args(Method)
LOOKED_AT: Final = 10  # SKUs that get a second look, at least
RECIPROCAL_CANDIDATES: Final = 100  # candidates of k-reciprocal re-ranking
KEPT: Final = 4096  # pictures whose local features stay in memory


def search_again(
    gallery: Gallery,
    queries: NDArray[np.floating],
    pictures: Sequence[NDArray[np.uint8]],
    method: Method,
    count: int = 5,
    weight: float = 0.2,
) -> list[list[Hit]]:
    """The `count` SKUs most like each query, best first, after a second look.

    Args:
        gallery: what is searched.
        queries: (N, D).
        pictures: N crops; only local features look at them.
        method: `none` is the plain search. `expansion`: scores of the expanded query. `reciprocal`:
            the score is 1 minus the re-ranked distance. `verify`: the similarity plus what the
            local features add (see `verified_scores`).
        count: of SKUs.
        weight: of the local features.

    Raises:
        ValueError: an unknown method, or queries of no use.
    """
    if method not in METHODS:
        raise ValueError(f"re-ranking: expected one of {', '.join(METHODS)}, got {method!r:.40}")
    if method == "none" or len(gallery) == 0:
        return gallery.search(queries, count)
    unit = unit_embeddings(queries, gallery.state.dimension, "queries")
    if method == "expansion":
        return gallery.search(_expanded(gallery, unit), count)
    first = gallery.search(unit, max(count, LOOKED_AT))
    if method == "reciprocal":
        return [_reciprocal(gallery, q, h)[:count] for q, h in zip(unit, first, strict=True)]
    looked = [
        _verified(gallery, local_features(picture), hits, weight)[:count]
        for picture, hits in zip(pictures, first, strict=True)
    ]
    return looked


def _expanded(gallery: Gallery, unit: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each query joined by its own nearest embeddings."""
    expanded = np.empty_like(unit)
    for place, query in enumerate(unit):
        nearest = gallery.embeddings[_near(gallery, query, RECIPROCAL_CANDIDATES)]
        expanded[place] = expand_queries(query[None], nearest.astype(np.float32))[0]
    return expanded


def _reciprocal(gallery: Gallery, query: NDArray[np.float32], hits: list[Hit]) -> list[Hit]:
    """The hits by the re-ranked distance of their SKU's best embedding."""
    wanted = {hit.sku.name for hit in hits}
    near = _near(gallery, query, RECIPROCAL_CANDIDATES)
    rows = np.unique(np.concatenate([near, [hit.row for hit in hits]]).astype(np.int64))
    distances = k_reciprocal_distances(query[None], gallery.embeddings[rows].astype(np.float32))[0]
    best: dict[str, float] = {}
    for row, distance in zip(rows.tolist(), distances.tolist(), strict=True):
        name = gallery.state.skus[int(gallery.sku_of[row])].name
        if name in wanted:
            best[name] = max(1 - distance, best.get(name, -np.inf))
    return _sorted([replace(hit, score=best[hit.sku.name]) for hit in hits])


def _verified(gallery: Gallery, query: LocalFeatures, hits: list[Hit], weight: float) -> list[Hit]:
    """The hits with what their SKU's most alike photos have in common with the picture."""
    inliers = np.array([_inliers(gallery, query, hit) for hit in hits], dtype=np.int64)
    scores = verified_scores(np.array([hit.score for hit in hits]), inliers, weight)
    return _sorted([replace(h, score=float(s)) for h, s in zip(hits, scores, strict=True)])


def _inliers(gallery: Gallery, query: LocalFeatures, hit: Hit) -> int:
    return agreement(query, _stored(str(gallery.folder), hit.photo.picture)).inliers


@lru_cache(maxsize=KEPT)
def _stored(folder: str, picture: str) -> LocalFeatures:
    """Local features of a stored picture; none where it was not kept or is gone by now."""
    nothing = LocalFeatures(np.zeros((0, 2), np.float32), np.zeros((0, 128), np.float32))
    if not picture:
        return nothing
    try:
        return local_features(read_image(f"{folder}/{files.PICTURES}/{picture}"))
    except DataError:
        return nothing


def _near(gallery: Gallery, query: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """Numbers of the embeddings in use that are most like a query (D,)."""
    _, found = search_embeddings(gallery.index, query[None], min(count, gallery.index.ntotal))
    rows = found[0][found[0] >= 0]
    return np.asarray(rows[gallery.sku_of[rows] >= 0])


def _sorted(hits: list[Hit]) -> list[Hit]:
    return sorted(hits, key=lambda hit: (-hit.score, hit.sku.name))
