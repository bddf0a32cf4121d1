"""Which of a photo's descriptors made the score that its Fisher vector got.

Key: M descriptors of dimension C, K Gaussians.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rpc.features.encodings.local_encodings import FisherVector

Floats = NDArray[np.floating[Any]]


def linear_slopes(gradients: Floats, weights: Floats) -> NDArray[np.float64]:
    """The weights of a gradient's values in a score, after signed root and unit length.

    The score `w . v` of `v = sign(g) sqrt|g| / |sqrt|g||` is `slopes . g` exactly, with slopes that
    depend on g: w / (sqrt|g| |sqrt|g||).

    Args:
        gradients: any shape, g.
        weights: the same shape, w.

    Returns:
        The same shape; 0 where g is 0.
    """
    root = np.sqrt(np.abs(gradients).astype(np.float64))
    length = np.sqrt(np.abs(gradients).sum())
    there = root > 0
    slopes = np.divide(weights, root * length, out=np.zeros(root.shape), where=there)
    return np.asarray(slopes)


def contributions(fisher: FisherVector, descriptors: Floats, slopes: Floats) -> Floats:
    """The share of each descriptor in a score, (M,); their sum: `slopes . fisher.gradient(...)`.

    Args:
        fisher: of the photo's Fisher vector.
        descriptors: (M, C).
        slopes: (2, K, C).
    """
    each = [float((fisher.gradient(one[None]) * slopes).sum()) for one in descriptors]
    return np.array(each, np.float64) / max(len(descriptors), 1)
