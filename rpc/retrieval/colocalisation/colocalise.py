"""From indicator maps to masks and boxes: DDT with one layer, DDT+ with two.

Key: C channels, h x w cells of one image's map, H x W pixels of the image.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rpc.retrieval.colocalisation.ddt import CommonAxis, fit_axes, presence
from rpc.retrieval.descriptors.selection import largest_component, resized_mask
from rpc.structures import mask_to_box

BoolMask = NDArray[np.bool_]
Box = tuple[int, int, int, int]


@dataclass(frozen=True, eq=False)
class Found:
    """The common object on one image.

    Attributes:
        indicator: P (h, w) of the first layer.
        presence: share of its cells above 0: low for an image without the object.
        mask: (H, W) of the object; empty where there is none.
        box: tight on the mask, xyxy, whole pixels; None where the image is noise.
    """

    indicator: NDArray[np.float64] = field(repr=False)
    presence: float
    mask: BoolMask = field(repr=False)
    box: Box | None


@dataclass(frozen=True)
class Colocaliser:
    """The common object of a set of images, found again on any image.

    Attributes:
        axes: of the deepest layer (DDT), and for DDT+ of the layer before it.
    """

    axes: tuple[CommonAxis, ...]

    def __post_init__(self) -> None:
        if len(self.axes) not in (1, 2):
            raise ValueError(f"axes: expected 1 (DDT) or 2 (DDT+), got {len(self.axes)}")

    @classmethod
    def fit(cls, features: Iterable[Sequence[ArrayLike]]) -> Colocaliser:
        """Learn from the maps of a set, one or two layers an image, the deepest first.

        Raises:
            ValueError: see `fit_axes`; or three layers or more.
        """
        return cls(fit_axes(features))

    def find(self, features: Sequence[ArrayLike], height: int, width: int) -> Found:
        """The object on an image of height x width px with the maps `features`, as in `fit`.

        DDT: the largest part of what is above 0. DDT+: of that, what is above 0 in the second
        layer too (the published code fits the second axis on the first layer's descriptors by
        mistake; here each layer has its own, as the paper means it).

        Raises:
            ValueError: other layers or channels than in `fit`, or a value that is not finite.
        """
        if len(features) != len(self.axes):
            raise ValueError(f"features: {len(features)} layers, expected {len(self.axes)}")
        indicators = [axis.indicator(maps) for axis, maps in zip(self.axes, features, strict=True)]
        mask = largest_component(resized_mask(indicators[0] > 0, height, width))
        for second in indicators[1:]:
            mask = mask & resized_mask(second > 0, height, width)
        return Found(indicators[0], presence(indicators[0]), mask, mask_to_box(mask))
