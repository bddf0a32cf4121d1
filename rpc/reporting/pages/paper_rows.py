"""Lines of the paper's table: which reports may share it, what is printed, which value is best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rpc.data import DataError
from rpc.metrics.levels import ROWS
from rpc.metrics.specs import METRICS

Kind = tuple[str, str]
Values = Mapping[str, float | None]


@dataclass(frozen=True)
class PaperRow:
    """One line of the table.

    Attributes:
        level: clutter mode.
        method: its name.
        kind: protocol and supervision; only rows of one kind are comparable.
        values: the metrics by name; None where it was not measured.
        best: metrics in which no other row of its level and kind is better, as printed; empty
            where there is no other.
    """

    level: str
    method: str
    kind: Kind
    values: Values
    best: frozenset[str]

    def cells(self) -> list[tuple[str, bool]]:
        """The printed metrics, and whether each is a best one."""
        return [
            (spec.paper_text(self.values[name]), name in self.best)
            for name, spec in METRICS.items()
        ]


def require_one_kind(
    reports: Sequence[Mapping[str, Any]], names: Sequence[str], mix: bool = False
) -> None:
    """Refuse reports that are not comparable, unless the caller wants them side by side.

    Args:
        reports: objects of `report.json`.
        names: what messages call them.
        mix: whether protocol and supervision may differ.

    Raises:
        DataError: they do and may not.
    """
    for name, report in zip(names[1:], reports[1:], strict=True):
        for what in ("protocol", "supervision"):
            if report[what] != reports[0][what] and not mix:
                raise DataError(
                    f"{what}: {names[0]} has {reports[0][what]!r:.20}, {name} has "
                    f"{report[what]!r:.20}: their figures are not comparable; score both alike, or "
                    "ask for a mixed table (--mix), which says so"
                )


def paper_rows(
    reports: Sequence[Mapping[str, Any]],
    names: Sequence[str],
    levels: Sequence[str] | None = None,
) -> list[PaperRow]:
    """The lines of the table: by level, then in the order of the reports.

    Args:
        reports: objects of `report.json`, one a method.
        names: of the methods.
        levels: which ones; all of easy, medium, hard, averaged where it is None. A report without
            the level has no line in it.
    """
    lines = []
    for level in ROWS if levels is None else [name for name in ROWS if name in levels]:
        group: list[tuple[str, Kind, Values]] = [
            (name, kind_of(report), {metric: report["levels"][level][metric] for metric in METRICS})
            for name, report in zip(names, reports, strict=True)
            if level in report["levels"]
        ]
        for name, kind, values in group:
            rivals = [other for _, its_kind, other in group if its_kind == kind]
            lines.append(PaperRow(level, name, kind, values, _best(values, rivals)))
    return lines


def kind_of(report: Mapping[str, Any]) -> Kind:
    """Protocol and supervision of a report."""
    return report["protocol"], report["supervision"]


def kinds_of(rows: Sequence[PaperRow]) -> list[Kind]:
    """The kinds among the rows, each once, in their order."""
    return list(dict.fromkeys(row.kind for row in rows))


def _best(values: Values, rivals: Sequence[Values]) -> frozenset[str]:
    """Metrics in which no rival is better, as printed; the row itself is among its rivals."""
    found = set()
    for name, spec in METRICS.items():
        shown = [spec.paper_number(value) for one in rivals if (value := one[name]) is not None]
        value = values[name]
        if value is not None and len(shown) > 1:
            best = max(shown) if spec.higher_is_better else min(shown)
            if spec.paper_number(value) == best:
                found.add(name)
    return frozenset(found)
