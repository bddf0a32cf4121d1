"""How like real checkout photos a set of scenes is: statistics and distances."""

from synth.quality.compare import compare_halves, compare_set
from synth.quality.frechet import frechet_distance
from synth.quality.kernel_distance import kernel_distance
from synth.quality.measure import measure

__all__ = ["compare_halves", "compare_set", "frechet_distance", "kernel_distance", "measure"]
