"""Recipes for naming crops, and what each of them answers.

Key: N queries, E exemplars, K SKUs, T turns, D dimensions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from rpc.data.entry_photo import read_entry_photo
from rpc.data.files import DataError
from rpc.data.store import Split, Store
from rpc.features.encodings.discriminant import Discriminant, read_discriminant
from rpc.features.encodings.normalise import l2_normalised
from rpc.retrieval.descriptors.map_statistics import Statistic
from rpc.retrieval.descriptors.product_crops import crop_products
from rpc.retrieval.descriptors.product_descriptor import MEASURED, PROJECTION, TURNS, MapStatistics
from rpc.retrieval.descriptors.product_mask import product_mask
from rpc.retrieval.descriptors.rotation import rotated
from rpc.retrieval.gallery.camera import CameraMean
from rpc.retrieval.gallery.own_scatter import OwnScatter
from rpc.retrieval.reranking.verification import agreement, local_features, verified_scores
from rpc.runs.devices import resolve_device

Rgb = NDArray[np.uint8]
Embeddings = NDArray[np.float32]
Progress = Callable[[int], None]

BOTTLENECK: Final[tuple[tuple[int, Statistic], ...]] = ((2, "mean"), (2, "max"))
WINDOW: Final = 0.8  # of width and height
LOOKED_AT: Final = 10  # SKUs whose photos are compared by local features


@dataclass(frozen=True)
class Recipe:
    """One way to name a crop.

    Attributes:
        what: in words, for the table.
        side: px.
        fill: grey level around a crop.
        measured: statistics that are taken.
        projected: by the learnt discriminant.
        turns: of an exemplar, evenly over the circle.
        merged: their mean instead of the best of them.
        masked: "" or "exemplars" or "both": painted white around the product.
        verified: local features look again at the first ten.
        camera: half of the mean of the other groups' crops is taken off, as a tuned gallery does.
        scatter: the exemplars' own scatter is made small first, likewise.
        windows: crops of a picture whose descriptors are summed: 1 is the whole, 6 are the whole,
            its middle and its four corners, each four fifths as wide and high.
    """

    what: str
    side: int = 192
    fill: int = 255
    measured: tuple[tuple[int, Statistic], ...] = MEASURED
    projected: bool = False
    turns: int = TURNS
    merged: bool = False
    masked: str = ""
    verified: bool = False
    windows: int = 1
    camera: bool = False
    scatter: bool = False


RECIPES: Final = {
    "grey": Recipe("mean & max of the last stage, 224 px on grey", 224, 127, BOTTLENECK, turns=4),
    "plain": Recipe("mean & max of the last stage, 192 px on white", measured=BOTTLENECK, turns=4),
    "depths": Recipe("statistics of five layers, no projection", turns=4),
    "product": Recipe("the default: five layers, projected", projected=True),
    "camera": Recipe("the default, less its camera's mean", projected=True, camera=True),
    "tuned": Recipe(
        "the default, own scatter made small, less its camera's mean",
        projected=True,
        camera=True,
        scatter=True,
    ),
    "eight turns": Recipe("the default, exemplars in eight directions", projected=True, turns=8),
    "one turn": Recipe("the default, exemplars as they lie", projected=True, turns=1),
    "merged": Recipe("the default, mean of the turns", projected=True, merged=True),
    "masked exemplars": Recipe("the default, exemplars masked", projected=True, masked="exemplars"),
    "masked": Recipe("the default, both masked", projected=True, masked="both"),
    "several crops": Recipe(
        "the default, the sum of the whole and five windows", projected=True, windows=6
    ),
    "verified": Recipe(
        "the default, local features on the first ten", projected=True, verified=True
    ),
}


@dataclass(frozen=True, eq=False)
class Crops:
    """Crops of one product each.

    Attributes:
        pictures: N of them.
        labels: (N,) of the store's taxonomy.
        groups: (N,) cart where the file tells it, else the photo's name.
        names: of the photos.
        boxes: (N, 4) on them, px.
    """

    pictures: list[Rgb]
    labels: NDArray[np.int64]
    groups: NDArray[np.str_]
    names: list[str]
    boxes: NDArray[np.float64]


def read_crops(store: Store, split: Split) -> Crops:
    """All boxes of a split, cut out.

    Raises:
        DataError: the split is missing, damaged or empty, or a photo is.
    """
    dataset = store.split(split)
    pictures: list[Rgb] = []
    labels, groups, names = [], [], []
    places: list[NDArray[np.float64]] = []
    for image in dataset.images:
        annotations = dataset.annotations_of(image.id)
        if not annotations:
            continue
        rgb = read_entry_photo(store.image_path(split, image), (image.width, image.height))
        boxes = np.array([annotation.bbox for annotation in annotations])
        pictures += [crop.copy() for crop in crop_products(rgb, boxes)]
        places.append(boxes)
        for annotation in annotations:
            labels.append(store.taxonomy.label(annotation.category_id))
            groups.append(str(image.extra.get("cart", image.file_name)))
            names.append(image.file_name)
    if not pictures:
        raise DataError(f"{store.json_path(split)}: has no box; nothing to name")
    boxes = np.concatenate(places).astype(np.float64)
    return Crops(pictures, np.array(labels), np.array(groups), names, boxes)


class Naming:
    """Answers of recipes; what several of them need is computed once.

    Args:
        exemplars: the gallery.
        queries: what is to be named.
        projection: file of the discriminant; None takes the package's own.
        device: that the network runs on, see `rpc.runs.devices`.

    Raises:
        DataError: SKUs of the queries have no exemplar, the projection's file is damaged, or an
            unknown device.
    """

    def __init__(
        self,
        exemplars: Crops,
        queries: Crops,
        projection: Any = None,
        *,
        device: str | torch.device = "cpu",
    ) -> None:
        self.device = resolve_device(device)
        self.exemplars = exemplars
        self.queries = queries
        self.skus, self.owner = np.unique(exemplars.labels, return_inverse=True)
        missing = np.setdiff1d(queries.labels, self.skus)
        if len(missing):
            raise DataError(f"{len(missing)} SKUs of the queries have no exemplar")
        self.truth = np.searchsorted(self.skus, queries.labels)
        self._projection: Discriminant = read_discriminant(projection or PROJECTION)[0]
        self._statistics = cache(self._measure)
        self._progress: Progress = lambda _: None

    def photo_scores(self, recipe: Recipe, progress: Progress | None = None) -> NDArray[np.float64]:
        """Likeness (N, E) of queries and exemplar photos, the best over the turns."""
        self._progress = progress or (lambda _: None)
        sides = (recipe.masked == "both", bool(recipe.masked))
        queries = self._embeddings("queries", recipe, sides[0], 0.0)
        turns = [
            self._embeddings("exemplars", recipe, sides[1], 360 * turn / recipe.turns)
            for turn in range(recipe.turns)
        ]
        if recipe.merged:
            turns = [l2_normalised(np.sum(turns, axis=0))]
        queries, turns = self._tuned(recipe, queries, turns)
        scores = np.max([queries @ embeddings.T for embeddings in turns], axis=0).astype(np.float64)
        return self._verified(scores) if recipe.verified else scores

    def _tuned(
        self, recipe: Recipe, queries: Embeddings, turns: list[Embeddings]
    ) -> tuple[Embeddings, list[Embeddings]]:
        """Queries (N, D) and exemplars T x (E, D) as a tuned gallery compares them.

        The mean is that of the other groups' crops, so that none of a query's own tray is in it.
        """
        if recipe.scatter:
            photos = np.tile(np.arange(len(self.owner)), len(turns))
            scatter = OwnScatter.of_embeddings(
                np.concatenate(turns), np.tile(self.owner, len(turns)), photos
            )
            if scatter is not None:
                queries = scatter(queries).astype(np.float32)
                turns = [scatter(embeddings).astype(np.float32) for embeddings in turns]
        if recipe.camera:
            seen, queries = queries, queries.copy()
            for group in np.unique(self.queries.groups):
                own = self.queries.groups == group
                camera = CameraMean.of_crops(seen[~own])
                queries[own] = seen[own] if camera is None else camera(seen[own])
        return queries, turns

    def sku_scores(self, photo_scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Likeness (N, K) of each SKU's best photo."""
        best = np.full((len(photo_scores), len(self.skus)), -np.inf)
        for column, sku in enumerate(self.owner):
            best[:, sku] = np.maximum(best[:, sku], photo_scores[:, column])
        return best

    def _embeddings(self, which: str, recipe: Recipe, masked: bool, degrees: float) -> Embeddings:
        """Descriptors (N or E, D) of queries or exemplars, seen one way."""
        finish = self._finisher(recipe)
        key = (recipe.side, recipe.fill)
        measured = MEASURED if key == (192, 255) else recipe.measured
        windows = [
            finish(self._statistics(which, *key, measured, masked, degrees, window))
            for window in range(recipe.windows)
        ]
        return windows[0] if len(windows) == 1 else l2_normalised(np.sum(windows, axis=0))

    def _measure(
        self,
        which: str,
        side: int,
        fill: int,
        measured: tuple[tuple[int, Statistic], ...],
        masked: bool,
        degrees: float,
        window: int,
    ) -> Embeddings:
        crops = self.queries if which == "queries" else self.exemplars
        pictures = [_white_around(p) for p in crops.pictures] if masked else crops.pictures
        views = [rotated(_window(picture, window), degrees, fill) for picture in pictures]
        embeddings = MapStatistics(side, fill, measured, device=self.device)(views)
        self._progress(len(embeddings))
        return embeddings

    def _finisher(self, recipe: Recipe) -> Callable[[Embeddings], Embeddings]:
        if recipe.projected:
            return self._projection
        if recipe.measured == MEASURED or (recipe.side, recipe.fill) != (192, 255):
            return lambda embeddings: embeddings
        kept = np.concatenate([_columns(one) for one in recipe.measured])
        return lambda embeddings: np.asarray(l2_normalised(embeddings[:, kept]), dtype=np.float32)

    def _verified(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scores by local features of the best photo of the first ten SKUs of each query."""
        found = scores.copy()
        known = [local_features(picture) for picture in self.exemplars.pictures]
        for row, picture in enumerate(self.queries.pictures):
            own = local_features(picture)
            best = [self._best_photo(scores[row], sku) for sku in range(len(self.skus))]
            first = sorted(best, key=lambda photo: -scores[row, photo])[:LOOKED_AT]
            inliers = np.array([agreement(own, known[photo]).inliers for photo in first])
            found[row, first] = verified_scores(scores[row, first], inliers)
        return found

    def _best_photo(self, scores: NDArray[np.float64], sku: int) -> int:
        photos = np.flatnonzero(self.owner == sku)
        return int(photos[scores[photos].argmax()])


def _white_around(picture: Rgb) -> Rgb:
    return np.where(product_mask(picture)[:, :, None], picture, np.uint8(255))


def _window(picture: Rgb, number: int) -> Rgb:
    """0 the whole picture, 1 its middle, 2 to 5 its corners."""
    if number == 0:
        return picture
    height, width = (max(round(side * WINDOW), 1) for side in picture.shape[:2])
    down, right = picture.shape[0] - height, picture.shape[1] - width
    top, left = [
        (down // 2, right // 2), (0, 0), (0, right), (down, 0), (down, right)
    ][number - 1]  # fmt: skip
    return picture[top : top + height, left : left + width]


@cache
def _widths() -> tuple[int, ...]:
    """Columns of each statistic in a row of `MEASURED`."""
    example: Sequence[Rgb] = [np.zeros((32, 32, 3), np.uint8)]
    one = [MapStatistics(32, measured=[part])(example).shape[1] for part in MEASURED]
    return tuple(one)


def _columns(part: tuple[int, Statistic]) -> NDArray[np.int64]:
    place = MEASURED.index(part)
    start = sum(_widths()[:place])
    return np.arange(start, start + _widths()[place])
