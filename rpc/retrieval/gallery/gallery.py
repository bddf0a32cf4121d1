"""The gallery: which SKU looks like this? A new product is found as soon as its photos are in.

Key: N pictures or queries, D dimensions, M embeddings, K SKUs in the order of their names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from rpc.data.files import DataError
from rpc.data.taxonomy import Category, Taxonomy
from rpc.retrieval.gallery import gallery_files as files
from rpc.retrieval.gallery.gallery_state import GalleryState, Photo, Recipe, Segment, Sku
from rpc.retrieval.gallery.index import (
    FloatArray,
    Index,
    Kind,
    add_embeddings,
    build_index,
    pair_scores,
    read_index,
    search_embeddings,
)

ROUNDING: Final = 1e-5  # more than a product of unit vectors in single precision may be off
CANDIDATES: Final = 8  # embeddings looked at for each SKU that is asked for, to begin with
AT_ONCE: Final = 8192  # embeddings in full precision at a time


class DescribesPictures(Protocol):
    """Pictures to descriptors: what a gallery is made with and searched with.

    A descriptor may also have a method `exemplar_embeddings(pictures) -> list of (V, D)`:
    several for each exemplar picture (rotated, masked, cropped), where a query gets one.
    """

    @property
    def recipe(self) -> Mapping[str, Any]:
        """All that decides a descriptor, as plain JSON values; `name` is one of them."""
        ...

    def __call__(self, pictures: Sequence[NDArray[np.uint8]]) -> FloatArray:
        """Unit vectors (N, D) of N pictures (H, W, 3) uint8 RGB, each a crop of one product."""
        ...


@dataclass(frozen=True)
class Hit:
    """One answer.

    Attributes:
        sku: what it may be.
        score: best inner product of the query with an embedding of this SKU: -1 to 1.
        photo: the exemplar that is most like it.
        row: the number of that exemplar's embedding in the gallery.
    """

    sku: Sku
    score: float
    photo: Photo
    row: int


@dataclass(frozen=True, eq=False)
class Gallery:
    """A gallery as it was when it was opened; later changes do not show.

    Example:
        >>> gallery = Gallery.open("gallery")
        >>> gallery.names
        ('cola', 'soap', 'tea')

    Attributes:
        folder: where it lies.
        state: what it holds.
        embeddings: (M, D) float16.
        photos: of all SKUs, one after the other.
        photo_of: (M,) number of the photo; -1 for embeddings out of use.
        sku_of: (M,) number of the SKU; -1 likewise.
        index: searches the embeddings.
    """

    folder: Path
    state: GalleryState
    embeddings: NDArray[np.float16] = field(repr=False)
    photos: tuple[Photo, ...] = field(repr=False)
    photo_of: NDArray[np.int64] = field(repr=False)
    sku_of: NDArray[np.int64] = field(repr=False)
    index: Index = field(repr=False)

    @classmethod
    def open(
        cls, folder: str | Path, recipe: Recipe | None = None, kind: Kind | None = None
    ) -> Gallery:
        """Read a gallery into memory.

        Args:
            folder: where it lies.
            recipe: of the descriptors that will be asked for; None where nothing will be.
            kind: of search; None takes the stored index where there is one, else the exact search.

        Raises:
            DataError: there is no gallery, it is damaged, or made with another recipe.
        """
        folder = Path(folder)
        with files.reading(folder):
            state = files.read_state(folder)
            if recipe is not None:
                check_recipe(state, recipe, folder)
            return _load(folder, state, kind)

    @classmethod
    def of_state(cls, folder: Path, state: GalleryState, kind: Kind | None = None) -> Gallery:
        """Read what a state names; for the process that keeps those files in place.

        Raises:
            DataError: a file is missing or damaged.
        """
        return _load(folder, state, kind)

    def __len__(self) -> int:
        return len(self.state.skus)

    @property
    def names(self) -> tuple[str, ...]:
        """The SKUs' names, sorted."""
        return tuple(sku.name for sku in self.state.skus)

    @property
    def taxonomy(self) -> Taxonomy:
        """The SKUs as a data set's categories: labels go by category id, not by name.

        Raises:
            DataError: the gallery is empty.
        """
        if not self.state.skus:
            raise DataError(f"{self.folder}: the gallery is empty; add a SKU's photos first")
        return Taxonomy(Category(s.category_id, s.name, title=s.title) for s in self.state.skus)

    def search(
        self, queries: NDArray[np.floating], count: int = 5, effort: int | None = None
    ) -> list[list[Hit]]:
        """The `count` SKUs most like each query, best first; equal scores go by name.

        Args:
            queries: (N, D), not zero.
            count: of SKUs; fewer come back where the gallery holds fewer.
            effort: of an approximate search, see `rpc.retrieval.gallery.index.search_embeddings`.

        Raises:
            ValueError: another shape, a NaN, a zero query, or no SKU asked for.
        """
        unit = unit_embeddings(queries, self.state.dimension, "queries")
        if count < 1:
            raise ValueError(f"search: expected a count of 1 or more, got {count}")
        if not self.state.skus:
            return [[] for _ in unit]
        count = min(count, len(self.state.skus))
        return [self._hits(query, count, effort) for query in unit]

    def similarities(self, queries: NDArray[np.floating]) -> NDArray[np.float64]:
        """Best inner product (N, K) of each query with each SKU, by name; exact.

        To the last bit the same whatever other SKUs are in the gallery.

        Raises:
            ValueError: another shape, a NaN or a zero query.
        """
        unit = unit_embeddings(queries, self.state.dimension, "queries")
        best = np.full((len(unit), len(self.state.skus)), -1.0)
        if len(unit) == 0 or len(self.state.skus) == 0:
            return best
        live = np.flatnonzero(self.sku_of >= 0)
        owner = self.sku_of[live]
        near = self._products(unit, live)  # (N, live embeddings), single precision
        top = np.full(best.shape, -np.inf, np.float32)
        for row, found in enumerate(near):
            np.maximum.at(top[row], owner, found)
            close = np.flatnonzero(found >= top[row][owner] - ROUNDING)
            np.maximum.at(
                best[row], owner[close], pair_scores(unit[row], self.embeddings[live[close]])
            )
        return best

    def _products(self, unit: FloatArray, live: NDArray[np.int64]) -> FloatArray:
        parts = []
        for start in range(0, len(live), AT_ONCE):
            block = self.embeddings[live[start : start + AT_ONCE]].astype(np.float32)
            parts.append(unit @ block.T)
        return np.concatenate(parts, axis=1)

    def _hits(self, query: FloatArray, count: int, effort: int | None) -> list[Hit]:
        """Look at more and more embeddings until `count` SKUs are sure."""
        want = min(CANDIDATES * count, self.index.ntotal)
        while True:
            near, found = search_embeddings(self.index, query[None], want, effort)
            candidates = found[0][found[0] >= 0]
            candidates = candidates[self.sku_of[candidates] >= 0]
            hits = self._best_by_sku(query, candidates)[:count]
            if want == self.index.ntotal or (found < 0).any():
                return hits  # there is nothing more to look at
            # A SKU whose score stands clear of the last candidate's has no better one further down.
            if len(hits) == count and hits[-1].score > near[0, -1] + ROUNDING:
                return hits
            want = min(4 * want, self.index.ntotal)

    def _best_by_sku(self, query: FloatArray, candidates: NDArray[np.int64]) -> list[Hit]:
        """One hit a SKU among candidates (C,), numbers of embeddings, best first."""
        scores = pair_scores(query, self.embeddings[candidates])
        order = np.lexsort((self.photo_of[candidates], self.sku_of[candidates], -scores))
        hits: dict[int, Hit] = {}
        for place in order.tolist():
            sku = int(self.sku_of[candidates[place]])
            if sku not in hits:
                row = int(candidates[place])
                photo = self.photos[int(self.photo_of[row])]
                hits[sku] = Hit(self.state.skus[sku], float(scores[place]), photo, row)
        return list(hits.values())


