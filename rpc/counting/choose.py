"""Choose threshold and duplicate suppression on labelled validation trays, never on test ones.

Key: N images, K SKUs, S settings of the suppression, T thresholds.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rpc.counting.rule import CountingRule, scores_to_count_by
from rpc.counting.suppression import BoolArray, Overlaps, best_first, suppress
from rpc.metrics import CheckoutMetrics, checkout_metrics
from rpc.metrics.checkout import Counts, as_counts
from rpc.structures import Detections
from rpc.structures.boxes import FloatArray


@dataclass(frozen=True)
class RuleGrid:
    """The values to try. Gentle suppression stands first: it wins where all else is equal.

    Where counting goes by item scores, duplicates are told without looking at labels: limits on
    boxes of one SKU and of two are the same then.

    Attributes:
        thresholds: scores, rising.
        agnostic_ious: see `CountingRule.agnostic_iou`; 1 is off; empty: as the base rule has it.
        containments: see `CountingRule.containment`; likewise.
        item_ious: in place of `agnostic_ious` where counting goes by item scores: for `nms_iou` and
            `agnostic_iou` alike.
        item_containments: likewise, for `containment` and `agnostic_containment` alike.

    Raises:
        ValueError: there is no threshold, or they do not rise within 0 to 1.
    """

    thresholds: tuple[float, ...] = tuple(round(0.01 * n, 2) for n in range(1, 100))
    agnostic_ious: tuple[float, ...] = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
    containments: tuple[float, ...] = (1.0, 0.9, 0.8)
    item_ious: tuple[float, ...] = (0.65, 0.5)
    item_containments: tuple[float, ...] = (1.0, 0.9)

    def __post_init__(self) -> None:
        rising = all(a < b for a, b in itertools.pairwise(self.thresholds))
        inside = bool(self.thresholds) and 0 <= self.thresholds[0] and self.thresholds[-1] <= 1
        if not (rising and inside):
            raise ValueError("rule grid: thresholds: expected one or more, rising, within 0 to 1")

    @classmethod
    def threshold_only(cls) -> RuleGrid:
        """Vary the threshold alone; the suppression stays as it is."""
        return cls(agnostic_ious=(), containments=(), item_ious=(), item_containments=())


class CurvePoint(NamedTuple):
    """One point of the validation curve: what a threshold gives with the chosen suppression."""

    threshold: float
    cAcc: float
    ACD: float


@dataclass(frozen=True)
class RuleChoice:
    """The chosen rule and how it was found.

    Attributes:
        rule: what to store with the checkpoint.
        metrics: of the rule on the validation images: optimistic, as it was chosen there.
        curve: cAcc and ACD by threshold, with the chosen suppression.
    """

    rule: CountingRule
    metrics: CheckoutMetrics
    curve: tuple[CurvePoint, ...] = field(repr=False)


def choose_rule(
    detections: Sequence[Detections],
    gt_counts: ArrayLike,
    *,
    base: CountingRule | None = None,
    grid: RuleGrid | None = None,
) -> RuleChoice:
    """The rule that reads validation trays best, without trusting a lucky one.

    Validation sets are small (18 trays: one tray is 5.6 points of cAcc), so the highest cAcc is
    as much luck as merit. The choice goes in three steps:

    1. Settings within one tray of the best cAcc are as good as the best.
    2. Of these, the lowest ACD counts, which sees every item and not only whole trays; settings
       within one item (over all trays) of it are as good as the lowest.
    3. Of these, the longest run of neighbouring thresholds wins, and its middle is taken: there a
       shift of the scores between validation and test hurts least. Equal runs: the lower ACD, then
       the setting that stands first in the grid, then the lower threshold.

    Args:
        detections: of N validation photos, raw (no threshold).
        gt_counts: (N, K) true counts.
        base: gives `max_items`, `counts_by` and the limits that the grid leaves open. Where it is
            None, the default rule, counting by item scores where all detections have them.
        grid: what is tried.

    Raises:
        ValueError: there is no image, lengths differ, a count is negative, or a label is K or more.
    """
    base = base or CountingRule(counts_by=scores_to_count_by(detections))
    grid = grid or RuleGrid()
    truth = as_counts(gt_counts, "gt_counts")
    _check(detections, truth)
    settings = _settings(base, grid)
    wrong = sum_of_errors(detections, truth, settings, grid.thresholds)  # (S, T, N)
    c_acc, acd = (wrong == 0).mean(axis=2), wrong.mean(axis=2)  # (S, T)
    setting, step = _choose(c_acc, acd, len(truth))
    rule = replace(settings[setting], threshold=grid.thresholds[step])
    return RuleChoice(
        rule=rule,
        metrics=checkout_metrics(rule.counts(detections, truth.shape[1]), truth),
        curve=tuple(
            CurvePoint(*point)
            for point in zip(
                grid.thresholds, c_acc[setting].tolist(), acd[setting].tolist(), strict=True
            )
        ),
    )


def sum_of_errors(
    detections: Sequence[Detections],
    gt_counts: Counts,
    settings: Sequence[CountingRule],
    thresholds: Sequence[float],
) -> Counts:
    """Items wrong (missed plus extra) on each image, for all settings and thresholds.

    One suppression serves all thresholds (see `suppress`), and one pass over the boxes that stay
    gives all errors: down the scores, the r-th box of a SKU (from 0) mends one miss where r is
    below the true count, and is one item too many otherwise.

    Args:
        detections: of N photos.
        gt_counts: (N, K).
        settings: S rules that count by the same score; their thresholds are not looked at.
        thresholds: T scores, rising.

    Returns:
        (S, T, N) items wrong.
    """
    by = settings[0]
    steps = np.asarray(thresholds, dtype=np.float64)
    wrong = np.empty((len(settings), len(steps), len(gt_counts)), dtype=np.int64)
    for row, (one, true) in enumerate(zip(detections, gt_counts, strict=True)):
        good = one.select(by.scores_of(one) >= steps[0])
        good = good.select(best_first(good, by.scores_of(good)))
        passed = np.searchsorted(steps, by.scores_of(good), side="right")  # thresholds it meets
        stays = _stays(good, settings)
        for index in range(len(settings)):
            kept = np.flatnonzero(stays[index])[: settings[index].max_items]
            change = np.where(_rank(good.labels[kept]) < true[good.labels[kept]], -1, 1)
            by_step = np.bincount(passed[kept], weights=change, minlength=len(steps) + 1)
            wrong[index, :, row] = true.sum() + by_step[:0:-1].cumsum()[::-1]
    return wrong


def _stays(good: Detections, settings: Sequence[CountingRule]) -> BoolArray:
    """Which boxes (S, N) stay under each setting; overlaps are not computed where none matters."""
    if not any(rule.suppresses for rule in settings):
        return np.ones((len(settings), len(good)), dtype=bool)
    return suppress(
        Overlaps.of(good),
        [rule.nms_iou for rule in settings],
        [rule.agnostic_iou for rule in settings],
        [rule.containment for rule in settings],
        [rule.agnostic_containment for rule in settings],
    )


def _rank(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many rows before it have the same label, for each row (N,)."""
    order = np.argsort(labels, kind="stable")
    ordered = labels[order]
    starts = np.searchsorted(ordered, ordered, side="left")
    rank = np.empty(len(labels), dtype=np.int64)
    rank[order] = np.arange(len(labels)) - starts
    return rank


