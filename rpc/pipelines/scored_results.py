"""How the results that eval_aco scores are read: by which threshold, rule or protocol."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from rpc.counting import CountingRule, CurvePoint, RuleGrid, choose_rule
from rpc.data import DataError, Dataset, read_dataset
from rpc.data.json_lists import first_entry
from rpc.metrics.rpctool import RpctoolMetrics, rpctool_metrics
from rpc.reporting import (
    Reading,
    Results,
    is_counts_list,
    read_boxes,
    read_carts,
    read_counts,
    read_results,
)
from rpc.reporting.provenance import sha256

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


def check_threshold(args: argparse.Namespace) -> None:
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
    decided = args.threshold is not None or pair[0] is not None or args.protocol == "rpctool"
    if not decided and not holds_counts(args.results):
        raise DataError(NO_THRESHOLD)


def read_scored(args: argparse.Namespace, dataset: Dataset, say: Callable[[str], None]) -> Scored:
    """Read the results as the options say."""
    if holds_counts(args.results):
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


def holds_counts(path: Path) -> bool:
    """Whether a results file is a list of carts; its beginning tells."""
    return is_counts_list([first_entry(path)])