def unit_embeddings(vectors: NDArray[np.floating], dimension: int, what: str) -> FloatArray:
    """Vectors (N, D) as float32 of unit length.

    Raises:
        ValueError: another shape, NaN or infinity, or a vector of zeros.
    """
    array = np.asarray(vectors, dtype=np.float32)
    if array.ndim != 2 or (len(array) and array.shape[1] != dimension):
        raise ValueError(f"{what}: expected (N, {dimension}), got {array.shape}")
    bad = np.flatnonzero(~np.isfinite(array).all(axis=1))
    if len(bad):
        raise ValueError(f"{what}: vector {bad[0]} is not finite; its picture has no descriptor")
    length = np.linalg.norm(array.astype(np.float64), axis=1, keepdims=True)
    zero = np.flatnonzero(length < 1e-12)
    if len(zero):
        raise ValueError(f"{what}: vector {zero[0]} is zero; its picture has no descriptor")
    return np.asarray(array / length, dtype=np.float32)


def check_recipe(state: GalleryState, recipe: Recipe, folder: object) -> None:
    """Make sure that descriptors of a recipe can be compared with those of a gallery.

    Raises:
        DataError: a field differs.
    """
    mine, other = dict(state.recipe), dict(recipe)
    for name in sorted({*mine, *other}):
        if mine.get(name) != other.get(name):
            raise DataError(
                f"{folder}: its descriptors were made with {name} = {mine.get(name)!r:.60}, not "
                f"{other.get(name)!r:.60}; choose that recipe, or add the photos to a new gallery"
            )


