"""Photo to cut-out: segmentation, mask clean-up, quality, pose filter, scale, contact sheet."""

from synth.exemplar.combined import CombinedSegmenter
from synth.exemplar.cutouts import build_cutouts
from synth.exemplar.grabcut import GrabCutSegmenter
from synth.exemplar.saliency import SaliencySegmenter
from synth.exemplar.scale import set_scales
from synth.exemplar.segment import METHODS, Segmenter, make_segmenter
from synth.exemplar.sheet import write_sheets

__all__ = [
    "METHODS",
    "CombinedSegmenter",
    "GrabCutSegmenter",
    "SaliencySegmenter",
    "Segmenter",
    "build_cutouts",
    "make_segmenter",
    "set_scales",
    "write_sheets",
]
