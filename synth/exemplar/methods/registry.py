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


def make_segmenter(method: str, device: str = "cpu") -> Segmenter | SetSegmenter:
    """The segmenter of a name in `METHODS` with its default settings.

    Args:
        method: the name.
        device: that its networks run on, see `rpc.runs.devices`.

    Raises:
        DataError: another name.
    """
    if method == "grabcut":
        return GrabCutSegmenter()
    if method == "saliency":
        return SaliencySegmenter(device=device)
    if method == "combined":
        return CombinedSegmenter.on(device)
    if method == "ddt":
        from synth.exemplar.methods.common_object import CommonObject  # loads torch

        return CommonObject(device=device)
    raise DataError(f"method {method!r}: expected one of {', '.join(METHODS)}")
