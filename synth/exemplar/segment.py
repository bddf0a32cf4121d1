"""Interface of the segmenters that find a product's pixels, and the choice of one by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal, Protocol, get_args, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from rpc.data.exemplars import Exemplar
from rpc.data.files import DataError

SoftMask = NDArray[np.float32]  # (H, W), 0 to 1; above 0.5 is the product

Method = Literal["grabcut", "saliency", "combined", "ddt"]
METHODS: tuple[Method, ...] = get_args(Method)
DEFAULT_METHOD: Method = "combined"


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


def make_segmenter(method: str) -> Segmenter | SetSegmenter:
    """The segmenter of a name in `METHODS` with its default settings.

    Raises:
        DataError: another name.
    """
    from synth.exemplar.combined import CombinedSegmenter
    from synth.exemplar.grabcut import GrabCutSegmenter
    from synth.exemplar.saliency import SaliencySegmenter

    if method == "grabcut":
        return GrabCutSegmenter()
    if method == "saliency":
        return SaliencySegmenter()
    if method == "combined":
        return CombinedSegmenter()
    if method == "ddt":
        # Not above: this one loads torch.
        from synth.exemplar.common_object import CommonObject

        return CommonObject()
    raise DataError(f"method {method!r}: expected one of {', '.join(METHODS)}")
