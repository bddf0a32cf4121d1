"""The picture of a product that people know it by.

Key: H x W pixels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def colourfulness(rgb: NDArray[np.uint8]) -> float:
    """Mean difference of the strongest and the weakest channel of a picture (H, W, 3), 0 to 255.

    Fronts of packs have strong colours; ends of cans and backs with small print have few. Of
    several pictures of a product, the one with most of it is a good thumbnail.

    Raises:
        ValueError: not an RGB picture, or one without pixels.
    """
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.size == 0:
        raise ValueError(f"picture: expected (H, W, 3), got {rgb.shape}")
    return float((rgb.max(axis=2).astype(np.int16) - rgb.min(axis=2)).mean())
