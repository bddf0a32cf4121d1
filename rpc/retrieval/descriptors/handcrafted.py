"""Hand-crafted fine-grained retrieval, in the spirit of Xie et al., TMM 2015.

Local descriptors without any learning from labels: dense RootSIFT, rotated and cut by PCA, encoded
as a bag of words (coarse) and a Fisher vector (fine). A query first decides which groups of the
gallery it belongs to, then is ranked within them. The groups are clusters of the gallery's own
bags, so no label is used. This follows the paper's idea, not its figures: none are claimed.

Key: M local descriptors, N images, Q queries, G gallery images, D and E dimensions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rpc.features.encodings.local_encodings import (
    BagOfWords,
    FisherVector,
    fit_bag_of_words,
    fit_centres,
    fit_fisher,
)
from rpc.features.encodings.normalise import l2_normalised
from rpc.features.encodings.whitening import Whitening, fit_whitening

FloatArray = NDArray[np.floating[Any]]

PCA: Final = 64  # dimensions kept of a local descriptor
GAUSSIANS: Final = 64
WORDS: Final = 256
PROBES: Final = 3  # groups that a query looks into


@dataclass(frozen=True)
class HandCrafted:
    """Local descriptors (M, 128) of an image to its two vectors.

    Attributes:
        pca: principal axes of local descriptors.
        words: of the coarse vector.
        fisher: of the fine vector.
    """

    pca: Whitening
    words: BagOfWords
    fisher: FisherVector

    def coarse(self, descriptors: FloatArray) -> FloatArray:
        """Bag of words, unit length (K,)."""
        return self.words(self.pca.scores(descriptors))

    def fine(self, descriptors: FloatArray) -> FloatArray:
        """Fisher vector, unit length (2 * K * C,)."""
        return self.fisher(self.pca.scores(descriptors))


def fit_hand_crafted(
    descriptors: FloatArray,
    seed: int,
    *,
    dimension: int = PCA,
    gaussians: int = GAUSSIANS,
    words: int = WORDS,
) -> HandCrafted:
    """Fit all three on local descriptors (M, 128) of gallery images.

    Raises:
        ValueError: fewer descriptors than words or Gaussians.
    """
    pca = fit_whitening(descriptors, dimension)
    scores = pca.scores(descriptors)
    return HandCrafted(
        pca, fit_bag_of_words(scores, words, seed), fit_fisher(scores, gaussians, seed)
    )


def two_stage_similarity(
    fine: tuple[FloatArray, FloatArray],
    coarse: tuple[FloatArray, FloatArray],
    *,
    groups: int,
    seed: int,
    probes: int = PROBES,
) -> FloatArray:
    """Cosine of the fine vectors, gallery images of the query's nearest groups before all others.

    Args:
        fine: of the queries (Q, D) and of the gallery (G, D).
        coarse: of the queries (Q, E) and of the gallery (G, E); the gallery's are clustered.
        groups: how many clusters, at most G.
        seed: of the clustering.
        probes: how many of the nearest groups come first.

    Returns:
        (Q, G): the cosine, and 2 more within the groups that come first.

    Raises:
        ValueError: the shapes do not fit, or there are more groups than gallery images.
    """
    (query, gallery), (query_coarse, gallery_coarse) = fine, coarse
    if len(query) != len(query_coarse) or len(gallery) != len(gallery_coarse) or probes < 1:
        raise ValueError(
            f"expected as many coarse vectors as fine ones and a probe, got {len(query_coarse)} "
            f"for {len(query)} queries, {len(gallery_coarse)} for {len(gallery)} gallery images, "
            f"{probes} probes"
        )
    centres = l2_normalised(fit_centres(gallery_coarse, groups, seed))
    group = (gallery_coarse @ centres.T).argmax(axis=1)  # (G,)
    order = np.argsort(-(query_coarse @ centres.T), axis=1, kind="stable")[:, :probes]
    first = (order[:, :, None] == group).any(axis=1)  # (Q, G)
    similarity: FloatArray = l2_normalised(query) @ l2_normalised(gallery).T + 2.0 * first
    return similarity
