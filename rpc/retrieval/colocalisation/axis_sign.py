"""The sign of a common axis: which of its two ends is the object, which the background.

An eigenvector has no sign of its own, and DDT's whole answer turns on it. Two witnesses, of the
indicator values P of a set's cells in standard deviations:

- skewness: an object that covers less than half of the photos is the longer tail, one that fills
  more of them the shorter;
- border gap, mean P of inner cells less that of cells at the frame: above 0 where the object lies
  inside the photos, whatever it fills.

Each alone is wrong somewhere: skewness for objects that fill the photos, the gap for small ones at
their edge. The largest coefficient, which MATLAB's `pca` makes positive and with which the paper's
code works, is a third for rectified maps and a coin's toss for others. It is asked only where the
two say nothing: on real close-ups it was wrong on rectified maps, too, where these two were right
(`tools/benchmark/ddt_sign.py`; docs/colocalisation.md has the figures).
"""

from __future__ import annotations

from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

# "skewness" is the rule of files written before the border gap took part.
SignRule = Literal["skewness and border gap", "largest coefficient", "skewness"]
RULES: Final[tuple[SignRule, ...]] = get_args(SignRule)

GAP_WEIGHT: Final = 2.0
TIED: Final = 1e-6  # evidence of a smaller size is rounding


def evidence(
    axis: NDArray[np.float64], skewness: float, border_gap: float
) -> tuple[float, SignRule]:
    """Evidence that an axis points at the object, below 0 if away from it; and by which rule.

    skewness + 2 border_gap; where that is 0, the first of the largest coefficients.

    Args:
        axis: (C,) of unit length, of either sign.
        skewness: of P along it.
        border_gap: mean P of inner cells less that of cells at the frame, in deviations.
    """
    total = skewness + GAP_WEIGHT * border_gap
    if abs(total) > TIED:
        return total, "skewness and border gap"
    return float(axis[np.abs(axis).argmax()]), "largest coefficient"


def signs_disagree(skewness: float, border_gap: float) -> bool:
    """Whether skewness and border gap contradict each other on an axis, so that it needs a look.

    So it is where the object fills most of the photos or lies at their edge, and where what the
    photos share is their background.
    """
    return min(skewness, border_gap) < -TIED and max(skewness, border_gap) > TIED
