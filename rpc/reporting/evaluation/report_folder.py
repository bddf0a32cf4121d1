"""A scored result: the folder that `rpc-checkout evaluate` or `quickstart` has written."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rpc.data import DataError, Dataset, read_json
from rpc.metrics import checkout_metrics_by_level
from rpc.metrics.checkout import Counts
from rpc.metrics.levels import ROWS
from rpc.metrics.specs import METRICS, metrics_of
from rpc.reporting.evaluation.counts import read_counts
from rpc.reporting.pages.wording import PROTOCOLS
from rpc.reporting.supervision import SUPERVISION_TEXT
from rpc.runs.folder_lock import settle

AGREEMENT: Final = 1e-9


@dataclass(frozen=True)
class ReportFolder:
    """One result and where it came from.

    Attributes:
        path: the folder.
        report: the object of `report.json`; its table is checked, the rest is as the file has it.
        truth: SHA-256 of the ground truth it was scored on.
    """

    path: Path
    report: Mapping[str, Any]
    truth: str

    @property
    def method(self) -> str:
        """The method's name; the folder's where the report has none."""
        return str(self.report.get("method") or self.path.resolve().name)

    @property
    def levels(self) -> Mapping[str, Mapping[str, Any]]:
        """The rows of the report's table, by level."""
        rows: Mapping[str, Mapping[str, Any]] = self.report["levels"]
        return rows


def read_report_folder(folder: str | Path) -> ReportFolder:
    """Read `report.json` of a folder.

    Raises:
        DataError: the file is missing or no report: an unknown protocol or supervision, a row
            without one of the metrics, a manifest that does not say what was scored. Or another
            process is writing the result.
    """
    path = Path(folder) / "report.json"
    settle(folder)
    report = read_json(path)
    for name, known in (("protocol", PROTOCOLS), ("supervision", SUPERVISION_TEXT)):
        if not isinstance(report.get(name), str) or report[name] not in known:
            raise DataError(
                f"{path}: {name}: expected one of {', '.join(known)}, got "
                f"{report.get(name)!r:.40}; was the file written by rpc-checkout evaluate?"
            )
    levels = report.get("levels")
    if not isinstance(levels, Mapping) or not levels or not set(levels) <= set(ROWS):
        raise DataError(f"{path}: levels: expected rows for some of {', '.join(ROWS)}")
    for level, row in levels.items():
        for metric in METRICS:
            if not (isinstance(row, Mapping) and metric in row and _is_metric(row[metric])):
                raise DataError(f"{path}: levels: {level}: expected {metric}, a number or null")
    return ReportFolder(Path(folder), report, _truth(report, path))


def read_folder_counts(folder: ReportFolder, dataset: Dataset) -> Counts:
    """The shopping lists (N, K) in a folder's `counts.json`, in the data set's order.

    Raises:
        DataError: the file is missing or damaged, or does not give the figures of the report
            beside it.
    """
    path = folder.path / "counts.json"
    if not path.is_file():
        raise DataError(
            f"{path}: no such file; run rpc-checkout evaluate again, it writes this file"
        )
    counts = read_counts(path, dataset).counts
    metrics = checkout_metrics_by_level(counts, dataset.counts(), dataset.levels())
    for level, row in folder.levels.items():
        for name in (spec.name for spec in metrics_of("counts")):
            value = getattr(metrics[level], name) if level in metrics else None
            if value is None or row[name] is None or abs(value - row[name]) > AGREEMENT:
                raise DataError(
                    f"{path}: gives {name} {value} for {level}, report.json beside it says "
                    f"{row[name]}: they are not of one run; score the results again"
                )
    return counts


def _truth(report: Mapping[str, Any], path: Path) -> str:
    """The hash of what was scored: `evaluate` names the file, `quickstart` the store's split."""
    split = _inside(report, "manifest", "split")
    candidates = (
        _inside(report, "manifest", "files", "gt", "sha256"),
        _inside(report, "manifest", "data", "splits", split, "sha256"),
        _inside(report, "manifest", "data", "splits", f"{split}2019", "sha256"),
    )
    for found in candidates:
        if isinstance(found, str):
            return found
    raise DataError(
        f"{path}: its manifest does not say which ground truth was scored (files, gt, sha256); "
        "score the results again with rpc-checkout evaluate"
    )


def _inside(value: Any, *keys: Any) -> Any:
    """The value under these keys of nested objects; None where one is not there."""
    for key in keys:
        if not isinstance(value, Mapping) or not isinstance(key, str) or key not in value:
            return None
        value = value[key]
    return value


def _is_metric(value: object) -> bool:
    if value is None:
        return True
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
