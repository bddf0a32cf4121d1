"""All that a counter needs to say where it is in doubt; kept in its model file as plain values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from rpc.counting.doubt.calibration import Calibration

MOST_ALIKE: Final = 1000  # a file that lists more pairs is no list of look-alikes
LONGEST: Final = 400  # letters of a name
_FIELDS: Final = frozenset({"calibration", "limit", "target", "chosen_on", "trays", "alike"})


@dataclass(frozen=True)
class AlikePair:
    """Two SKUs that cannot be told apart from some views.

    Attributes:
        skus: their names.
        views: the cameras of the exemplars that show them alike, as numbers; -1 where unknown.
        share: how much of the probability went to the other SKU on these views, mean.
        examples: a cut-out of each, `cutouts.json`'s file names; empty where there is none.

    Raises:
        ValueError: a value is out of its range.
    """

    skus: tuple[str, str]
    views: tuple[int, ...] = ()
    share: float = 0.0
    examples: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        texts = (*self.skus, *self.examples)
        if len(self.skus) != 2 or self.skus[0] == self.skus[1] or len(self.examples) not in (0, 2):
            raise ValueError("look-alikes: expected two SKUs, and no example or two")
        if not all(isinstance(text, str) and 0 < len(text) <= LONGEST for text in texts):
            raise ValueError("look-alikes: expected names and files as text")
        if not all(type(view) is int and -1 <= view < 1_000_000 for view in self.views):
            raise ValueError(f"look-alikes: views: expected whole numbers, got {self.views!r:.60}")
        _require_fraction("look-alikes: share", self.share)

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "skus": list(self.skus),
            "views": list(self.views),
            "share": self.share,
            "examples": list(self.examples),
        }

    @classmethod
    def from_dict(cls, values: object) -> AlikePair:
        """The pair of `to_dict`.

        Raises:
            ValueError: something else.
        """
        names = ("skus", "views", "share", "examples")
        if not isinstance(values, Mapping) or set(values) != set(names):
            raise ValueError(f"look-alikes: expected {', '.join(names)}, got {values!r:.60}")
        lists = [values[name] for name in names if name != "share"]
        if not all(isinstance(one, list | tuple) and len(one) <= LONGEST for one in lists):
            raise ValueError(f"look-alikes: expected lists, got {values!r:.60}")
        skus, views, examples = map(tuple, lists)
        return cls(skus, views, values["share"], examples)


@dataclass(frozen=True)
class Doubt:
    """How sure a counter is of what it counts, and what it asks.

    Attributes:
        calibration: scores to probabilities.
        limit: probability of a tray from which it passes.
        target: share of the passing trays that is to be right; what `limit` was chosen for.
        chosen_on: the trays that all this was chosen on, such as "val and composed scenes".
        trays: how many labelled photos that were.
        alike: SKUs that cannot be told apart from some views.

    Raises:
        ValueError: a value is out of its range.
    """

    calibration: Calibration
    limit: float
    target: float
    chosen_on: str = ""
    trays: int = 0
    alike: tuple[AlikePair, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        _require_fraction("limit", self.limit)
        _require_fraction("target", self.target)
        if not isinstance(self.chosen_on, str) or len(self.chosen_on) > LONGEST:
            raise ValueError(f"doubt: chosen_on: expected text, got {self.chosen_on!r:.40}")
        if type(self.trays) is not int or self.trays < 0:
            raise ValueError(f"doubt: trays: expected an integer >= 0, got {self.trays!r:.40}")

    def pairs(self, names: Sequence[str]) -> frozenset[frozenset[int]]:
        """The look-alikes as labels of the SKUs `names`; those of other SKUs are left out."""
        labels = {name: label for label, name in enumerate(names)}
        known = [pair.skus for pair in self.alike if set(pair.skus) <= labels.keys()]
        return frozenset(frozenset((labels[a], labels[b])) for a, b in known)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for a model file."""
        return {
            "calibration": self.calibration.to_dict(),
            "limit": self.limit,
            "target": self.target,
            "chosen_on": self.chosen_on,
            "trays": self.trays,
            "alike": [pair.to_dict() for pair in self.alike],
        }

    @classmethod
    def from_dict(cls, values: object) -> Doubt:
        """The doubt of `to_dict`.

        Raises:
            ValueError: not a mapping, a field is missing or unknown, or a value is out of range.
        """
        if not isinstance(values, Mapping) or set(values) != _FIELDS:
            raise ValueError(
                f"doubt: expected the fields {', '.join(sorted(_FIELDS))}, got {values!r:.80}"
            )
        alike = values["alike"]
        if not isinstance(alike, list | tuple) or len(alike) > MOST_ALIKE:
            raise ValueError(f"doubt: alike: expected a list of at most {MOST_ALIKE} pairs")
        return cls(
            calibration=Calibration.from_dict(values["calibration"]),
            limit=values["limit"],
            target=values["target"],
            chosen_on=values["chosen_on"],
            trays=values["trays"],
            alike=tuple(AlikePair.from_dict(pair) for pair in alike),
        )


def _require_fraction(name: str, value: object) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (number and math.isfinite(value) and 0 <= value <= 1):  # type: ignore[arg-type, operator]
        raise ValueError(f"doubt: {name}: expected 0 to 1, got {value!r:.40}")
