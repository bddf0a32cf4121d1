"""Nearest descriptors by inner product: exactly, or approximately among hundreds of thousands.

Descriptors are kept in half precision; faiss compares them with queries in full precision. That
halves the memory that a search has to walk through, which is what its time goes to. faiss finds
candidates; `pair_scores` scores them, each pair alone and in double precision, so that a score
never depends on what else is in the index.

Key: N queries, M descriptors of D dimensions, C candidates.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from rpc.data.files import DataError, atomic_path
from rpc.data.packages import import_package

FloatArray = NDArray[np.float32]
Embeddings = NDArray[np.float16]
Kind = Literal["exact", "hnsw", "ivf"]

AT_ONCE: Final = 20_000  # embeddings in full precision at a time
HNSW_LINKS: Final = 32
HNSW_BUILD: Final = 80  # candidates looked at for each new embedding
LIST_SAMPLE: Final = 40  # IVF: embeddings of the training sample for each list

Index = Any  # faiss.Index


def exact_index(embeddings: Embeddings) -> Index:
    """All of the embeddings (M, D) are compared with each query."""
    faiss = _faiss()
    dimension = embeddings.shape[1]
    index = faiss.IndexScalarQuantizer(
        dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
    )
    # The codes of this index are the half-precision embeddings themselves: nothing is converted.
    codes = np.ascontiguousarray(embeddings).view(np.uint8).reshape(len(embeddings), 2 * dimension)
    for start in range(0, len(embeddings), AT_ONCE):
        index.add_sa_codes(codes[start : start + AT_ONCE])
    return index


def hnsw_index(embeddings: Embeddings) -> Index:
    """A navigable small world graph (Malkov & Yashunin, TPAMI 2020) over embeddings (M, D).

    Slow to build, quick to ask, takes about 4 x 2 x 32 bytes an embedding beside that itself.
    """
    faiss = _faiss()
    index = faiss.IndexHNSWSQ(
        embeddings.shape[1],
        faiss.ScalarQuantizer.QT_fp16,
        HNSW_LINKS,
        faiss.METRIC_INNER_PRODUCT,
    )
    index.hnsw.efConstruction = HNSW_BUILD
    index.train(_full(embeddings[:1]))
    _add(index, embeddings)
    return index


def ivf_index(embeddings: Embeddings, lists: int | None = None, seed: int = 0) -> Index:
    """Embeddings (M, D) in lists around k-means centres (Jegou et al., TPAMI 2011); quick to build.

    Args:
        embeddings: what is searched.
        lists: how many; by default the square root of M, rounded.
        seed: which embeddings the centres are learnt from.
    """
    faiss = _faiss()
    count, dimension = embeddings.shape
    lists = max(min(round(count**0.5) if lists is None else lists, count), 1)
    coarse = faiss.IndexFlatIP(dimension)
    index = faiss.IndexIVFScalarQuantizer(
        coarse,
        dimension,
        lists,
        faiss.ScalarQuantizer.QT_fp16,
        faiss.METRIC_INNER_PRODUCT,
        False,  # the embeddings themselves, not what is left beside their centre
    )
    index.cp.min_points_per_centroid = 1  # no remark where there are few embeddings
    sample = min(count, LIST_SAMPLE * lists)
    chosen = np.sort(np.random.default_rng(seed).choice(count, sample, replace=False))
    index.train(_full(embeddings[chosen]))
    _add(index, embeddings)
    return index


def build_index(kind: Kind, embeddings: Embeddings) -> Index:
    """An index of a kind over embeddings (M, D)."""
    return {"exact": exact_index, "hnsw": hnsw_index, "ivf": ivf_index}[kind](embeddings)


def add_embeddings(index: Index, embeddings: Embeddings) -> None:
    """Put more embeddings (M, D) behind those that an index has."""
    _add(index, embeddings)


def search_embeddings(
    index: Index, queries: FloatArray, count: int, effort: int | None = None
) -> tuple[FloatArray, NDArray[np.int64]]:
    """Candidates of queries (N, D).

    Args:
        index: of `build_index`.
        queries: N of them.
        count: C, at most as many as there are embeddings.
        effort: how far an approximate search looks: entries of HNSW's list, lists of IVF. None:
            128 entries, an eighth of the lists; at least what `count` takes.

    Returns:
        Scores (N, C) and numbers of embeddings (N, C), best first; -1 where fewer were found.
    """
    faiss = _faiss()
    queries = np.ascontiguousarray(queries, dtype=np.float32)
    if isinstance(index, faiss.IndexHNSW):
        index.hnsw.efSearch = max(effort or 128, count)
    elif isinstance(index, faiss.IndexIVF):
        index.nprobe = min(max(effort or index.nlist // 8, 1), index.nlist)
    scores, numbers = index.search(queries, count)
    return scores, numbers


def pair_scores(
    query: NDArray[np.floating], embeddings: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Inner products (C,) of a query (D,) with embeddings (C, D), in double precision.

    Each is summed alone, in an order that only D decides: to the last bit, the score of a pair is
    the same whatever embeddings stand around it. A matrix product does not promise that.
    """
    products = np.asarray(embeddings, dtype=np.float64) * np.asarray(query, dtype=np.float64)
    return np.asarray(np.add.reduce(np.ascontiguousarray(products), axis=1))


def write_index(path: Path, index: Index) -> Path:
    """Write an index, whole or not at all.

    Raises:
        DataError: it cannot be written.
    """
    with atomic_path(path) as part:
        try:
            _faiss().write_index(index, str(part))
        except RuntimeError as error:
            raise DataError(f"{path}: cannot be written: {_first_line(error)}") from error
    return path


def read_index(path: Path, dimension: int) -> Index:
    """Read what `write_index` wrote: numbers only, no code.

    Raises:
        DataError: it is missing, damaged, or of another dimension.
    """
    faiss = _faiss()
    try:
        # No part of a file is larger than the file: room is made for what it claims.
        for name in ("vector_byte_limit", "loop_limit"):
            limit = getattr(faiss, f"set_deserialization_{name}", None)  # of newer versions
            if limit is not None:
                limit(path.stat().st_size)
        index = faiss.read_index(str(path))
    except (MemoryError, RuntimeError) as error:
        raise DataError(f"{path}: not a search index: {_first_line(error)}") from error
    if index.d != dimension:
        raise DataError(f"{path}: an index of {index.d} dimensions, expected {dimension}")
    return index


def _faiss() -> Any:
    """The library, imported with the first gallery: a counter without one does without it."""
    return import_package("faiss")


def _add(index: Any, embeddings: Embeddings) -> None:
    for start in range(0, len(embeddings), AT_ONCE):
        index.add(_full(embeddings[start : start + AT_ONCE]))


def _full(embeddings: Embeddings) -> FloatArray:
    return np.ascontiguousarray(embeddings, dtype=np.float32)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][-160:] if str(error) else type(error).__name__
