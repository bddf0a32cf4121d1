"""Score a results file on automatic checkout: cAcc, ACD, mCCD, mCIoU, mAP50, mmAP by clutter level.

Every image counts, with and without detections, and one threshold serves all levels. It is given
with --threshold, or chosen on validation with --val-gt and --val-results; never on the scored
images. Boxes are counted as they are in the file unless --suppress is given. A list of counts per
image (counts.json) is scored as it is: it needs no threshold, and has no mAP.

--protocol rpctool gives the figures of the field's older tool, quirks included: for old tables.

Written: report.json, report.md, report.html, counts.json, and worst_carts/ with the worst carts
drawn where the photos are found. Exit code: 0 done, 2 bad input.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rpc.cli.links_option import add_links_option
from rpc.cli.verb_parser import VerbParser
from rpc.data.files import read_json
from rpc.data.plain_text import plain_text
from rpc.metrics.bootstrap import RESAMPLES
from rpc.metrics.specs import METRICS
from rpc.reporting import SUPERVISION_TEXT
from rpc.reporting.evaluation.worst_carts import MOST
from rpc.reporting.pages.wording import (
    metric_cells,
    metric_titles,
    passing_lines,
    span,
    suspicion_lines,
)
from rpc.runs.screen import say


def main(argv: list[str] | None = None) -> int:
    """Score the results that the command line names."""
    args = parser().parse_args(argv)
    from rpc.pipelines.evaluation import EvaluationRequest, evaluate_results

    line = ["rpc-checkout", "evaluate", *(sys.argv[1:] if argv is None else argv)]
    with Console(stderr=True).status("reading") as status:
        path = evaluate_results(
            EvaluationRequest(**vars(args)),
            line,
            lambda word: status.update(Text(plain_text(word))),
        )
    report = read_json(path)
    _show(report)
    _tell_of_pictures(report, args.worst_carts)
    say(f"{path}; report.html, report.md, counts.json and table.* beside it")
    return 0


def _tell_of_pictures(report: dict[str, Any], wanted: int) -> None:
    """Print why wrong carts were not drawn."""
    worst = report.get("worst_carts")
    if worst and worst["missing"]:
        say(f"not drawn, no readable photo: {', '.join(worst['missing'])}")
    elif worst is None and wanted and report["counting"]["rule"] and report["carts"]:
        say("no photos beside the ground truth: --images DIR draws the wrong carts")


def _show(report: dict[str, Any]) -> None:
    """Print the table; rates in percent."""
    protocol = "" if report["protocol"] == "honest" else f", protocol {report['protocol']}"
    title = f"{report['method'] or 'results'} (supervision {report['supervision']}{protocol})"
    table = Table(title=Text(plain_text(title)), title_justify="left")
    table.add_column("level")
    for name in ("images", *metric_titles(METRICS)):
        table.add_column(name, justify="right")
    for name, row in report["levels"].items():
        table.add_row(name, str(row["images"]), *metric_cells(METRICS, row))
    # Wide enough for the table also where the output is a file or a pipe.
    Console(width=None if sys.stdout.isatty() else 100).print(table)
    for name, row in report["levels"].items():
        if "interval" in row:
            say(f"cAcc of {name}: 95 % interval {span('cAcc', row['interval']['cAcc'])} %")
    for line in passing_lines(report.get("doubt")):
        say(line)
    for line in suspicion_lines(report):
        say(f"suspicious: {line}")
    for note in report["notes"]:
        say(f"note: {note}")
    counting = report["counting"]
    if counting["rule"]:
        how = "given" if counting["chosen_on"] == "given" else f"chosen on {counting['chosen_on']}"
        say(f"threshold {counting['rule']['threshold']:.2f}, {how}")


def parser() -> argparse.ArgumentParser:
    """The options of this verb."""
    made = VerbParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = made.add_argument
    add("--gt", type=Path, required=True, metavar="GT.json", help="true items: RPC's JSON")
    add(
        "--results",
        type=Path,
        required=True,
        metavar="RESULTS.json",
        help="COCO results list, or a list of counts per image",
    )
    add("--out", type=Path, required=True, metavar="DIR", help="for report.json and its pages")
    add(
        "--threshold",
        type=float,
        metavar="T",
        help="score from which a box counts, 0 to 1 (the item score, where the results have it)",
    )
    add("--val-gt", type=Path, metavar="GT.json", help="validation images to choose it on")
    add("--val-results", type=Path, metavar="RESULTS.json", help="results of these images")
    add(
        "--suppress",
        action="store_true",
        help="drop duplicate boxes before counting; with --val-gt, how is chosen there too",
    )
    add(
        "--by-score",
        action="store_true",
        help="count by the scores also where the results have item scores",
    )
    add(
        "--protocol",
        choices=("honest", "rpctool"),
        default="honest",
        help="honest: every image counts (default); rpctool: the older tool's figures",
    )
    add(
        "--levels",
        type=lambda text: [part.strip() for part in text.split(",")],
        metavar="LIST",
        help="rows of the table (default easy,medium,hard,averaged)",
    )
    add("--method", default="", metavar="NAME", help="name for the table (default: none)")
    add(
        "--supervision",
        choices=list(SUPERVISION_TEXT),
        default="E",
        help="; ".join(f"{letter}: {text}" for letter, text in SUPERVISION_TEXT.items())
        + " (default E)",
    )
    add(
        "--bootstrap",
        type=int,
        default=RESAMPLES,
        metavar="N",
        help="resamples for the intervals (default %(default)s; 0: no intervals)",
    )
    add("--no-map", dest="map", action="store_false", help="leave out mAP")
    add(
        "--images",
        type=Path,
        metavar="DIR",
        help="photos of --gt, to draw the wrong carts (default: those of its store, if there)",
    )
    add(
        "--worst-carts",
        type=int,
        default=MOST,
        metavar="N",
        help="carts drawn, worst first (default %(default)s; 0: none)",
    )
    add_links_option(made)
    return made
