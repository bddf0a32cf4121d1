"""Score a results file on automatic checkout: cAcc, ACD, mCCD, mCIoU, mAP50, mmAP by clutter level.

Every image counts, with and without detections, and one threshold serves all levels. It is given
with --threshold, or chosen on validation with --val-gt and --val-results; never on the scored
images. Boxes are counted as they are in the file unless --suppress is given.

Exit code: 0 done, 2 bad input.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from door import run
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rpc.counting import CountingRule, RuleGrid, choose_rule
from rpc.data import DataError, Dataset, read_dataset
from rpc.reporting import SUPERVISION_TEXT, build_report, manifest, read_results, write_report
from rpc.reporting.markdown import percent
from rpc.reporting.provenance import sha256

NO_THRESHOLD = (
    "no threshold: give --threshold T, or --val-gt and --val-results to choose one on validation "
    "images (never on the images that are scored)"
)


def main(argv: list[str] | None = None) -> int:
    """Score the results that the command line names."""
    args = _parser().parse_args(argv)
    _check(args)
    with Console(stderr=True).status("reading") as status:
        dataset = read_dataset(args.gt)
        results = read_results(args.results, dataset)
        status.update("choosing the threshold on validation")
        rule, chosen_on = _rule(args, dataset)
        status.update(f"scoring {len(dataset)} images" + (", mAP takes the longest" * args.map))
        files = {"gt": args.gt, "results": args.results}
        if args.val_gt is not None:
            files |= {"val_gt": args.val_gt, "val_results": args.val_results}
        report = build_report(
            dataset,
            results,
            rule,
            manifest=manifest(
                threshold=rule.threshold,
                chosen_on=chosen_on,
                split=args.gt.name,
                files=files,
                argv=["eval_aco.py", *(sys.argv[1:] if argv is None else argv)],
            ),
            chosen_on=chosen_on,
            supervision=args.supervision,
            method=args.method,
            levels=args.levels,
            with_map=args.map,
        )
        written = write_report(args.out, report)
    _show(report)
    print(f"{written} and report.md beside it")
    return 0


def _rule(args: argparse.Namespace, dataset: Dataset) -> tuple[CountingRule, str]:
    """The rule, and what it was chosen on."""
    base = CountingRule() if args.suppress else CountingRule.plain(0.5)
    if args.threshold is not None:
        return CountingRule.from_dict({**base.to_dict(), "threshold": args.threshold}), "given"
    if sha256(args.val_gt) == sha256(args.gt):
        raise DataError(
            f"{args.val_gt}: is the file that is scored (--gt); a threshold chosen there would "
            "flatter the results: give the validation split's file"
        )
    validation = read_dataset(args.val_gt)
    if unlike := dataset.taxonomy.difference(validation.taxonomy):
        raise DataError(f"{args.val_gt}: its SKUs are not those of {args.gt}: {unlike}")
    choice = choose_rule(
        read_results(args.val_results, validation).detections,
        validation.counts(),
        base=base,
        grid=RuleGrid() if args.suppress else RuleGrid.threshold_only(),
    )
    return choice.rule, args.val_gt.name


def _show(report: dict) -> None:
    """Print the table; rates in percent."""
    title = f"{report['method'] or 'results'} (supervision {report['supervision']})"
    table = Table(title=Text(title), title_justify="left")
    table.add_column("level")
    for name in ("images", "cAcc %", "ACD", "mCCD", "mCIoU %", "mAP50 %", "mmAP %"):
        table.add_column(name, justify="right")
    for name, row in report["levels"].items():
        counts = (percent(row["cAcc"]), f"{row['ACD']:.2f}", f"{row['mCCD']:.3f}")
        rates = (percent(row[key]) for key in ("mCIoU", "mAP50", "mmAP"))
        table.add_row(name, str(row["images"]), *counts, *rates)
    # Wide enough for the table also where the output is a file or a pipe.
    Console(width=None if sys.stdout.isatty() else 100).print(table)
    for note in report["notes"]:
        print(f"note: {note}")
    counting = report["counting"]
    how = "given" if counting["chosen_on"] == "given" else f"chosen on {counting['chosen_on']}"
    print(f"threshold {counting['rule']['threshold']:.2f}, {how}")


def _check(args: argparse.Namespace) -> None:
    """Refuse combinations of options that do not say how to count."""
    pair = (args.val_gt, args.val_results)
    if (pair[0] is None) != (pair[1] is None):
        raise DataError("--val-gt and --val-results belong together: give both or neither")
    if args.threshold is None and pair[0] is None:
        raise DataError(NO_THRESHOLD)
    if args.threshold is not None and pair[0] is not None:
        raise DataError("--threshold and --val-gt exclude each other: give one of them")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--gt", type=Path, required=True, metavar="GT.json", help="true items: RPC's JSON")
    add("--results", type=Path, required=True, metavar="RESULTS.json", help="COCO results list")
    add("--out", type=Path, required=True, metavar="DIR", help="for report.json and report.md")
    add("--threshold", type=float, metavar="T", help="score from which a box counts, 0 to 1")
    add("--val-gt", type=Path, metavar="GT.json", help="validation images to choose it on")
    add("--val-results", type=Path, metavar="RESULTS.json", help="results of these images")
    add(
        "--suppress",
        action="store_true",
        help="drop duplicate boxes before counting; with --val-gt, how is chosen there too",
    )
    add(
        "--levels",
        type=lambda text: [part.strip() for part in text.split(",")],
        metavar="LIST",
        help="rows of the table (default easy,medium,hard,averaged)",
    )
    add("--method", default="", metavar="NAME", help="name for the table")
    add(
        "--supervision",
        choices=list(SUPERVISION_TEXT),
        default="E",
        help="; ".join(f"{letter}: {text}" for letter, text in SUPERVISION_TEXT.items())
        + " (default E)",
    )
    add("--no-map", dest="map", action="store_false", help="leave out mAP, the slow part")
    return parser


if __name__ == "__main__":
    run(main)
