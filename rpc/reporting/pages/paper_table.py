"""Results as the table of the RPC paper (its table 3): markdown, CSV and LaTeX.

Rows are grouped by clutter mode. Rates are in percent with two decimals, as the paper prints them;
the CSV holds the plain numbers of `report.json`: fractions, not rounded.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from rpc.data.file_group import file_group
from rpc.data.files import write_bytes
from rpc.data.plain_text import csv_cell
from rpc.metrics.specs import METRICS
from rpc.reporting.pages.latex import latex_table, latex_text
from rpc.reporting.pages.markdown import markdown_table, markdown_text
from rpc.reporting.pages.paper_rows import (
    PaperRow,
    kinds_of,
    paper_rows,
    require_one_kind,
)
from rpc.reporting.supervision import SUPERVISION_TEXT

FILES: Final = ("table.md", "table.csv", "table.tex")
WARNING: Final = (
    "Rows that differ in protocol or supervision are not comparable; the best value is marked "
    "among rows that agree in both."
)


def write_paper_table(
    folder: str | Path,
    reports: Sequence[Mapping[str, Any]],
    *,
    names: Sequence[str] | None = None,
    levels: Sequence[str] | None = None,
    mix: bool = False,
) -> Path:
    """Write `table.md`, `table.csv` and `table.tex`; all three take their names together.

    For one report: `write_paper_table(folder, [report])`.

    Args:
        folder: where to.
        reports: objects of `report.json`, one a method, in the order of the table.
        names: of the methods, in place of the reports' own.
        levels: which rows; all of easy, medium, hard, averaged that a report has where it is None.
        mix: let reports of different protocol or supervision share the table: two columns and a
            footnote then say so.

    Returns:
        The path of `table.md`.

    Raises:
        DataError: protocol or supervision differ and `mix` is False; or a file cannot be written.
    """
    called = names or [report.get("method") or "results" for report in reports]
    require_one_kind(reports, called, mix)
    rows = paper_rows(reports, called, levels)
    texts = (table_text(rows), table_csv(rows), table_latex(rows))
    with file_group(folder):
        for name, text in zip(FILES, texts, strict=True):
            write_bytes(Path(folder) / name, text.encode("utf-8"))
    return Path(folder) / FILES[0]


def table_text(rows: Sequence[PaperRow]) -> str:
    """The table as markdown; the best values are bold."""
    mixed = len(kinds_of(rows)) > 1
    lines = [
        [
            *(markdown_text(row.level), markdown_text(row.method)),
            *(map(markdown_text, row.kind) if mixed else ()),
            *(f"**{text}**" if best else text for text, best in row.cells()),
        ]
        for row in rows
    ]
    return f"{markdown_table(_head(mixed, '↑', '↓'), lines)}\n\n{_footnote(rows)}\n"


def table_csv(rows: Sequence[PaperRow]) -> str:
    """The table as CSV: plain numbers as in `report.json`; empty where not measured."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["level", "method", "protocol", "supervision", *METRICS])
    for row in rows:
        cells = [row.level, row.method, *row.kind, *(row.values[name] for name in METRICS)]
        writer.writerow(map(csv_cell, cells))
    return text.getvalue()


def table_latex(rows: Sequence[PaperRow]) -> str:
    """The table as LaTeX; the best values are bold."""
    mixed = len(kinds_of(rows)) > 1
    head = _head(mixed, "$\\uparrow$", "$\\downarrow$")
    groups: dict[str, list[list[str]]] = {}
    for row in rows:
        cells = [(latex_text(text), best) for text, best in row.cells()]
        line = [
            "" if row.level in groups else latex_text(row.level),
            latex_text(row.method),
            *(map(latex_text, row.kind) if mixed else ()),
            *(f"\\textbf{{{text}}}" if best else text for text, best in cells),
        ]
        groups.setdefault(row.level, []).append(line)
    return latex_table(
        head,
        list(groups.values()),
        texts=len(head) - len(METRICS),
        caption="Automatic checkout by clutter mode.",
        footnote=_footnote(rows),
    )


def _head(mixed: bool, up: str, down: str) -> list[str]:
    arrows = [
        f"{spec.title} ({up if spec.higher_is_better else down})" for spec in METRICS.values()
    ]
    return ["Clutter mode", "Methods", *(["Protocol", "Supervision"] if mixed else []), *arrows]


def _footnote(rows: Sequence[PaperRow]) -> str:
    """Notes for the reader beside the numbers: how they were scored, what training saw."""
    kinds = kinds_of(rows)
    letters = {letter for _, letter in kinds}
    seen = [f"{letter}: {text}." for letter, text in SUPERVISION_TEXT.items() if letter in letters]
    if len(kinds) > 1:
        return " ".join([WARNING, *seen])
    return " ".join([f"Protocol {p}, supervision {letter}." for p, letter in kinds] + seen)
