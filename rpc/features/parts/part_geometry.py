"""Which part boxes go together: geometric constraints and the joint choice of Part-based R-CNN.

Zhang, Donahue, Girshick, Darrell, ECCV 2014, section 3.2. A choice X of an object and a box of each
part is worth `Delta(X) d_0(x_0) d_1(x_1) ...`, with detectors' scores d and constraints Delta. A
box constraint is 1 or 0; a prior on layouts is scaled to be 1 at most, so that whatever is added to
Delta can only lower it.

Key: R candidates for the object, M for a part, G parts, N layouts, T Gaussians.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rpc.data.packages import needed
from rpc.features.parts.part_boxes import layouts_of, overflow

Floats = NDArray[np.floating[Any]]

# Least deviation of a layout: detectors find a box no more exactly than this, however exactly key
# points lie.
FLOOR: Final = 0.1
NONE: Final = -1  # index of a part that was not found
MISSING: Final = 1e-4  # worth of a part that was not found, where nothing better is known


@dataclass(frozen=True)
class LayoutPrior:
    """A mixture of Gaussians over layouts (see `layouts_of`), as a share of its largest value.

    The largest value is not searched for but bounded, by the sum of the Gaussians' peaks.

    Attributes:
        weights: (T,), their sum is 1.
        means: (T, 4).
        deviations: (T, 4), positive.
    """

    weights: Floats
    means: Floats
    deviations: Floats

    def __call__(self, layouts: Floats) -> NDArray[np.float64]:
        """Worth of layouts (..., 4): (...), from 0 to 1."""
        away = (layouts[..., None, :] - self.means) / self.deviations  # (..., T, 4)
        peaks = self.weights / np.prod(self.deviations, axis=1)
        near = np.exp(-0.5 * np.square(away).sum(axis=-1))
        return np.asarray((near * peaks).sum(axis=-1) / peaks.sum(), np.float64)


def fit_mixture(layouts: Floats, gaussians: int, seed: int) -> LayoutPrior:
    """delta^MG: a mixture fitted on training layouts (N, 4), one Gaussian for 4 of them at most.

    Raises:
        ValueError: no layout.
    """
    if len(layouts) < 2:
        return fit_neighbours(layouts)
    distinct = len(np.unique(np.round(layouts, 6), axis=0))  # annotated by rule, many are equal
    with needed("sklearn"):
        from sklearn.mixture import GaussianMixture
    count = max(min(gaussians, len(layouts) // 4, distinct), 1)
    fitted = GaussianMixture(
        count, covariance_type="diag", reg_covar=FLOOR**2, random_state=seed
    ).fit(np.asarray(layouts, np.float64))
    return LayoutPrior(fitted.weights_, fitted.means_, np.sqrt(fitted.covariances_))


def fit_neighbours(layouts: Floats) -> LayoutPrior:
    """delta^NP: one Gaussian around the layouts (N, 4) of the training photos that look alike.

    Raises:
        ValueError: no layout.
    """
    if not len(layouts):
        raise ValueError("layout prior: expected a layout, got none")
    spread = np.sqrt(np.var(layouts, axis=0) + FLOOR**2)
    return LayoutPrior(np.ones(1), np.mean(layouts, axis=0)[None], spread[None])


def nearest(query: Floats, known: Floats, count: int) -> NDArray[np.intp]:
    """Numbers of the `count` rows of `known` (N, D) that are nearest to `query` (D,), in order."""
    distance = np.square(known - query).sum(axis=1)
    return np.argsort(distance, kind="stable")[:count]


@dataclass(frozen=True)
class Candidates:
    """Boxes that may show something.

    Attributes:
        boxes: (M, 4), x1, y1, x2, y2 px.
        scores: (M,), how sure the detector is, 0 to 1.
    """

    boxes: Floats
    scores: Floats

    def __len__(self) -> int:
        """M."""
        return len(self.scores)


@dataclass(frozen=True)
class Constraints:
    """The terms of Delta.

    Attributes:
        slack: px that a part may reach out of the object (Delta_box); None for no such constraint.
        priors: of the layout of each part; None for no prior on it.
        power: alpha, of the priors.
        missing: what a part that is not found counts in place of its score and prior, one number
            for all parts or one for each. Boxes of lower worth are taken as not found.
    """

    slack: float | None
    priors: Sequence[LayoutPrior | None]
    power: float = 0.1
    missing: float | Sequence[float] = MISSING

    def missing_of(self, part: int) -> float:
        """The worth of a part that is not found."""
        return float(self.missing if isinstance(self.missing, int | float) else self.missing[part])

    def delta(self, objects: Floats, boxes: Floats, part: int) -> NDArray[np.float64]:
        """Delta's factor of a part, (R, M), for objects (R, 4) and boxes (M, 4) of the part."""
        first, second = objects[:, None], boxes[None]
        worth = np.ones((len(objects), len(boxes)))
        prior = self.priors[part]
        if prior is not None:
            worth = prior(layouts_of(second, first)) ** self.power
        if self.slack is not None:
            worth = worth * (overflow(second, first) <= self.slack)
        return worth


def least_worth(worths: Floats, recall: float) -> float:
    """The worth below which a box is not taken for a part: that of all but a few right boxes.

    The paper's detectors have a threshold "set to achieve high recall", and a part of which every
    proposal falls below it counts as not there. Here the threshold is on the score times Delta, and
    is also what a part that is not there counts: a box at the threshold and no box are worth alike.

    Args:
        worths: (N,) of the best right box on each training photo.
        recall: share of them that is kept, 0 to 1.

    Returns:
        At least `MISSING`, which is also the answer where there is no right box.
    """
    if not len(worths):
        return MISSING
    ordered = np.sort(worths)
    lost = min(int((1 - recall) * len(ordered) + 1e-9), len(ordered) - 1)
    return max(float(ordered[lost]) * (1 - 1e-6), MISSING)  # the box at the threshold is taken


@dataclass(frozen=True)
class Choice:
    """A choice of boxes.

    Attributes:
        whole: number of the object's candidate; `NONE` where there was none.
        parts: number of each part's candidate; `NONE` where it was not found.
        worth: the logarithm of Delta(X) d_0 d_1 ...
    """

    whole: int
    parts: tuple[int, ...]
    worth: float


def choose(objects: Candidates, parts: Sequence[Candidates], constraints: Constraints) -> Choice:
    """The best X of all, exactly: given the object, each part is best by itself.

    Ties go to the candidate that comes first.
    """
    if not len(objects):
        return Choice(NONE, (NONE,) * len(parts), float("-inf"))
    rows = np.arange(len(objects))
    total = np.log(np.maximum(objects.scores, 1e-12)).astype(np.float64)
    chosen = np.full((len(objects), len(parts)), NONE)
    for number, part in enumerate(parts):
        best = np.full(len(objects), constraints.missing_of(number))
        if len(part):
            worth = part.scores * constraints.delta(objects.boxes, part.boxes, number)  # (R, M)
            first = worth.argmax(axis=1)
            found = worth[rows, first] > best
            chosen[:, number] = np.where(found, first, NONE)
            best = np.where(found, worth[rows, first], best)
        total += np.log(best)
    winner = int(total.argmax())
    return Choice(winner, tuple(int(n) for n in chosen[winner]), float(total[winner]))
