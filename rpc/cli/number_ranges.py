"""The numbers that options may have, one table for all verbs: told before any work."""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from rpc.data.files import DataError

ANY: Final = math.inf


class Range(NamedTuple):
    """Numbers from `least` to `most`, both allowed; or above `least`."""

    least: float
    most: float = ANY
    above: bool = False

    def holds(self, value: float) -> bool:
        """Whether a number lies in the range; infinity and NaN never do."""
        if isinstance(value, float) and not math.isfinite(value):
            return False
        return (value > self.least if self.above else value >= self.least) and value <= self.most

    def __str__(self) -> str:
        """The range in words."""
        if self.above:
            return f"above {self.least:g}"
        if self.most == ANY:
            return f"{self.least:g} or more"
        return f"{self.least:g} to {int(self.most) if self.most >= 1000 else self.most}"


FEW: Final = Range(1, 4096)  # of processes or threads
SHARE: Final = Range(0, 1)
TIME: Final = Range(0, above=True)
# By the option's name, which means the same in every verb.
RANGES: Final = {
    "batch": Range(1),
    "bootstrap": Range(0),
    "clusters": Range(1),
    "count": Range(1),
    "cpu_minutes": TIME,
    "detector_updates": Range(1),
    "dimension": Range(1),
    "epochs": TIME,
    "exemplar_backgrounds": Range(0),
    "few": Range(1),
    "folds": Range(2),
    "frames": Range(1),
    "iterations": Range(1),
    "jobs": FEW,
    "keep_days": Range(1, 3650),
    "limit": Range(0),
    "local_rank": Range(0),
    "margin": Range(0),
    "min_visible": SHARE,
    "minutes": TIME,
    "most": Range(1),
    "overlap": SHARE,
    "photometric": Range(0, 2),
    "photos": Range(1),
    "plain": SHARE,
    "port": Range(1, 65535),
    "preview": Range(0),
    "products": Range(2),
    "quality_cut": SHARE,
    "recogniser_updates": Range(1),
    "repeats": Range(1),
    "rerank": Range(0),
    "ridge": Range(0),
    "rule_scenes": Range(1),
    "scenes": Range(1),
    "seed": Range(0, 2**32 - 1),  # NumPy's older generator takes no larger one
    "seeds": Range(1),
    "shadow": Range(0, 2),
    "sheet": Range(0),
    "short_side": Range(64),
    "smooth": Range(0),
    "threshold": SHARE,
    "turns": Range(1),
    "updates": Range(1),
    "views": Range(2),
    "warm_up": Range(0),
    "whiten": Range(0),
    "workers": FEW,
    "worst_carts": Range(0),
}


def require_ranges(
    options: argparse.Namespace, ranges: Mapping[str, Range] = MappingProxyType({})
) -> None:
    """Refuse an option whose number is out of range.

    Args:
        options: parsed ones.
        ranges: by the option's name, in place of those of all verbs.

    Raises:
        DataError: there is one.
    """
    for name, value in vars(options).items():
        known = ranges.get(name) or RANGES.get(name)
        if known is None or isinstance(value, bool) or not isinstance(value, int | float):
            continue
        if not known.holds(value):
            raise DataError(f"--{name.replace('_', '-')} {value}: expected {known}")
