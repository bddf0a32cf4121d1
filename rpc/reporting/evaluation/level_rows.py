"""The rows of the results table: the metrics for each level, by one protocol or the other."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import numpy as np

from rpc.data import Dataset
from rpc.metrics import (
    AVERAGED,
    bootstrap_intervals,
    checkout_metrics_by_level,
    detection_metrics_by_group,
    level_groups,
)
from rpc.metrics.levels import ROWS
from rpc.metrics.rpctool import QUIRKS, RpctoolMetrics
from rpc.metrics.specs import metrics_of
from rpc.reporting.evaluation.reading import Reading
from rpc.reporting.evaluation.results import Results

SEED: Final = 0

Rows = dict[str, dict[str, Any]]


def wanted_rows(levels: Sequence[str] | None, dataset: Dataset) -> tuple[list[str], list[str]]:
    """The rows of the table, and a note for each row asked for that has no images.

    Raises:
        ValueError: a level is asked for that does not exist.
    """
    for name in levels or ():
        if name not in ROWS:
            raise ValueError(f"levels: expected some of {', '.join(ROWS)}, got {name!r:.40}")
    present = level_groups(dataset.levels())
    asked = [name for name in ROWS if levels is None or name in levels]
    if len(present) == 1:  # averaged alone: the file knows no levels
        notes = ["The images have no clutter level, so there is one row: over all of them."]
        return [AVERAGED], notes
    notes = [f"Level '{name}' has no images and no row." for name in asked if name not in present]
    return [name for name in asked if name in present], notes


def honest_rows(dataset: Dataset, reading: Reading, wanted: Sequence[str], resamples: int) -> Rows:
    """The count metrics over every image, with intervals where `resamples` is above 0."""
    truth, levels = dataset.counts(), dataset.levels()
    metrics = checkout_metrics_by_level(reading.counts, truth, levels)
    groups = level_groups(levels)
    threshold = None if reading.boxes is None else reading.boxes.rule.threshold
    rows: Rows = {}
    for name in wanted:
        values = asdict(metrics[name])
        images = values.pop("images")
        rows[name] = {**values, "threshold": threshold, "images": images}
        if resamples:
            # A source of chance for each row: a row's interval does not depend on other rows.
            rng = np.random.default_rng([SEED, ROWS.index(name)])
            part = groups[name]
            found = bootstrap_intervals(reading.counts[part], truth[part], rng, resamples=resamples)
            rows[name]["interval"] = {key: list(ends) for key, ends in asdict(found).items()}
    return rows


def official_rows(
    metrics: Mapping[str, RpctoolMetrics], wanted: Sequence[str]
) -> tuple[Rows, list[str]]:
    """The official tool's figures, null where it has none; and notes that name its quirks."""
    rows: Rows = {}
    notes = [f"rpctool: {name}: {text}" for name, text in QUIRKS.items()]
    for name in wanted:
        row = asdict(metrics[name])
        problem = row.pop("problem")
        names = [spec.name for spec in metrics_of("counts")]
        row = dict.fromkeys(names) | row  # the tool does not know all of our metrics
        values = {key: row[key] for key in (*names, "threshold") if row[key] is not None}
        odd = {key: value for key, value in values.items() if not math.isfinite(value)}
        rows[name] = {**row, **dict.fromkeys(odd)}
        if problem:
            notes.append(f"Row '{name}' has no figures: {problem}.")
        elif odd:
            odd_values = ", ".join(f"{key} {value}" for key, value in odd.items())
            notes.append(f"Row '{name}': the tool prints {odd_values}.")
    return rows, notes


def add_box_metrics(rows: Rows, dataset: Dataset, results: Results | None) -> None:
    """Fill in the metrics of the raw boxes, over all of them; null without boxes."""
    for row in rows.values():
        row.update(dict.fromkeys(spec.name for spec in metrics_of("boxes")))
    if results is None:
        return
    groups = {
        name: [dataset.images[row].id for row in members]
        for name, members in level_groups(dataset.levels()).items()
        if name in rows
    }
    for name, found in detection_metrics_by_group(dataset, results, groups).items():
        rows[name].update(asdict(found))
