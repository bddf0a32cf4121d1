"""Ranges of a system's options, declared beside each option in its constructor's signature."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias, get_args

from rpc.data.files import DataError


@dataclass(frozen=True)
class Range:
    """Numbers from `least` to `most`, both included; infinity never is."""

    least: float
    most: float = math.inf

    def __contains__(self, value: float) -> bool:
        """Whether a number is in the range."""
        return self.least <= value <= self.most and math.isfinite(value)

    def __str__(self) -> str:
        """Words for a reader of configs."""
        return f"{self.least} or more" if self.most == math.inf else f"{self.least} to {self.most}"


Share: TypeAlias = Annotated[float, Range(0, 1)]
NonNegative: TypeAlias = Annotated[float, Range(0)]
Count: TypeAlias = Annotated[int, Range(1, 100_000)]
CountFromZero: TypeAlias = Annotated[int, Range(0, 100_000)]
Pixels: TypeAlias = Annotated[int, Range(32, 4096)]


def range_of(hint: Any) -> Range | None:
    """The range that a type carries, alone or as `... | None`; None where it has none."""
    for part in getattr(hint, "__metadata__", ()):
        if isinstance(part, Range):
            return part
    found = [range_of(part) for part in get_args(hint) if hasattr(part, "__metadata__")]
    return found[0] if found else None


def require_ranges(hints: Mapping[str, Any], values: Mapping[str, Any], where: str) -> None:
    """Refuse a number outside its option's range.

    Args:
        hints: types of the options by name, with their ranges.
        values: of some of the options, each of its type.
        where: what the values were read from, for errors.

    Raises:
        DataError: there is one.
    """
    for name, value in values.items():
        allowed = range_of(hints[name])
        if allowed is None or isinstance(value, bool) or not isinstance(value, int | float):
            continue
        if value not in allowed:
            raise DataError(f"{where}.{name}: expected {allowed}, got {value}")
