"""A suspicion: a likely mistake in files whose form is right, with numbers and a remedy."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Suspicion:
    """One likely mistake. It changes no figure: a person decides.

    Attributes:
        kind: a short name, such as `boxes_in_another_form`; docs/metrics.md lists them.
        what: what was found, with its numbers.
        to_do: how to find out or to mend it.
        count: of how many boxes, items or images that is said.
        of: how many were looked at.
    """

    kind: str
    what: str
    to_do: str
    count: int
    of: int

    def __str__(self) -> str:
        return told(self.what, self.to_do)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


def told(what: str, to_do: str) -> str:
    """A suspicion in one line: what was found, then what to do."""
    return f"{what}. To do: {to_do}."


def share_text(count: int, of: int, thing: str) -> str:
    """A number of things and their share, such as `26 of 30 boxes (87 %)`."""
    share = 100 * count / of if of else 0.0
    return f"{count:,} of {of:,} {thing} ({share:.0f} %)"
