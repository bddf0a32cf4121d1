"""Interfaces of the segmenters that find a product's pixels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from rpc.data.exemplars import Exemplar

SoftMask = NDArray[np.float32]  # (H, W), 0 to 1; above 0.5 is the product


class Segmenter(Protocol):
    """Finds the product that a box is tight on.

    A segmenter is small and can be sent to another process; equal settings have an equal `repr`,
    by which a build knows whether its masks are still good.
    """

    def __call__(self, rgb: NDArray[np.uint8], box: Sequence[float]) -> SoftMask:
        """Soft mask (H, W) of a photo (H, W, 3) with the product's box xyxy.

        What lies outside the box may be non-zero: that tells how far the mask ran out of it.

        Raises:
            ValueError: the box has less than 2 px a side inside the photo, or is not finite.
        """
        ...


@runtime_checkable
class SetSegmenter(Protocol):
    """Must see all photos of a SKU before it can cut one of them."""

    def prepare(
        self,
        exemplars: Sequence[Exemplar],
        out: Path,
        max_side: int,
        stamp: Callable[[Exemplar], str],
        progress: Callable[[int, int], None] | None = None,
    ) -> Mapping[int, Segmenter]:
        """A segmenter for each category id.

        What it learns is kept in `out`, and taken from there as long as `stamp` of the exemplars
        stays as it was. The `repr` of a segmenter changes with what was learned.
        """
        ...
