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
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rpc.data import DataError, Dataset, ImageInfo, read_dataset
from rpc.data.files import safe_join
from rpc.data.store import SPLITS, Store
from rpc.metrics.bootstrap import RESAMPLES
from rpc.pipelines.scored_results import check_threshold, read_scored
from rpc.reporting import (
    SUPERVISION_TEXT,
    Reading,
    build_report,
    manifest,
    write_counts,
    write_paper_table,
    write_report,
    write_worst_carts,
)
from rpc.reporting.evaluation.paper_rows import METRICS
from rpc.reporting.evaluation.wording import metric, metric_title, span
from rpc.reporting.evaluation.worst_carts import MOST


def main(argv: list[str] | None = None) -> int:
    """Score the results that the command line names."""
    args = _parser().parse_args(argv)
    _check(args)
    with Console(stderr=True).status("reading") as status:
        dataset = read_dataset(args.gt)
        scored = read_scored(args, dataset, status.update)
        status.update(f"scoring {len(dataset)} images")
        boxes = scored.reading.boxes
        files = {"gt": args.gt, "results": args.results}
        if args.val_gt is not None:
            files |= {"val_gt": args.val_gt, "val_results": args.val_results}
        report = build_report(
            dataset,
            scored.reading,
            manifest=manifest(
                threshold=boxes.rule.threshold if boxes else None,
                chosen_on=scored.chosen_on,
                split=args.gt.name,
                files=files,
                argv=["eval_aco.py", *(sys.argv[1:] if argv is None else argv)],
            ),
            chosen_on=scored.chosen_on,
            supervision=args.supervision,
            method=args.method,
            levels=args.levels,
            with_map=args.map,
            resamples=args.bootstrap,
            official=scored.official,
            threshold_curve=scored.curve,
        )
        status.update("writing")
        written, told = _write(args, dataset, scored.reading, report)
    _show(report)
    print(
        "\n".join([*told, f"{written}; report.html, report.md, counts.json and table.* beside it"])
    )
    return 0


def _write(
    args: argparse.Namespace, dataset: Dataset, reading: Reading, report: dict[str, Any]
) -> tuple[Path, list[str]]:
    """Write all files; the path of report.json, and what there is to say of the pictures."""
    photo, told = _photos(args), []
    if photo is not None and args.worst_carts and reading.boxes is not None:
        report["worst_carts"] = write_worst_carts(
            args.out, dataset, reading, photo, most=args.worst_carts
        )
        if missing := report["worst_carts"]["missing"]:
            told.append(f"not drawn, no readable photo: {', '.join(missing)}")
    elif args.worst_carts and reading.boxes is not None and report["carts"]:
        told.append("no photos beside the ground truth: --images DIR draws the wrong carts")
    write_counts(args.out / "counts.json", dataset, reading.counts, reading.certainty)
    write_paper_table(args.out, [report])
    return write_report(args.out, report), told


def _photos(args: argparse.Namespace) -> Callable[[ImageInfo], Path] | None:
    """Where the photos are: as the option says, else in the store that the truth belongs to."""
    folder = args.images
    if folder is None:
        name = args.gt.stem.removeprefix("instances_")
        split = next((one for one in SPLITS if name in (one, f"{one}2019")), None)
        folder = Store(args.gt.parent).image_dir(split) if split else None
    if folder is None or not folder.is_dir():
        return None
    return lambda image: safe_join(folder, image.file_name)


def _show(report: dict[str, Any]) -> None:
    """Print the table; rates in percent."""
    protocol = "" if report["protocol"] == "honest" else f", protocol {report['protocol']}"
    title = f"{report['method'] or 'results'} (supervision {report['supervision']}{protocol})"
    table = Table(title=Text(title), title_justify="left")
    table.add_column("level")
    for name in ("images", *map(metric_title, METRICS)):
        table.add_column(name, justify="right")
    for name, row in report["levels"].items():
        table.add_row(name, str(row["images"]), *(metric(key, row[key]) for key in METRICS))
    # Wide enough for the table also where the output is a file or a pipe.
    Console(width=None if sys.stdout.isatty() else 100).print(table)
    for name, row in report["levels"].items():
        if "interval" in row:
            print(f"cAcc of {name}: 95 % interval {span('cAcc', row['interval']['cAcc'])} %")
    for note in report["notes"]:
        print(f"note: {note}")
    counting = report["counting"]
    if counting["rule"]:
        how = "given" if counting["chosen_on"] == "given" else f"chosen on {counting['chosen_on']}"
        print(f"threshold {counting['rule']['threshold']:.2f}, {how}")


def _check(args: argparse.Namespace) -> None:
    """Refuse options that make no sense, before anything long is read."""
    if args.bootstrap < 0 or args.worst_carts < 0:
        raise DataError("--bootstrap and --worst-carts: expected 0 (off) or more")
    if args.images is not None and not args.images.is_dir():
        raise DataError(f"{args.images}: no such folder; --images names the photos of --gt")
    check_threshold(args)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--gt", type=Path, required=True, metavar="GT.json", help="true items: RPC's JSON")
    add(
        "--results",
        type=Path,
        required=True,
        metavar="RESULTS.json",
        help="COCO results list, or a list of counts per image",
    )
    add("--out", type=Path, required=True, metavar="DIR", help="for report.json and its pages")
    add("--threshold", type=float, metavar="T", help="score from which a box counts, 0 to 1")
    add("--val-gt", type=Path, metavar="GT.json", help="validation images to choose it on")
    add("--val-results", type=Path, metavar="RESULTS.json", help="results of these images")
    add(
        "--suppress",
        action="store_true",
        help="drop duplicate boxes before counting; with --val-gt, how is chosen there too",
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
    add("--method", default="", metavar="NAME", help="name for the table")
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
    return parser
