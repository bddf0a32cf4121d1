"""Compare scored results on the same images: differences with intervals, paired tests, tables.

The folders are those that rpc-checkout evaluate or quickstart has written; the first is the
baseline. Into --out go comparison.json, comparison.md, and the table of the RPC paper as table.md,
table.csv and table.tex. Results of different protocol or supervision are refused unless --mix is
given, and results of another ground truth always.

Exit code: 0 done, 2 bad input.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rpc.cli.verb_parser import VerbParser
from rpc.data.plain_text import plain_text
from rpc.metrics.bootstrap import RESAMPLES
from rpc.metrics.specs import METRICS
from rpc.reporting import compare_results, read_report_folder, write_comparison
from rpc.reporting.comparison.comparison_text import difference_text, p_text
from rpc.reporting.comparison.level_comparison import TESTED
from rpc.reporting.evaluation.level_rows import SEED
from rpc.reporting.evaluation.scored import read_truth
from rpc.runs.folder_lock import writing_folder
from rpc.runs.screen import say


def main(argv: list[str] | None = None) -> int:
    """Compare the folders that the command line names."""
    args = parser().parse_args(argv)
    with writing_folder(args.out), Console(stderr=True).status("comparing"):
        folders = [read_report_folder(folder) for folder in args.folders]
        comparison = compare_results(
            folders,
            read_truth(args.gt),
            levels=args.levels,
            mix=args.mix,
            resamples=args.bootstrap,
            seed=args.seed,
        )
        written = write_comparison(args.out, comparison, folders)
    _show(comparison)
    say(f"{written}; comparison.md, table.md, table.csv and table.tex beside it")
    return 0


def _show(comparison: Mapping[str, Any]) -> None:
    """Print the differences in the two metrics that are tested."""
    table = Table(title=Text(plain_text(f"against {comparison['baseline']}")), title_justify="left")
    for name in ("level", "result"):
        table.add_column(name)
    for spec in (METRICS[name] for name in TESTED):
        table.add_column(spec.title + ", points" * spec.is_rate, justify="right")
        table.add_column("p", justify="right")
    for level, entries in comparison["levels"].items():
        for entry in entries:
            carts = entry["carts"] or {}
            p = carts.get("p_holm") or carts.get("p") or {}
            cells = [
                text
                for name in TESTED
                for text in (
                    difference_text(name, entry["differences"][name]),
                    p_text(p.get(name)),
                )
            ]
            table.add_row(level, Text(plain_text(entry["name"])), *cells)
    # Wide enough for the table also where the output is a file or a pipe.
    console = Console()
    if not console.is_terminal:
        console = Console(width=100)
    console.print(table)
    if len(comparison["results"]) > 2:
        say("p values adjusted for the number of results (Holm)")
    for note in comparison["notes"]:
        say(f"note: {note}")
    say("one run of each: the tests do not cover another seed or another training")


def parser() -> argparse.ArgumentParser:
    """The options of this verb."""
    made = VerbParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = made.add_argument
    add("folders", type=Path, nargs="+", metavar="REPORT_DIR", help="the first is the baseline")
    add("--gt", type=Path, required=True, metavar="GT.json", help="what all were scored on")
    add("--out", type=Path, required=True, metavar="DIR", help="for the comparison and the tables")
    add(
        "--mix",
        action="store_true",
        help="compare results of different protocol or supervision all the same; the tables say so",
    )
    add(
        "--levels",
        type=lambda text: [part.strip() for part in text.split(",")],
        metavar="LIST",
        help="rows of the tables (default: those of easy,medium,hard,averaged that all have)",
    )
    add(
        "--bootstrap",
        type=int,
        default=RESAMPLES,
        metavar="N",
        help=f"resamples for the intervals (default {RESAMPLES})",
    )
    add("--seed", type=int, default=SEED, help=f"of the resamples (default {SEED})")
    return made
