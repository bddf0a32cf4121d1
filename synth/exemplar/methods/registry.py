"""The segmenters by name."""

from __future__ import annotations

from typing import Literal, get_args

from rpc.data.files import DataError
from synth.exemplar.methods.combined import CombinedSegmenter
from synth.exemplar.methods.grabcut import GrabCutSegmenter
from synth.exemplar.methods.saliency import SaliencySegmenter
from synth.exemplar.segmenter import Segmenter, SetSegmenter

Method = Literal["grabcut", "saliency", "combined", "ddt"]
METHODS: tuple[Method, ...] = get_args(Method)
DEFAULT_METHOD: Method = "combined"


def make_segmenter(method: str) -> Segmenter | SetSegmenter:
    """The segmenter of a name in `METHODS` with its default settings.

    Raises:
        DataError: another name.
    """
    if method == "grabcut":
        return GrabCutSegmenter()
    if method == "saliency":
        return SaliencySegmenter()
    if method == "combined":
        return CombinedSegmenter()
    if method == "ddt":
        from synth.exemplar.methods.common_object import CommonObject  # loads torch

        return CommonObject()
    raise DataError(f"method {method!r}: expected one of {', '.join(METHODS)}")
