"""The limit from which a tray passes, chosen on labelled trays that are not measured later.

Key: N trays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rpc.structures.boxes import FloatArray

TARGET: Final = 0.99  # share of the passing trays that is to be right
NEVER: Final = 1.0
UNLIKELY: Final = 0.05  # certainties do not hold where errors as many as were seen are this rare


@dataclass(frozen=True, eq=False)
class JudgedTrays:
    """Labelled trays of one kind, with how sure a counter was of them.

    Attributes:
        certainty: (N,) probability that each list is right, by a calibration that did not see it.
        decided: (N,) probability of its decisions alone: what the limit is for.
        right: (N,) whether each list was right.

    Raises:
        ValueError: lengths differ, or a value is out of its range.
    """

    certainty: FloatArray
    decided: FloatArray
    right: NDArray[np.bool_]

    def __post_init__(self) -> None:
        sure, decided = np.asarray(self.certainty, float), np.asarray(self.decided, float)
        good = np.asarray(self.right, dtype=np.bool_)
        values = np.concatenate([sure.ravel(), decided.ravel()])
        if not (sure.ndim == 1 and sure.shape == decided.shape == good.shape):
            raise ValueError(
                f"limit: expected (N,) of each, got {sure.shape}, {decided.shape}, {good.shape}"
            )
        if not ((values >= 0) & (values <= 1)).all():
            raise ValueError("limit: expected probabilities, 0 to 1")
        object.__setattr__(self, "certainty", sure)
        object.__setattr__(self, "decided", decided)
        object.__setattr__(self, "right", good)

    def __len__(self) -> int:
        return len(self.right)


def choose_limit(sets: Sequence[JudgedTrays], target: float = TARGET) -> float:
    """The lowest limit from which trays may pass, so that `target` of these are right.

    Two things are asked of a limit. The trays of the first set that pass are right with probability
    `target` on average, as their own certainties say: with a few dozen trays these carry the
    choice, as 99 % right could be counted on hundreds only. And in each set what was seen agrees
    with that: errors as many as those of the trays that pass, or more, are not unlikely by their
    certainties.

    The limit lies half-way, in the odds of an error, between the least sure tray of the first set
    that passes and the surest one that does not.

    Args:
        sets: of labelled trays; the first one is most like what the limit is for, such as photos of
            the shop before composed scenes, which have other numbers of items. Empty ones are
            passed over.
        target: share, above 0 and below 1.

    Returns:
        0 to 1; 1 where no limit does it: then next to no tray passes. `target` where there is no
        tray to choose on.

    Raises:
        ValueError: `target` is out of its range.
    """
    if not 0 < target < 1:
        raise ValueError(f"limit: expected a target above 0 and below 1, got {target}")
    known = [trays for trays in sets if len(trays)]
    if not known:
        return target
    first = known[0]
    values = np.unique(first.decided)  # equal trays pass together
    for place, value in enumerate(values.tolist()):
        stated = first.certainty[first.decided >= value].mean() >= target
        if stated and all(_agrees(trays, value) for trays in known):
            below = values[place - 1] if place else value
            return float(1 - np.sqrt((1 - value) * (1 - below)))
    return NEVER


def _agrees(trays: JudgedTrays, limit: float) -> bool:
    """Whether the errors of the trays that pass are not unlikely by their certainties."""
    passes = trays.decided >= limit
    wrong = int((~trays.right[passes]).sum())
    return at_least(1 - trays.certainty[passes], wrong) >= UNLIKELY


def at_least(chances: ArrayLike, events: int) -> float:
    """Probability that so many of N independent events happen, or more, by their chances (N,)."""
    numbers = np.ones(1)  # probability of each number of events
    for chance in np.asarray(chances, dtype=np.float64).tolist():
        numbers = np.convolve(numbers, [1 - chance, chance])
    return float(numbers[events:].sum())
