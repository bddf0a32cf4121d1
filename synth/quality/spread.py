"""Two distributions of one plain figure: their quantiles and how far they are apart."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

QUANTILES: Final = (0.1, 0.25, 0.5, 0.75, 0.9)

Values = NDArray[np.float64]


def quantiles(values: Values) -> list[float] | None:
    """The values at `QUANTILES`; None without any."""
    return [float(v) for v in np.quantile(values, QUANTILES)] if len(values) else None


def wasserstein(x: Values, y: Values) -> float:
    """Wasserstein-1 distance of two samples (N,) and (M,): area between their step functions.

    In words: how far, on average, a value of one must be moved to make the other.

    Raises:
        ValueError: a sample is empty.
    """
    if not (len(x) and len(y)):
        raise ValueError(f"samples: expected one value or more, got {len(x)} and {len(y)}")
    every = np.sort(np.concatenate([x, y]))
    shares = [np.searchsorted(np.sort(v), every[:-1], "right") / len(v) for v in (x, y)]
    return float((np.abs(shares[0] - shares[1]) * np.diff(every)).sum())


def standardised_distance(x: Values, y: Values) -> float | None:
    """`wasserstein` in units of the pooled standard deviation, sqrt((var x + var y) / 2).

    0.2 is little, 1 is a shift by the whole spread. 0 for two equal constants; None for two
    different ones, as there is no spread to measure by.

    Raises:
        ValueError: a sample is empty.
    """
    apart = wasserstein(x, y)
    # Equal values have no spread, whatever rounding leaves in their variance.
    pooled = np.sqrt(sum(np.var(v) if np.ptp(v) else 0.0 for v in (x, y)) / 2)
    if pooled > 0:
        return float(apart / pooled)
    return 0.0 if apart == 0 else None
