"""Problems told by kind, rarest first: one damaged photo is never behind 43,000 missing ones."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

EXAMPLES = 3  # of a kind, named in its line
LONGEST = 160  # letters of a name in a line
KINDS = 4  # that an error names in its one line

# What differs between two problems of one kind: quoted names, lists, numbers.
_PARTICULARS = re.compile(r"'[^']*'|\"[^\"]*\"|\[[^\]]*\]|\d+(?:[.,x]\d+)*")


@dataclass(frozen=True)
class Problem:
    """One damaged or left-out entry of a data set or a folder.

    Attributes:
        where: file and entry, such as `instances_val.json: annotation 17`.
        what: what was found and what was expected.
        kind: what all problems of this kind have in common, as it follows their number, such as
            `photos are missing`; where empty, problems whose texts differ only in numbers and
            names in quotes are one kind.
        remedy: what to do about this kind; told once. Where empty, `what` says it.
    """

    where: str
    what: str
    kind: str = ""
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}{_after(self.remedy)}"


@dataclass(frozen=True)
class ProblemKind:
    """All problems of one kind.

    Attributes:
        kind: as in `Problem`; may be empty.
        problems: one or more, in the order in which they were found.
    """

    kind: str
    problems: tuple[Problem, ...]

    def __len__(self) -> int:
        """Number of problems."""
        return len(self.problems)

    def told(self, examples: int = EXAMPLES) -> str:
        """The kind in one line: number, examples, remedy; one problem alone as it is."""
        first = self.problems[0]
        if len(self.problems) == 1:
            return f"{_cut(first.where, LONGEST * 3)}: {first.what}{_after(first.remedy)}"
        shown = self.problems[: max(examples, 1)]
        place = _shared_place([problem.where for problem in self.problems])
        names = [_cut(problem.where[len(place) :] or problem.where) for problem in shown]
        if (
            first.what.removeprefix("is ") not in self.kind
        ):  # "is missing" adds nothing to "photos are missing"
            names[0] += f" ({_cut(first.what, LONGEST * 3)})"
        rest = len(self.problems) - len(shown)
        names += [f"{rest:,} more"] if rest else []
        listed = ", ".join(names[:-1]) + f" and {names[-1]}" if len(names) > 1 else names[0]
        kind = self.kind or "problems of one kind"
        return f"{place}{len(self.problems):,} {kind}, such as {listed}{_after(first.remedy)}"


def by_kind(problems: Iterable[Problem]) -> list[ProblemKind]:
    """Problems grouped by kind, the rarest kind first; equally rare ones as they were found."""
    groups: dict[tuple[str, str], list[Problem]] = {}
    for problem in problems:
        shape = "" if problem.kind else _PARTICULARS.sub("#", problem.what)
        groups.setdefault((problem.kind, shape), []).append(problem)
    kinds = [ProblemKind(kind, tuple(group)) for (kind, _), group in groups.items()]
    return sorted(kinds, key=len)


def told_by_kind(problems: Iterable[Problem], examples: int = EXAMPLES) -> list[str]:
    """One line a kind, the rarest first: for a screen or a page."""
    return [kind.told(examples) for kind in by_kind(problems)]


def told_in_one_line(problems: Iterable[Problem], kinds: int = KINDS) -> str:
    """The problems for an error's one line: the rarest kinds with their numbers and an example."""
    grouped = by_kind(problems)
    lines = [kind.told(1) for kind in grouped[:kinds]]
    left = grouped[kinds:]
    if left:
        lines.append(f"and {sum(map(len, left)):,} more problems of {len(left)} other kinds")
    return "; ".join(lines)


def _shared_place(places: list[str]) -> str:
    """The file that all entries lie in, such as `a.json: `; empty where they have none."""
    head, colon, _ = places[0].rpartition(": ")
    start = head + colon
    return start if colon and all(place.startswith(start) for place in places) else ""


def _cut(text: str, longest: int = LONGEST) -> str:
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def _after(remedy: str) -> str:
    return f"; {remedy}" if remedy else ""
