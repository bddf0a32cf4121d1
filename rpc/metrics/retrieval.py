"""How good a ranking is: the paper's top-k, recall, CMC and mean average precision.

Three averages of precision are in use and give different figures; here each is named:

- `average_precision_at` (SCDA and the tutorial): mean precision at the hits inside the first k;
  the denominator is the number of these hits. A single hit in first place is worth 1, and top-5
  can exceed top-1 for it is enough to have one hit anywhere.
- `average_precision` (re-identification): mean precision at all hits, over all relevant items.
- MAP@R divides by R; not here.

Key: Q queries, G gallery items, k first places.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]
IntArray = NDArray[np.integer[Any]]
Hits = NDArray[np.bool_]

JUNK = -1  # identity of gallery items that count neither for nor against


@dataclass(frozen=True)
class ReidMetrics:
    """Result of `reid_metrics`.

    Attributes:
        cmc: (G,): share of queries with a hit among the first 1, 2, ... places.
        mAP: mean over the queries of the full average precision.
        queries: how many had anything to be found.
    """

    cmc: FloatArray
    mAP: float
    queries: int


def average_precision_at(hits: Hits, k: int) -> FloatArray:
    """Mean precision at the hits within the first k places; 0 where there is none.

    The tutorial's and SCDA's measure (spec 'AP@k with hits as the denominator').

    Args:
        hits: (..., G): whether the item in each place is relevant, best place first.
        k: places that count, at least 1; where the ranking is shorter, all of it.

    Returns:
        (...), in 0..1.

    Raises:
        ValueError: k is less than 1.
    """
    if k < 1:
        raise ValueError(f"k: expected at least 1, got {k}")
    first = np.asarray(hits, dtype=bool)[..., :k]
    found = first.cumsum(axis=-1)
    precision = found / np.arange(1, first.shape[-1] + 1)
    count = first.sum(axis=-1)
    total = (precision * first).sum(axis=-1)
    share: FloatArray = np.divide(total, count, out=np.zeros(total.shape), where=count > 0)
    return share


def average_precision(hits: Hits) -> float:
    """Mean precision at all hits of a full ranking (G,); 0 where nothing is relevant."""
    return float(average_precision_at(hits, max(len(hits), 1)))


def top_k(similarity: FloatArray, k: int) -> IntArray:
    """Gallery indices of the k most similar items, best first, (Q, min(k, G)).

    Of equally similar items the one that stands first in the gallery comes first.

    Raises:
        ValueError: similarity is not (Q, G), or holds NaN.
    """
    if similarity.ndim != 2:
        raise ValueError(f"similarity: expected (Q, G), got {similarity.shape}")
    if np.isnan(similarity).any():
        raise ValueError("similarity: holds NaN; the descriptors are damaged")
    return np.argsort(-similarity, axis=1, kind="stable")[:, :k]


def retrieval_top_k(
    similarity: FloatArray, query_labels: IntArray, gallery_labels: IntArray, k: int
) -> float:
    """The tutorial's figure: mean over the queries of `average_precision_at` k, in 0..1.

    Args:
        similarity: (Q, G), the larger the more alike.
        query_labels: (Q,).
        gallery_labels: (G,).
        k: 1 and 5 in the papers.

    Raises:
        ValueError: the lengths do not fit, or there is no query or no gallery item.
    """
    hits = _hits(similarity, query_labels, gallery_labels, k)
    return float(average_precision_at(hits, k).mean())


def recall_at(
    similarity: FloatArray, query_labels: IntArray, gallery_labels: IntArray, k: int
) -> float:
    """Share of the queries with at least one hit among the first k (DeepFashion's retrieval).

    Raises:
        ValueError: as `retrieval_top_k`.
    """
    return float(_hits(similarity, query_labels, gallery_labels, k).any(axis=1).mean())


def _hits(similarity: FloatArray, query_labels: IntArray, gallery_labels: IntArray, k: int) -> Hits:
    """Whether each of the first k items is of the query's class (Q, min(k, G))."""
    if (
        k < 1
        or 0 in similarity.shape
        or similarity.shape
        != (
            len(query_labels),
            len(gallery_labels),
        )
    ):
        raise ValueError(
            "expected similarity (Q, G) with Q and G at least 1 and k at least 1, got "
            f"{similarity.shape}, {len(query_labels)} queries, {len(gallery_labels)} gallery "
            f"items, k {k}"
        )
    nearest = top_k(similarity, k)
    found: Hits = np.asarray(gallery_labels)[nearest] == np.asarray(query_labels)[:, None]
    return found


def reid_metrics(
    distance: FloatArray,
    query_ids: IntArray,
    gallery_ids: IntArray,
    query_cameras: IntArray,
    gallery_cameras: IntArray,
) -> ReidMetrics:
    """CMC and mAP by the protocol of Market-1501 and VeRi.

    For each query, gallery items of the same identity from the same camera are taken out of the
    ranking, and so are those of identity -1 (junk); identity 0 (distractors) stays and counts as
    wrong. Queries with nothing left to be found are left out.

    Args:
        distance: (Q, G), the smaller the more alike.
        query_ids: (Q,).
        gallery_ids: (G,).
        query_cameras: (Q,).
        gallery_cameras: (G,).

    Raises:
        ValueError: the lengths do not fit, or no query has anything to be found.
    """
    shape = (len(query_ids), len(gallery_ids))
    if distance.shape != shape or (len(query_cameras), len(gallery_cameras)) != shape:
        raise ValueError(
            f"expected distance {shape} and as many cameras, got {distance.shape}, "
            f"{len(query_cameras)} and {len(gallery_cameras)} cameras"
        )
    ids, cameras = np.asarray(gallery_ids), np.asarray(gallery_cameras)
    curves, precisions = [], []
    for row, order in enumerate(top_k(-distance, shape[1])):
        same = ids[order] == query_ids[row]
        kept = (ids[order] != JUNK) & ~(same & (cameras[order] == query_cameras[row]))
        hits = same[kept]
        if hits.any():
            curve = np.ones(shape[1])
            curve[: int(hits.argmax())] = 0.0
            curves.append(curve)
            precisions.append(average_precision(hits))
    if not curves:
        raise ValueError("no query has a gallery item of its identity from another camera")
    return ReidMetrics(np.mean(curves, axis=0), float(np.mean(precisions)), len(curves))
