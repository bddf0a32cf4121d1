"""The affine map that lays one picture on another, as far as their key points agree on one.

First a similarity, which few pairs fix and which hardly ever arises by chance; then, of the pairs
near to it, an affine map, for packs that are seen aslant.

Key: Q pairs of points.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float32]

LEAST: Final = 4  # pairs that agree
SIMILAR: Final = 8.0  # px: how far off its place a point may lie under the similarity
NEAR: Final = 14.0  # px: pairs that the affine map is sought among
CLOSE: Final = 5.0  # px: how far off its place a point may lie under the affine map
SCALES: Final = (0.3, 3.3)
LEAST_AFFINE: Final = 6  # pairs that agree on it, and
KEPT: Final = 0.8  # share of the pairs of the similarity that must
STRETCH: Final = (0.2, 4.0, 3.0)  # least and largest scale of the affine map, and their ratio
TRIALS: Final = 500


@dataclass(frozen=True, eq=False)
class Alignment:
    """A map from one picture to another.

    Attributes:
        matrix: (2, 3), of points (x, y, 1).
        agree: (Q,) which pairs agree on it.
    """

    matrix: NDArray[np.float64]
    agree: NDArray[np.bool_]

    @property
    def count(self) -> int:
        """How many pairs agree."""
        return int(self.agree.sum())


def align(start: Points, end: Points) -> Alignment | None:
    """The map from points `start` (Q, 2) to `end` (Q, 2) that most agree on; None without one."""
    if len(start) < LEAST:
        return None
    found, inside = cv2.estimateAffinePartial2D(
        start, end, method=cv2.RANSAC, ransacReprojThreshold=SIMILAR, maxIters=TRIALS
    )
    if found is None:
        return None
    agree = inside.ravel() == 1
    # A map that shrinks all to a dot agrees with many points that share one partner.
    places = np.unique(np.round(end[agree] / 2), axis=0)
    scale = float(np.hypot(found[0, 0], found[1, 0]))
    if len(places) < LEAST or not SCALES[0] < scale < SCALES[1]:
        return None
    similar = Alignment(np.asarray(found, dtype=np.float64), agree)
    return _affine(start, end, similar) or similar


def _affine(start: Points, end: Points, similar: Alignment) -> Alignment | None:
    """A map that also shears, where nearly as many pairs agree on it more closely."""
    near = np.flatnonzero(_off(similar.matrix, start, end) < NEAR)
    if len(near) < LEAST_AFFINE + 2:
        return None
    found, inside = cv2.estimateAffine2D(
        start[near], end[near], method=cv2.RANSAC, ransacReprojThreshold=CLOSE, maxIters=TRIALS
    )
    if found is None or inside.sum() < max(LEAST_AFFINE, KEPT * similar.count):
        return None
    large, small = np.linalg.svd(found[:, :2], compute_uv=False)
    least, largest, ratio = STRETCH
    if small <= least or large >= largest or large >= ratio * small:
        return None
    if np.linalg.det(found[:, :2]) <= 0:  # seen in a mirror
        return None
    matrix = np.asarray(found, dtype=np.float64)
    return Alignment(matrix, _off(matrix, start, end) < CLOSE)


def _off(matrix: NDArray[np.float64], start: Points, end: Points) -> NDArray[np.float64]:
    """How far (Q,) the points lie off their places, in pixels."""
    away = start @ matrix[:, :2].T + matrix[:, 2] - end
    return np.asarray(np.hypot(away[:, 0], away[:, 1]))
