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
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rpc.cli.verb_parser import VerbParser
from rpc.data import DataError, ImageInfo, read_dataset
from rpc.data.files import safe_join
from rpc.data.store import SPLITS, Store
from rpc.metrics.bootstrap import RESAMPLES
from rpc.metrics.specs import METRICS
from rpc.reporting import SUPERVISION_TEXT, Evaluation, evaluate, write_worst_carts
from rpc.reporting.evaluation.scored import holds_counts
from rpc.reporting.evaluation.worst_carts import MOST
from rpc.reporting.pages.wording import metric_cells, metric_titles, span

NO_THRESHOLD = (
    "no threshold: give --threshold T, or --val-gt and --val-results to choose one on validation "
    "images (never on the images that are scored)"
)


def main(argv: list[str] | None = None) -> int:
    """Score the results that the command line names."""
    args = parser().parse_args(argv)
    _check(args)
    with Console(stderr=True).status("reading") as status:
        dataset = read_dataset(args.gt)
        _check_results(args)
        scored = evaluate(
            dataset,
            args.results,
            threshold=args.threshold,
            validation=args.val_gt and (args.val_gt, args.val_results),
            suppress=args.suppress,
            protocol=args.protocol,
            bootstrap=args.bootstrap,
            levels=args.levels,
            with_map=args.map,
            method=args.method,
            supervision=args.supervision,
            argv=["rpc-checkout", "evaluate", *(sys.argv[1:] if argv is None else argv)],
            say=status.update,
        )
        status.update("writing")
        written, told = _write(args, scored)
    _show(scored.report)
    print(
        "\n".join([*told, f"{written}; report.html, report.md, counts.json and table.* beside it"])
    )
    return 0


def _write(args: argparse.Namespace, scored: Evaluation) -> tuple[Path, list[str]]:
    """Write all files; the path of report.json, and what there is to say of the pictures."""
    photo, told = _photos(args), []
    has_boxes = scored.reading.boxes is not None
    if photo is not None and args.worst_carts and has_boxes:
        worst = write_worst_carts(
            args.out, scored.dataset, scored.reading, photo, most=args.worst_carts
        )
        scored = replace(scored, report=scored.report | {"worst_carts": worst})
        if worst["missing"]:
            told.append(f"not drawn, no readable photo: {', '.join(worst['missing'])}")
    elif args.worst_carts and has_boxes and scored.report["carts"]:
        told.append("no photos beside the ground truth: --images DIR draws the wrong carts")
    return scored.write(args.out), told


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
    for name in ("images", *metric_titles(METRICS)):
        table.add_column(name, justify="right")
    for name, row in report["levels"].items():
        table.add_row(name, str(row["images"]), *metric_cells(METRICS, row))
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
    pair = (args.val_gt, args.val_results)
    if (pair[0] is None) != (pair[1] is None):
        raise DataError("--val-gt and --val-results belong together: give both or neither")
    _check_counting(args)


def _check_counting(args: argparse.Namespace) -> None:
    """Refuse options that do not say how to count, in the options' own names."""
    rpctool = args.protocol == "rpctool"
    given = args.threshold is not None or args.val_gt is not None
    if rpctool and (given or args.suppress):
        raise DataError(
            "--protocol rpctool chooses its own threshold on the scored images and counts boxes as "
            "they are: leave --threshold, --val-gt, --val-results and --suppress out"
        )
    if args.threshold is not None and args.val_gt is not None:
        raise DataError("--threshold and --val-gt exclude each other: give one of them")
    if not (given or rpctool or holds_counts(args.results)):
        raise DataError(NO_THRESHOLD)


def _check_results(args: argparse.Namespace) -> None:
    """Refuse options for boxes where the results are counts, in the options' own names."""
    if not holds_counts(args.results):
        return
    if args.threshold is not None or args.val_gt is not None or args.suppress:
        raise DataError(
            f"{args.results}: holds counts per image, which need no threshold: leave "
            "--threshold, --val-gt, --val-results and --suppress out"
        )
    if args.protocol == "rpctool":
        raise DataError(
            f"{args.results}: holds counts per image; --protocol rpctool chooses its threshold "
            "by the scores of boxes: give a COCO results list"
        )


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
    return made
