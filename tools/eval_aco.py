"""Score a results file on automatic checkout: cAcc, ACD, mCCD, mCIoU, mAP50, mmAP by clutter level.

Every image counts, with and without detections, and one threshold serves all levels. It is given
with --threshold, or chosen on validation with --val-gt and --val-results; never on the scored
images. Boxes are counted as they are in the file unless --suppress is given. A list of counts per
image (counts.json) is scored as it is: it needs no threshold, and has no mAP.

--protocol rpctool gives the figures of the field's older tool, quirks included: for old tables.

Written: report.json, report.md, report.html, counts.json, and gallery/ with the worst carts drawn
where the photos are found. Exit code: 0 done, 2 bad input.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from door import run
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rpc.counting import CountingRule, CurvePoint, RuleGrid, choose_rule
from rpc.data import DataError, Dataset, ImageInfo, read_dataset
from rpc.data.files import safe_join
from rpc.data.json_lists import read_list
from rpc.data.store import SPLITS, Store
from rpc.metrics.rpctool import RpctoolMetrics, rpctool_metrics
from rpc.reporting import (
    SUPERVISION_TEXT,
    Reading,
    Results,
    build_report,
    is_counts_list,
    manifest,
    read_boxes,
    read_carts,
    read_counts,
    read_results,
    write_counts,
    write_gallery,
    write_report,
)
from rpc.reporting.gallery import MOST
from rpc.reporting.provenance import sha256
from rpc.reporting.report import RESAMPLES
from rpc.reporting.wording import metric, metric_title, span

SIX = ("cAcc", "ACD", "mCCD", "mCIoU", "mAP50", "mmAP")
NO_THRESHOLD = (
    "no threshold: give --threshold T, or --val-gt and --val-results to choose one on validation "
    "images (never on the images that are scored)"
)


class Scored(NamedTuple):
    """How the scored images were read, and how that was decided."""

    reading: Reading
    chosen_on: str
    curve: Sequence[CurvePoint] = ()
    official: dict[str, RpctoolMetrics] | None = None


def main(argv: list[str] | None = None) -> int:
    """Score the results that the command line names."""
    args = _parser().parse_args(argv)
    _check(args)
    with Console(stderr=True).status("reading") as status:
        dataset = read_dataset(args.gt)
        scored = _scored(args, dataset, status.update)
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
    print("\n".join([*told, f"{written}; report.html, report.md and counts.json beside it"]))
    return 0


def _scored(args: argparse.Namespace, dataset: Dataset, say: Callable[[str], None]) -> Scored:
    """Read the results as the options say."""
    if _holds_counts(args.results):
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
        return Scored(read_carts(read_counts(args.results, dataset)), "a file of shopping lists")
    if args.protocol == "rpctool":
        return _as_rpctool(read_results(args.results, dataset))
    say("choosing the threshold on validation")
    rule, chosen_on, curve = _rule(args, dataset)
    say("counting")
    return Scored(read_boxes(read_results(args.results, dataset), rule), chosen_on, curve)


def _as_rpctool(results: Results) -> Scored:
    """The official figures; the other tables count with the threshold of all images."""
    dataset = results.dataset
    if len(dataset) == 0:
        raise DataError(f"{dataset.path}: has no images: there is nothing to score")
    official = rpctool_metrics(
        results.scores, results.labels, results.rows, dataset.counts(), dataset.levels()
    )
    if problem := official["averaged"].problem:
        raise DataError(f"--protocol rpctool has no figures for these results: {problem}")
    rule = CountingRule.plain(official["averaged"].threshold)
    where = "the scored images themselves, by rpctool, for each level again"
    return Scored(read_boxes(results, rule), where, official=official)


def _rule(
    args: argparse.Namespace, dataset: Dataset
) -> tuple[CountingRule, str, Sequence[CurvePoint]]:
    """The rule, what it was chosen on, and what other thresholds gave there."""
    base = CountingRule() if args.suppress else CountingRule.plain(0.5)
    if args.threshold is not None:
        return CountingRule.from_dict({**base.to_dict(), "threshold": args.threshold}), "given", ()
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
    return choice.rule, args.val_gt.name, choice.curve


def _holds_counts(path: Path) -> bool:
    """Whether a results file is a list of carts; its beginning tells."""
    expected = "a COCO results list [{...}, ...] or a list of counts per image"
    first = next(read_list(path, expected=expected), None)
    return first is not None and is_counts_list(first[1])


def _write(
    args: argparse.Namespace, dataset: Dataset, reading: Reading, report: dict[str, Any]
) -> tuple[Path, list[str]]:
    """Write all files; the path of report.json, and what there is to say of the pictures."""
    photo, told = _photos(args), []
    if photo is not None and args.gallery and reading.boxes is not None:
        report["gallery"] = write_gallery(args.out, dataset, reading, photo, most=args.gallery)
        if missing := report["gallery"]["missing"]:
            told.append(f"not drawn, no such photo: {', '.join(missing)}")
    elif args.gallery and reading.boxes is not None and report["carts"]:
        told.append("no photos beside the ground truth: --images DIR draws the wrong carts")
    write_counts(args.out / "counts.json", dataset, reading.counts, reading.certainty)
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
    for name in ("images", *map(metric_title, SIX)):
        table.add_column(name, justify="right")
    for name, row in report["levels"].items():
        table.add_row(name, str(row["images"]), *(metric(key, row[key]) for key in SIX))
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
    """Refuse combinations of options that do not say how to count."""
    pair = (args.val_gt, args.val_results)
    if (pair[0] is None) != (pair[1] is None):
        raise DataError("--val-gt and --val-results belong together: give both or neither")
    if args.protocol == "rpctool" and (args.threshold is not None or pair[0] or args.suppress):
        raise DataError(
            "--protocol rpctool chooses its own threshold on the scored images and counts boxes as "
            "they are: leave --threshold, --val-gt, --val-results and --suppress out"
        )
    if args.threshold is not None and pair[0] is not None:
        raise DataError("--threshold and --val-gt exclude each other: give one of them")
    if args.bootstrap < 0 or args.gallery < 0:
        raise DataError("--bootstrap and --gallery: expected 0 (off) or more")
    if args.images is not None and not args.images.is_dir():
        raise DataError(f"{args.images}: no such folder; --images names the photos of --gt")
    decided = args.threshold is not None or pair[0] is not None or args.protocol == "rpctool"
    if not decided and not _holds_counts(args.results):
        raise DataError(NO_THRESHOLD)


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
        "--gallery",
        type=int,
        default=MOST,
        metavar="N",
        help="carts drawn, worst first (default %(default)s; 0: none)",
    )
    return parser


if __name__ == "__main__":
    run(main)
