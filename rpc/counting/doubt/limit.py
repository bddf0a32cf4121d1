"""The limit from which a tray passes, chosen on labelled trays that are not measured later.

Key: N trays.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

TARGET: Final = 0.99  # share of the passing trays that is to be right
NEVER: Final = 1.0


def choose_limit(
    certainty: ArrayLike,
    right: ArrayLike,
    target: float = TARGET,
    groups: ArrayLike | None = None,
    order: ArrayLike | None = None,
) -> float:
    """The lowest limit from which trays may pass, so that `target` of these are right.

    Two things are asked of a limit. The trays that pass are right with probability `target` on
    average, as their own certainties say: with a few dozen trays these carry the choice, as 99 %
    right could be counted on hundreds only. And the trays that pass were right in at least that
    share, in each group: a guard against certainties that do not hold, which in a small group means
    that no wrong tray passes.

    The limit lies half-way, in the odds of an error, between the least sure tray that passes and
    the surest one that does not.

    Args:
        certainty: (N,) of trays, by a calibration that did not see them.
        right: (N,) whether each list was right.
        target: share, above 0 and below 1.
        groups: (N,) number of the set that each belongs to, such as photos and composed scenes;
            one set where it is None.
        order: (N,) 0 to 1, what the limit is for; the certainties themselves where it is None.

    Returns:
        0 to 1; 1 where no limit does it: then next to no tray passes. `target` where there is no
        tray to choose on.

    Raises:
        ValueError: lengths differ, or a value is out of its range.
    """
    sure, good = np.asarray(certainty, dtype=np.float64), np.asarray(right, dtype=np.bool_)
    if sure.ndim != 1 or sure.shape != good.shape or not ((sure >= 0) & (sure <= 1)).all():
        raise ValueError(
            f"limit: expected (N,) certainties 0 to 1 and (N,) rights, got {sure.shape}, "
            f"{good.shape}"
        )
    if not 0 < target < 1:
        raise ValueError(f"limit: expected a target above 0 and below 1, got {target}")
    if len(sure) == 0:
        return target
    value = sure if order is None else np.asarray(order, dtype=np.float64)
    falling = np.argsort(-value, kind="stable")
    value, sure, good = value[falling], sure[falling], good[falling]
    count = np.arange(1, len(sure) + 1)
    last = np.append(value[1:] < value[:-1], True)  # equal trays pass together
    stated = np.cumsum(sure) / count >= target
    observed = np.ones(len(sure), dtype=np.bool_)
    kind = np.zeros(len(sure)) if groups is None else np.asarray(groups)[falling]
    for group in np.unique(kind):
        here = kind == group
        wrong = np.cumsum(here & ~good)
        observed &= wrong <= (1 - target) * np.cumsum(here) + 1e-9
    passing = np.flatnonzero(last & stated & observed)
    if not len(passing):
        return NEVER
    least = passing[-1]
    below = value[least + 1] if least + 1 < len(value) else value[least]
    return float(1 - np.sqrt((1 - value[least]) * (1 - below)))
