"""The RPC paper's table 3 on any store: Single, Syn, Render, Syn+Render by clutter mode.

The same detector and recogniser, the same number of updates (so that nothing depends on what else
the machine does), counting rule from val, test photos once; each with several seeds. Every cell is
a folder of its own with report and model: run again, the same command goes on with what is missing.
table3.json and table3.md are written anew after each cell.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from rpc.cli.job_options import add_job_options
from rpc.cli.links_option import add_links_option
from rpc.cli.verb_parser import VerbParser
from rpc.pipelines.store_job.defaults import (
    METHODS,
    RECOGNISER_START,
    START,
)
from rpc.runs.screen import say, say_lines


def main(argv: list[str] | None = None) -> int:
    """Make every cell that is missing; print the table."""
    given = vars(parser().parse_args(argv))
    from rpc.pipelines.table3 import Table3Request, make_table3

    table = make_table3(Table3Request(**{**given, "methods": tuple(given["methods"])}))
    say_lines(table.read_text(encoding="utf-8"))
    say(f"{table}; table3.json beside it")
    return 0


def parser() -> argparse.ArgumentParser:
    """The options of this verb."""
    made = VerbParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = made.add_argument
    add("--data", type=Path, required=True, metavar="ROOT", help="a store in RPC's shape")
    add("--out", type=Path, required=True, metavar="DIR", help="for the cells and the table")
    add("--seeds", type=int, default=2, metavar="N", help="seeds 0 to N - 1 (default: %(default)s)")
    add(
        "--methods",
        nargs="+",
        choices=METHODS,
        default=list(METHODS),
        metavar="METHOD",
        help=f"rows, of {', '.join(METHODS)} (default: all)",
    )
    add(
        "--iterations",
        type=int,
        default=220,
        metavar="N",
        help="updates of the detector, and twice as many of the recogniser: about 12 minutes a "
        "cell on two cores (default: %(default)s)",
    )
    add("--start", type=Path, default=START, help="detector's start (default: ours)")
    add(
        "--recogniser-start",
        type=Path,
        default=RECOGNISER_START,
        help="recogniser's start (default: ours)",
    )
    add_job_options(made)
    add_links_option(made)
    return made