def _load(folder: Path, state: GalleryState, kind: Kind | None) -> Gallery:
    stored = state.index if kind is None or (state.index and state.index.kind == kind) else None
    segments = list(state.segments)
    if stored is not None:  # the embeddings of the index come first, in its order
        place = {name: number for number, name in enumerate(stored.segments)}
        segments.sort(key=lambda segment: place.get(segment.file, len(place)))
    parts = [files.read_segment(folder, segment, state.dimension) for segment in segments]
    empty = np.zeros((0, state.dimension), np.float16)
    embeddings = parts[0] if len(parts) == 1 else np.concatenate([empty, *parts])
    del parts
    photo_of, sku_of = _owners(state, segments)
    if stored is None:
        if (sku_of < 0).any():
            live = sku_of >= 0
            embeddings = embeddings[live]
            photo_of, sku_of = photo_of[live], sku_of[live]
        index = build_index(kind or "exact", embeddings)
    else:
        path = folder / files.INDEXES / stored.file
        files.read_checked(path, stored.crc32)
        index = read_index(path, state.dimension)
        covered = set(stored.segments)
        if covered - {segment.file for segment in segments}:
            raise DataError(f"{path}: belongs to another state of the gallery; build it anew")
        if index.ntotal != sum(s.count for s in segments if s.file in covered):
            raise DataError(f"{path}: holds {index.ntotal} embeddings, not those of the gallery")
        add_embeddings(index, embeddings[index.ntotal :])
    photos = tuple(photo for sku in state.skus for photo in sku.photos)
    return Gallery(folder, state, embeddings, photos, photo_of, sku_of, index)


def _owners(
    state: GalleryState, segments: Sequence[Segment]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Photo and SKU (M,) of each embedding of the segments; -1 for those that nobody uses."""
    starts, total = {}, 0
    for segment in segments:
        starts[segment.file] = total
        total += segment.count
    photo_of, sku_of = np.full(total, -1, np.int64), np.full(total, -1, np.int64)
    number = 0
    for which, sku in enumerate(state.skus):
        for photo in sku.photos:
            first = starts[photo.segment]
            photo_of[first + photo.start : first + photo.stop] = number
            sku_of[first + photo.start : first + photo.stop] = which
            number += 1
    return photo_of, sku_of