def _choose(c_acc: FloatArray, acd: FloatArray, images: int) -> tuple[int, int]:
    """Setting and threshold (their indices) by the three steps of `choose_rule`."""
    slack = (1 + 1e-9) / images  # one tray, or one item over all trays, with room for rounding
    good = c_acc >= c_acc.max() - slack
    equal = good & (acd <= acd[good].min() + slack)
    runs = [
        (first - end, float(acd[setting, first:end].mean()), setting, first, end)
        for setting, row in enumerate(equal)
        for first, end in _runs(row)
    ]
    _, _, setting, first, end = min(runs)
    return setting, (first + end - 1) // 2


def _runs(row: BoolArray) -> list[tuple[int, int]]:
    """First and one past the last index of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], row, [False]]).astype(np.int8)))
    return [(int(first), int(end)) for first, end in edges.reshape(-1, 2)]


def _settings(base: CountingRule, grid: RuleGrid) -> list[CountingRule]:
    by_item = base.counts_by == "item_score"
    ious = [
        (iou if by_item else base.nms_iou, iou)
        for iou in (grid.item_ious if by_item else grid.agnostic_ious)
    ]
    insides = [
        (inside, inside if by_item else base.agnostic_containment)
        for inside in (grid.item_containments if by_item else grid.containments)
    ]
    return [
        replace(
            base,
            nms_iou=same_iou,
            agnostic_iou=iou,
            containment=same_inside,
            agnostic_containment=inside,
        )
        for (same_iou, iou), (same_inside, inside) in itertools.product(
            ious or [(base.nms_iou, base.agnostic_iou)],
            insides or [(base.containment, base.agnostic_containment)],
        )
    ]


def _check(detections: Sequence[Detections], gt_counts: Counts) -> None:
    if len(detections) != len(gt_counts) or len(gt_counts) == 0:
        raise ValueError(
            "choose_rule: expected detections and true counts of the same images, one or more; "
            f"got {len(detections)} detections and gt_counts {gt_counts.shape}"
        )
    highest = max((int(one.labels.max()) for one in detections if len(one)), default=-1)
    if highest >= gt_counts.shape[1]:
        raise ValueError(
            f"choose_rule: label {highest} is not below the {gt_counts.shape[1]} SKUs of gt_counts"
        )
