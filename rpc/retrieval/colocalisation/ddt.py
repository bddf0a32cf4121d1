"""Deep descriptor transforming (DDT): the direction along which the cells of a set differ most.

One PCA over all cells of all images of a set: what the images have in common varies together,
against backgrounds that do not. Source: Wei et al., "Deep Descriptor Transforming for Image
Co-Localization", IJCAI 2017, eq. 1 to 4; "Unsupervised Object Discovery and Co-Localization by
Deep Descriptor Transforming", Pattern Recognition 2019. Pure functions of feature maps.

Key: C channels, h x w cells of one image's map (never padded), L layers, K cells of the whole set.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rpc.features.encodings.covariance import Moments, principal_axes
from rpc.retrieval.colocalisation.axis_sign import SignRule, evidence, signs_disagree

FloatArray = NDArray[np.float64]

STILL = 1e-20  # of the squared length of the mean: a smaller variance is rounding


@dataclass(frozen=True, eq=False)
class CommonAxis:
    """The common direction of one layer's cells over a set of images.

    Attributes:
        mean: (C,) of all cells of the set.
        axis: (C,) unit length, the first principal axis; zeros where the cells do not vary at all.
        variance: of the cells along it, the largest eigenvalue of their covariance (divided by K).
        share: of the whole variance that lies along the axis, 0 to 1.
        skewness: of the set's indicator values: third central moment over `variance` ** 1.5.
        border_gap: mean indicator of inner cells less that of cells at the frame, over the set, in
            standard deviations; above 0 where the object lies inside, as on most photos. 0 where
            all cells are at the frame.
        rule: which one decided the sign, see `rpc.retrieval.colocalisation.axis_sign`.
    """

    mean: FloatArray = field(repr=False)
    axis: FloatArray = field(repr=False)
    variance: float
    share: float
    skewness: float
    border_gap: float
    rule: SignRule = "skewness and border gap"

    @property
    def signs_disagree(self) -> bool:
        """Whether the evidence for the sign is divided: what is taken for the object may not be."""
        return signs_disagree(self.skewness, self.border_gap)

    def indicator(self, features: ArrayLike) -> FloatArray:
        """Indicator map P (h, w) of one image's features (C, h, w): axis . (x - mean).

        Over all cells of the set P has mean 0 and variance `variance`. Positive cells belong to
        the common object.

        Raises:
            ValueError: another shape, or a value that is not finite.
        """
        maps = check_maps(features)
        if len(maps) != len(self.axis):
            raise ValueError(f"features: {len(maps)} channels, expected {len(self.axis)}")
        return self.indicator_of(maps.reshape(len(maps), -1).T).reshape(maps.shape[1:])

    def indicator_of(self, cells: ArrayLike) -> FloatArray:
        """Indicator values (M,) of descriptors (M, C)."""
        # Centred first: a mean far from 0 would else cost digits.
        return np.asarray((np.asarray(cells, dtype=np.float64) - self.mean) @ self.axis)


def fit_axes(features: Iterable[Sequence[ArrayLike]]) -> tuple[CommonAxis, ...]:
    """The common axis of every layer over a set of images.

    An eigenvector has no sign of its own; `rpc.retrieval.colocalisation.axis_sign` says how it is
    chosen here. It does not change with the order of the images, a rotation of the channels or a
    constant added to all descriptors (but where the largest coefficient has to decide).

    The set is gone through twice (covariance, then sign), and never held in memory: a list will
    do, and so will an object whose `__iter__` computes the maps again.

    Args:
        features: of each image its L maps (C, h, w); sizes may differ between images.

    Raises:
        ValueError: no image, a map of another shape or with a value that is not finite (with the
            number of the image), or an iterator that can be used only once.
    """
    if isinstance(features, Iterator):
        raise ValueError("features: an iterator ends after one pass, and two are needed")
    moments: list[Moments] = []
    for number, layers in enumerate(_checked(features)):
        if not moments:
            moments = [Moments(len(maps)) for maps in layers]
        if len(layers) != len(moments):
            raise ValueError(f"image {number}: {len(layers)} layers, expected {len(moments)}")
        for moment, maps in zip(moments, layers, strict=True):
            try:
                moment.add(maps.reshape(len(maps), -1).T)
            except ValueError as error:
                raise ValueError(f"image {number}: {error}") from error
    if not moments:
        raise ValueError("features: expected 1 image or more, got none")
    unsigned = [_unsigned(moment) for moment in moments]
    tails = [_Tails(axis) for axis in unsigned]
    for layers in _checked(features):
        for tail, maps in zip(tails, layers, strict=True):
            tail.add(maps)
    return tuple(tail.signed() for tail in tails)


def presence(indicator: ArrayLike) -> float:
    """Share of an image's cells with P > 0, 0 to 1: low where the common object is not there.

    The score by which noise in a set is found: sort by it, the lowest are suspect. 0 is an image
    without the object for sure.

    Raises:
        ValueError: the map is empty.
    """
    cells = np.asarray(indicator)
    if not cells.size:
        raise ValueError("indicator: expected 1 cell or more, got none")
    return float((cells > 0).mean())


def check_maps(features: ArrayLike) -> NDArray[np.floating]:
    """`features` as an array (C, h, w) of one cell or more.

    Raises:
        ValueError: another shape, or a value that is not finite.
    """
    maps = np.asarray(features)
    if maps.dtype not in (np.float32, np.float64):
        maps = maps.astype(np.float64)
    if maps.ndim != 3 or not maps.size:
        raise ValueError(f"features: expected shape (C, h, w), got {maps.shape}")
    if not np.isfinite(maps).all():
        bad = tuple(int(i) for i in np.argwhere(~np.isfinite(maps))[0])
        raise ValueError(f"features: channel {bad[0]}, cell {bad[1:]} is {maps[bad]}, not a number")
    return maps


class _Tails:
    """Sums over the set that decide the sign of one axis."""

    def __init__(self, axis: CommonAxis) -> None:
        self.axis = axis
        self.cubes = 0.0
        self.count = 0
        self.frame = np.zeros(2)  # cells, sum of P
        self.inner = np.zeros(2)

    def add(self, maps: NDArray[np.floating]) -> None:
        values = self.axis.indicator(maps)
        self.cubes += float((values**3).sum())
        self.count += values.size
        inner = values[1:-1, 1:-1]
        self.inner += (inner.size, inner.sum())
        self.frame += (values.size - inner.size, values.sum() - inner.sum())

    def signed(self) -> CommonAxis:
        axis, deviation = self.axis, np.sqrt(self.axis.variance)
        skewness = self.cubes / self.count / deviation**3 if deviation else 0.0
        gap = 0.0
        if deviation and self.inner[0]:
            gap = float(self.inner[1] / self.inner[0] - self.frame[1] / self.frame[0]) / deviation
        total, rule = evidence(axis.axis, skewness, gap)
        turn = -1.0 if total < 0 else 1.0
        return replace(
            axis, axis=turn * axis.axis, skewness=turn * skewness, border_gap=turn * gap, rule=rule
        )


def _unsigned(moment: Moments) -> CommonAxis:
    covariance = moment.covariance()
    variances, axes = principal_axes(covariance)
    if variances[0] <= STILL * float(moment.mean @ moment.mean):
        return CommonAxis(moment.mean, np.zeros(moment.channels), 0.0, 0.0, 0.0, 0.0)
    variance = float(variances[0])
    share = min(1.0, variance / float(np.trace(covariance)))
    return CommonAxis(moment.mean, axes[0], variance, share, 0.0, 0.0)


def _checked(
    features: Iterable[Sequence[ArrayLike]],
) -> Iterator[tuple[NDArray[np.floating], ...]]:
    for number, layers in enumerate(features):
        try:
            yield tuple(check_maps(maps) for maps in layers)
        except ValueError as error:
            raise ValueError(f"image {number}: {error}") from error
