"""Names products by their exemplars in a gallery: a new one is known as soon as its photos are in.

Key: N boxes of a photo of H x W pixels, K SKUs of the gallery by category id, J SKUs of a trained
recogniser; the last column of probabilities is 'none of them'.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rpc.data.files import DataError
from rpc.data.taxonomy import Taxonomy
from rpc.recognition.box_classifier import BoxClassifier, SeesPictures
from rpc.recognition.ensemble.gallery_features import gallery_with_features, joined_embeddings
from rpc.retrieval.descriptors.product_crops import crop_products
from rpc.retrieval.gallery.comparison import Comparison
from rpc.retrieval.gallery.fusion import Fusion, known_labels
from rpc.retrieval.gallery.gallery import DescribesPictures, Gallery
from rpc.retrieval.gallery.open_set import OpenSet

FEATURES: Final = "features"  # field of a fusion: the recogniser's features count
FloatArray = NDArray[np.float64]
Rgb = NDArray[np.uint8]


class GalleryClassifier:
    """Boxes to probabilities of the gallery's SKUs, and of 'not in the gallery'.

    Args:
        gallery: the exemplars.
        describe: makes the descriptors of crops; its recipe is the gallery's.
        open_set: what is too unlike everything; by default what was chosen for this gallery, or
            `OpenSet()` where nothing was.
        recogniser: a trained one that is asked as well; None asks the gallery alone.
        recogniser_names: its J SKUs by label.
        fusion: how much it counts; by default what was chosen for this gallery.

    Crops are compared with the exemplars as the gallery was tuned
    (`rpc.retrieval.gallery.comparison`); where it was tuned together with a recogniser, by what the
    recogniser sees, too (`rpc.recognition.ensemble.gallery_features`).

    Raises:
        DataError: the gallery is empty, its settings are damaged, or a recogniser is given and
            neither a fusion nor one chosen for this gallery.
    """

    def __init__(
        self,
        gallery: Gallery,
        describe: DescribesPictures,
        open_set: OpenSet | None = None,
        *,
        recogniser: BoxClassifier | None = None,
        recogniser_names: tuple[str, ...] = (),
        fusion: Fusion | None = None,
    ) -> None:
        self.gallery = gallery
        self.describe = describe
        self.taxonomy: Taxonomy = gallery.taxonomy
        self.recogniser = recogniser
        settings = gallery.state.settings
        together = settings.get("fusion") or {}
        self.sees: SeesPictures | None = None
        if recogniser is not None and fusion is None and together.get(FEATURES) is True:
            self.sees = seeing(recogniser)
            gallery, settings = gallery_with_features(gallery, self.sees), together
        try:
            self.open_set = open_set or _open_set(settings)
            self.fusion = fusion or _fusion(self.gallery.state.settings)
            self.comparison = Comparison.of_settings(gallery, settings)
        except ValueError as error:
            raise DataError(f"{gallery.folder}: {error}; tune it anew") from error
        if recogniser is not None and self.fusion is None:
            raise DataError(
                f"{gallery.folder}: no weight of the model's recogniser was chosen yet; "
                "run rpc-checkout gallery tune with --model, or leave --fusion out"
            )
        place = {name: number for number, name in enumerate(gallery.names)}
        self._by_label = np.array([place[name] for name in self.taxonomy.names], dtype=np.int64)
        self._known = known_labels(self.taxonomy.names, recogniser_names)

    def probabilities(self, rgb: Rgb, boxes: FloatArray) -> FloatArray:
        """Probabilities (N, K + 1), rows summing to 1, of boxes (N, 4) of a photo (H, W, 3)."""
        probabilities = (
            None if self.recogniser is None else self.recogniser.probabilities(rgb, boxes)
        )
        return self.joined_probabilities(self.similarities(rgb, boxes), probabilities)

    def similarities(self, rgb: Rgb, boxes: FloatArray) -> FloatArray:
        """Best similarity (N, K) of each box's crop with each SKU, by label.

        A crop without a descriptor (nothing on it) is unlike everything: -1.
        """
        return self.similarities_of(self.embeddings(rgb, boxes))

    def embeddings(self, rgb: Rgb, boxes: FloatArray) -> FloatArray:
        """Descriptors (N, D) of each box's crop; behind them what a recogniser sees."""
        crops = crop_products(rgb, boxes)
        if not crops:
            return np.zeros((0, self.comparison.original.state.dimension))
        found = np.asarray(self.describe(crops), dtype=np.float64)
        return found if self.sees is None else joined_embeddings(found, self.sees.features(crops))

    def similarities_of(self, embeddings: FloatArray) -> FloatArray:
        """As `similarities`, of descriptors (N, D), whatever stands behind them."""
        own = embeddings[:, : self.comparison.original.state.dimension]
        return self.comparison.similarities(own)[:, self._by_label]

    def with_features(self) -> GalleryClassifier:
        """The same, by its recogniser's features, too, as far as it gives any; not tuned."""
        if not isinstance(self.recogniser, SeesPictures):
            return self
        other = copy(self)
        other.sees = self.recogniser
        other.comparison = Comparison(gallery_with_features(self.gallery, self.recogniser))
        return other

    def with_comparison(self, comparison: Comparison) -> GalleryClassifier:
        """The same, comparing crops and exemplars in another way."""
        other = copy(self)
        other.comparison = comparison
        return other

    def joined_probabilities(
        self, similarities: FloatArray, probabilities: FloatArray | None
    ) -> FloatArray:
        """(N, K + 1) of similarities (N, K) and a recogniser's probabilities (N, J + 1)."""
        found = self.open_set.probabilities(similarities)
        if probabilities is None:
            return found
        assert self.fusion is not None, "checked when it was made"
        return self.fusion.join(found, probabilities, self._known)

    @property
    def known(self) -> NDArray[np.int64]:
        """The recogniser's label (K,) of each SKU of the gallery; -1 where it knows none."""
        return self._known


def seeing(recogniser: BoxClassifier) -> SeesPictures:
    """The recogniser, which must give features.

    Raises:
        DataError: it gives none.
    """
    if isinstance(recogniser, SeesPictures):
        return recogniser
    raise DataError("this gallery was tuned with a model's own recogniser: give that model")


def _open_set(settings: Mapping[str, Any]) -> OpenSet:
    return OpenSet.from_dict(settings["open_set"]) if "open_set" in settings else OpenSet()


def _fusion(settings: Mapping[str, Any]) -> Fusion | None:
    return Fusion.from_dict(settings["fusion"]) if "fusion" in settings else None
