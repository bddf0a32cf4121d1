"""Sets of scenes against real photos, and real against real: the floor that can be reached.

Key: n photos of each set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from synth.quality.frechet import frechet_distance
from synth.quality.kernel_distance import PhotoKernels, photo_kernel
from synth.quality.measure import Measured
from synth.quality.spread import standardised_distance

Rows = NDArray[np.intp]

DRAWS: Final = 20
KERNEL_DRAWS: Final = 500  # of halves: a sum over a kernel that is there already costs little
LEAST: Final = 10  # real photos; halves of five are the least that shows any spread


@dataclass(frozen=True)
class Distance:
    """One figure and how far chance moves it.

    Attributes:
        value: the figure; for draws their mean.
        spread: the jackknife's standard error over photos, or the standard deviation of draws.
    """

    value: float
    spread: float


@dataclass(frozen=True)
class Comparison:
    """A set against the real photos, or the halves of these against each other.

    Attributes:
        kernel: by view. Of a set: all its photos against all real ones, with the standard error.
            Of the halves: 0, the mean over all ways to halve, and the standard deviation of draws:
            what differs by less is not told from real by so few photos.
        frechet: by view, n photos of each set, mean and deviation of the draws; biased upwards,
            by as much for a set as for the halves, roughly.
        figures: by plain figure, `standardised_distance` likewise; None where one draw has none.
    """

    kernel: Mapping[str, Distance]
    frechet: Mapping[str, Distance]
    figures: Mapping[str, Distance | None]


def photos_a_side(real: int) -> int:
    """n: half of the real photos, so that real can be compared with real at the same size.

    Raises:
        ValueError: there are too few.
    """
    if real < LEAST:
        raise ValueError(f"{real} real photos are too few for a distance; expected {LEAST} or more")
    return real // 2


def compare_halves(real: Measured, rng: np.random.Generator, draws: int = DRAWS) -> Comparison:
    """Real against real: random halves of n photos each, drawn again and again.

    Raises:
        ValueError: too few photos.
    """
    n = photos_a_side(len(real))
    kernel = {}
    for name, view in real.views.items():
        pairs = [_halves(len(real), n, rng) for _ in range(KERNEL_DRAWS)]
        kernels = photo_kernel(view, view)
        values = [_between_halves(kernels, left, right) for left, right in pairs]
        kernel[name] = Distance(0.0, float(np.sqrt(np.mean(np.square(values)))))
    return Comparison(
        kernel, *_drawn(real, real, [_halves(len(real), n, rng) for _ in range(draws)])
    )


def compare_set(
    scenes: Measured, real: Measured, rng: np.random.Generator, draws: int = DRAWS
) -> Comparison:
    """A set of scenes against real photos: n random scenes and n random photos a draw.

    Raises:
        ValueError: too few photos or scenes.
    """
    n = photos_a_side(len(real))
    if len(scenes) < n:
        raise ValueError(f"{len(scenes)} scenes are too few beside {len(real)} photos; make {n}")
    pairs = [
        (rng.permutation(len(scenes))[:n], rng.permutation(len(real))[:n]) for _ in range(draws)
    ]
    kernel = {}
    for name, view in scenes.views.items():
        kernels = PhotoKernels.of(view, real.views[name])
        kernel[name] = Distance(kernels.distance(), kernels.standard_error())
    return Comparison(kernel, *_drawn(scenes, real, pairs))


def _drawn(
    left: Measured, right: Measured, pairs: list[tuple[Rows, Rows]]
) -> tuple[dict[str, Distance], dict[str, Distance | None]]:
    """Fréchet distances by view and distances of the figures that both sets have."""
    frechet = {
        name: _summary(
            [frechet_distance(_flat(x[a]), _flat(right.views[name][b])) for a, b in pairs]
        )
        for name, x in left.views.items()
    }
    figures = {
        name: _summary_or_none(
            [_figure_distance(left.values(name, a), right.values(name, b)) for a, b in pairs]
        )
        for name in left.figures
        if name in right.figures
    }
    return frechet, figures


def _halves(count: int, n: int, rng: np.random.Generator) -> tuple[Rows, Rows]:
    order = rng.permutation(count)
    return order[:n], order[n : 2 * n]


def _between_halves(kernel: NDArray[np.float64], left: Rows, right: Rows) -> float:
    rows = (np.ix_(left, left), np.ix_(right, right), np.ix_(left, right))
    return PhotoKernels(*(kernel[row] for row in rows)).distance()


def _flat(view: NDArray[np.floating]) -> NDArray[np.floating]:
    return view.reshape(-1, view.shape[-1])


def _figure_distance(x: NDArray[np.float64], y: NDArray[np.float64]) -> float | None:
    return standardised_distance(x, y) if len(x) and len(y) else None


def _summary(values: list[float]) -> Distance:
    return Distance(float(np.mean(values)), float(np.std(values, ddof=1)))


def _summary_or_none(values: list[float | None]) -> Distance | None:
    known = [value for value in values if value is not None]
    return _summary(known) if len(known) == len(values) else None
