"""Do two pictures show the same print, rotated, scaled and shifted? Local features decide.

RootSIFT (Arandjelovic & Zisserman, CVPR 2012) at SIFT's key points, matched by the ratio test
(Lowe, IJCV 2004), then the similarity transform that most matches agree on (RANSAC). The number of
matches that agree is the evidence: look-alikes that differ in a word agree in fewer places.

Key: P key points of a picture of H x W pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from rpc.features.encodings.root_sift import root_sift
from rpc.features.local.key_points import mutual_pairs

FloatArray = NDArray[np.float32]
Rgb = NDArray[np.uint8]

SIDE: Final = 256  # px: longest side that pictures are scaled to, up or down
MOST: Final = 400  # key points of a picture
RATIO: Final = 0.8  # nearest descriptor over the second nearest
AGREE: Final = 6.0  # px: how far from its place a match may lie
LEAST: Final = 4  # matches: two fix a similarity, so fewer agree by chance
HALF: Final = 20.0  # agreeing matches that are half of all evidence there can be


@dataclass(frozen=True, eq=False)
class LocalFeatures:
    """Key points and descriptors of one picture.

    Attributes:
        points: (P, 2) x, y in pixels of the scaled picture.
        descriptors: (P, 128) RootSIFT, each of unit length.
    """

    points: FloatArray
    descriptors: FloatArray


@dataclass(frozen=True)
class Agreement:
    """The agreement of two pictures.

    Attributes:
        inliers: matches that agree on one transform; 0 where there is none.
        matches: matches that passed the ratio test.
        degrees: rotation from the first picture to the second, -180 to 180.
        scale: of the second picture against the first.
    """

    inliers: int
    matches: int
    degrees: float = 0.0
    scale: float = 1.0


def local_features(rgb: Rgb) -> LocalFeatures:
    """RootSIFT of a picture (H, W, 3); none where nothing is printed on it."""
    grey = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY)
    factor = SIDE / max(grey.shape)
    size = (max(round(grey.shape[1] * factor), 1), max(round(grey.shape[0] * factor), 1))
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    small = cv2.resize(grey, size, interpolation=how)
    sift: Any = cv2.SIFT_create(nfeatures=MOST)  # type: ignore[attr-defined]
    found, raw = sift.detectAndCompute(small, None)
    if raw is None or len(found) == 0:
        return LocalFeatures(np.zeros((0, 2), np.float32), np.zeros((0, 128), np.float32))
    points = np.array([point.pt for point in found], dtype=np.float32)
    return LocalFeatures(points, root_sift(raw).astype(np.float32))


def agreement(first: LocalFeatures, second: LocalFeatures) -> Agreement:
    """Matches of two pictures that agree on a shift, a rotation and a scale."""
    pairs = mutual_pairs(first.descriptors, second.descriptors, RATIO)
    if len(pairs) < LEAST:
        return Agreement(0, len(pairs))
    start, end = first.points[pairs[:, 0]], second.points[pairs[:, 1]]
    transform, inside = cv2.estimateAffinePartial2D(
        start, end, method=cv2.RANSAC, ransacReprojThreshold=AGREE, maxIters=1000, confidence=0.99
    )
    if transform is None:
        return Agreement(0, len(pairs))
    scale = float(np.hypot(transform[0, 0], transform[1, 0]))
    # A transform that shrinks all to a dot agrees with many points that share one partner.
    places = np.unique(np.round(end[inside.ravel() == 1]), axis=0)
    agreeing = min(int(inside.sum()), len(places))
    if agreeing < LEAST or not 0.2 < scale < 5:
        return Agreement(0, len(pairs))
    degrees = float(np.degrees(np.arctan2(transform[1, 0], transform[0, 0])))
    return Agreement(agreeing, len(pairs), degrees, scale)


def verified_scores(
    scores: NDArray[np.floating], inliers: NDArray[np.int64], weight: float = 0.2
) -> NDArray[np.float64]:
    """Similarities (C,) of candidates raised by what local features say of them.

    score + weight * n / (n + 20), n the matches that agree: the first ones say most. The weight is
    chosen on validation; 0 changes nothing.

    Raises:
        ValueError: lengths differ, or the weight is negative.
    """
    if np.shape(scores) != np.shape(inliers) or weight < 0:
        raise ValueError(
            f"verification: expected as many scores as inliers and a weight of at least 0, got "
            f"{np.shape(scores)}, {np.shape(inliers)}, {weight}"
        )
    return np.asarray(scores + weight * inliers / (inliers + HALF), dtype=np.float64)
