"""Photo to cut-out: segmentation, mask clean-up, quality, pose filter, scale, contact sheet."""

from synth.exemplar.cutouts import build_cutouts
from synth.exemplar.methods.combined import CombinedSegmenter
from synth.exemplar.methods.grabcut import GrabCutSegmenter
from synth.exemplar.methods.registry import METHODS, make_segmenter
from synth.exemplar.methods.saliency import SaliencySegmenter
from synth.exemplar.scale import set_scales
from synth.exemplar.segmenter import Segmenter
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
