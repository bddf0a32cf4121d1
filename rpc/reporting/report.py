"""The report: the six numbers for each level, what they rest on, and where the errors are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rpc.counting import CountingRule
from rpc.data import DataError, Dataset, write_json
from rpc.data.files import atomic_path
from rpc.metrics import (
    AVERAGED,
    checkout_metrics_by_level,
    detection_metrics_by_group,
    level_groups,
)
from rpc.reporting.markdown import report_text
from rpc.reporting.results import Results
from rpc.reporting.supervision import SUPERVISION_TEXT, Supervision
from rpc.reporting.tables import cart_table, confusions, sku_table

CARTS_KEPT: Final = 100  # of 24,000 carts hundreds may be wrong; the worst ones tell the story
CONFUSIONS_KEPT: Final = 50


def build_report(
    dataset: Dataset,
    results: Results,
    rule: CountingRule,
    *,
    manifest: Mapping[str, Any],
    chosen_on: str,
    supervision: Supervision = "E",
    method: str = "",
    levels: Sequence[str] | None = None,
    with_map: bool = True,
    timings: Mapping[str, float] | None = None,
    notes: Sequence[str] = (),
) -> dict[str, Any]:
    """Measure results against the truth, by the honest protocol: every image counts.

    Args:
        dataset: the images that are scored, with their true items.
        results: of these images.
        rule: how boxes become counts; chosen before, and not on these images.
        manifest: see `rpc.reporting.manifest`.
        chosen_on: what the rule was chosen on, such as `val`; or `given`.
        supervision: what training saw: E exemplars and at most unlabelled train/val checkout
            images, T also unlabelled test images, V also labelled checkout images.
        method: a name for the table.
        levels: which rows are wanted, of easy, medium, hard, averaged; all where it is None.
        with_map: whether mAP50 and mmAP are computed: the slow part. They are null without.
        timings: seconds by step, or seconds a photo.
        notes: lines that belong beside the numbers.

    Returns:
        The object of `report.json`, see docs/overview.md: plain values, rates as fractions.

    Raises:
        ValueError: there is no image, or an unknown level or supervision is asked for.
    """
    if supervision not in SUPERVISION_TEXT:
        letters = ", ".join(SUPERVISION_TEXT)
        raise ValueError(f"supervision: expected one of {letters}, got {supervision!r:.40}")
    if len(dataset) == 0:
        raise DataError(f"{dataset.path or 'data set'}: has no images: there is nothing to score")
    wanted, absent = _wanted(levels, dataset)
    counted = [rule.apply(one) for one in results.detections]
    truth = dataset.counts()
    predicted = np.stack([np.bincount(c.labels, minlength=len(dataset.taxonomy)) for c in counted])
    carts = cart_table(predicted, truth, dataset)
    return {
        "protocol": "honest",
        "supervision": supervision,
        "method": method,
        "manifest": dict(manifest),
        "levels": _levels(dataset, results, predicted, rule.threshold, wanted, with_map),
        "notes": [*absent, *notes],
        "counting": {"rule": rule.to_dict(), "chosen_on": chosen_on},
        "timings": dict(timings or {}),
        "skus": sku_table(predicted, truth, dataset.taxonomy),
        "confusions": confusions(counted, dataset)[:CONFUSIONS_KEPT],
        "wrong_carts": len(carts),
        "carts": carts[:CARTS_KEPT],
    }


def write_report(folder: str | Path, report: Mapping[str, Any]) -> Path:
    """Write `report.json` and `report.md` into a folder; returns the path of the JSON.

    Raises:
        DataError: a file cannot be written.
    """
    folder = Path(folder)
    with atomic_path(folder / "report.md") as page:  # takes its name together with the JSON
        page.write_bytes(report_text(report).encode("utf-8"))
        return write_json(folder / "report.json", report, indent=1)


def _wanted(levels: Sequence[str] | None, dataset: Dataset) -> tuple[list[str], list[str]]:
    """The rows of the table, and a note for each row asked for that has no images."""
    names = ("easy", "medium", "hard", AVERAGED)
    for name in levels or ():
        if name not in names:
            raise ValueError(f"levels: expected some of {', '.join(names)}, got {name!r:.40}")
    present = level_groups(dataset.levels())
    asked = [name for name in names if levels is None or name in levels]
    if len(present) == 1:  # averaged alone: the file knows no levels
        notes = ["The images have no clutter level, so there is one row: over all of them."]
        return [AVERAGED], notes
    notes = [f"Level '{name}' has no images and no row." for name in asked if name not in present]
    return [name for name in asked if name in present], notes


def _levels(
    dataset: Dataset,
    results: Results,
    predicted: NDArray[np.int64],
    threshold: float,
    wanted: Sequence[str],
    with_map: bool,
) -> dict[str, dict[str, Any]]:
    levels = dataset.levels()
    counts = checkout_metrics_by_level(predicted, dataset.counts(), levels)
    boxes: dict[str, dict[str, float | None]] = {
        name: {"mAP50": None, "mmAP": None} for name in wanted
    }
    if with_map:
        groups = {
            name: [dataset.images[row].id for row in rows]
            for name, rows in level_groups(levels).items()
            if name in wanted
        }
        found = detection_metrics_by_group(dataset, results.entries, groups)
        boxes = {name: asdict(metrics) for name, metrics in found.items()}
    table = {}
    for name in wanted:
        row = asdict(counts[name])
        images = row.pop("images")
        table[name] = {**row, **boxes[name], "threshold": threshold, "images": images}
    return table
