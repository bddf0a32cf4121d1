"""Results against a baseline on the same images: differences, intervals, tests by cart.

docs/metrics.md, 'Comparing two results', has the formulas and what not to conclude.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from rpc.data import DataError, Dataset, write_json
from rpc.data.file_group import file_group
from rpc.data.files import write_bytes
from rpc.metrics import level_groups
from rpc.metrics.bootstrap import CONFIDENCE, RESAMPLES
from rpc.metrics.levels import ROWS
from rpc.metrics.specs import METRICS
from rpc.reporting.comparison.comparison_text import comparison_text
from rpc.reporting.comparison.level_comparison import compare_level
from rpc.reporting.evaluation.level_rows import SEED
from rpc.reporting.evaluation.report_folder import ReportFolder, read_folder_counts
from rpc.reporting.pages.paper_rows import kind_of, require_one_kind
from rpc.reporting.pages.paper_table import write_paper_table
from rpc.reporting.pages.wording import suspicion_lines
from rpc.reporting.provenance import code_version, sha256

PASSING_COUNTS: Final = ("images", "passed", "right")
NOT_TESTED: Final = (
    "{name} was scored by the protocol rpctool, which drops images and chooses a threshold for "
    "each level on the scored images: its figures belong to no one set of shopping lists, so there "
    "are differences but no intervals and no tests."
)


def compare_results(
    folders: Sequence[ReportFolder],
    dataset: Dataset,
    *,
    levels: Sequence[str] | None = None,
    mix: bool = False,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> dict[str, Any]:
    """Hold results against the first of them.

    Args:
        folders: two or more; the first is the baseline.
        dataset: the ground truth that all were scored on, read from a file.
        levels: which ones, of easy, medium, hard, averaged; those that all results have where it is
            None.
        mix: whether protocol and supervision may differ.
        resamples: for the intervals.
        seed: likewise.

    Returns:
        The object of `comparison.json`, see docs/metrics.md: plain values, rates as fractions,
        differences as other minus baseline.

    Raises:
        DataError: fewer than two results; one was scored on another ground truth; protocol or
            supervision differ and `mix` is False; a level is not in all of them; a `counts.json` is
            missing or does not belong to its report.
        ValueError: `resamples` is below 1.
    """
    if len(folders) < 2:
        raise DataError(f"comparison: expected two results or more, got {len(folders)}")
    assert dataset.path is not None
    truth = sha256(dataset.path)
    for folder in folders:
        if folder.truth != truth:
            raise DataError(
                f"{folder.path}: was scored on another ground truth than {dataset.path} (SHA-256 "
                f"{folder.truth:.12} against {truth:.12}): score it on this file, byte for byte"
            )
    names = unique_names(folders)
    reports = [folder.report for folder in folders]
    require_one_kind(reports, names, mix)
    rows = _shared_levels(folders, names, levels)
    # By image id: the resamples, and so the intervals, do not depend on the order in the file.
    order = np.argsort([image.id for image in dataset.images], kind="stable")
    tested = [folder.report["protocol"] == "honest" for folder in folders]
    counts = [
        read_folder_counts(folder, dataset)[order] if honest else None
        for folder, honest in zip(folders, tested, strict=True)
    ]
    groups = level_groups([dataset.images[row].level for row in order.tolist()])
    gt_counts = dataset.counts()[order]
    comparisons = {
        level: compare_level(
            [folder.levels[level] for folder in folders],
            names,
            [one if one is None else one[groups[level]] for one in counts],
            gt_counts[groups[level]],
            resamples,
            seed,
        )
        for level in rows
    }
    mixed = len({kind_of(report) for report in reports}) > 1
    return {
        "ground_truth": {"name": dataset.path.name, "sha256": truth, "images": len(dataset)},
        "mixed": mixed,
        "baseline": names[0],
        "results": [_result(*pair, rows) for pair in zip(names, folders, strict=True)],
        "bootstrap": {"resamples": resamples, "seed": seed, "confidence": CONFIDENCE},
        "levels": comparisons,
        "notes": [
            *(
                f"{name}: suspicious: {line}"
                for name, report in zip(names, reports, strict=True)
                for line in suspicion_lines(report)
            ),
            *(
                NOT_TESTED.format(name=name)
                for name, honest in zip(names, tested, strict=True)
                if not honest
            ),
        ],
        "code": code_version(),
    }


def write_comparison(
    out: str | Path, comparison: Mapping[str, Any], folders: Sequence[ReportFolder]
) -> Path:
    """Write `comparison.json`, `comparison.md` and the paper's table; returns the JSON's path.

    Args:
        out: folder.
        comparison: of `compare_results`.
        folders: what was compared, in the same order.

    Raises:
        DataError: a file cannot be written.
    """
    names = [result["name"] for result in comparison["results"]]
    with file_group(out):
        write_bytes(Path(out) / "comparison.md", comparison_text(comparison).encode("utf-8"))
        write_paper_table(
            out,
            [folder.report for folder in folders],
            names=names,
            levels=list(comparison["levels"]),
            mix=comparison["mixed"],
        )
        return write_json(Path(out) / "comparison.json", comparison, indent=1)


def unique_names(folders: Sequence[ReportFolder]) -> list[str]:
    """The methods' names; the folder's is added to one that several have, then a number."""
    methods = [folder.method for folder in folders]
    longer = [
        method if methods.count(method) == 1 else f"{method} ({folder.path.resolve().name})"
        for method, folder in zip(methods, folders, strict=True)
    ]
    return [
        name if longer.count(name) == 1 else f"{name} #{longer[: place + 1].count(name)}"
        for place, name in enumerate(longer)
    ]


def _shared_levels(
    folders: Sequence[ReportFolder], names: Sequence[str], asked: Sequence[str] | None
) -> list[str]:
    for level in asked or ():
        if level not in ROWS:
            raise DataError(f"levels: expected some of {', '.join(ROWS)}, got {level!r:.40}")
        for name, folder in zip(names, folders, strict=True):
            if level not in folder.levels:
                raise DataError(f"levels: {name} has no row {level!r}; leave it out of --levels")
    shared = [
        level
        for level in ROWS
        if (asked is None or level in asked) and all(level in folder.levels for folder in folders)
    ]
    if not shared:
        raise DataError("levels: the results have no row in common; score them again alike")
    return shared


def _result(name: str, folder: ReportFolder, levels: Sequence[str]) -> dict[str, Any]:
    report, path = folder.report, folder.path / "counts.json"
    counting = report.get("counting")
    return {
        "name": name,
        "protocol": report["protocol"],
        "supervision": report["supervision"],
        "threshold_chosen_on": counting.get("chosen_on") if isinstance(counting, dict) else None,
        "files": {
            part.name: sha256(part) for part in (folder.path / "report.json", path) if part.exists()
        },
        "levels": {
            level: {key: folder.levels[level].get(key) for key in (*METRICS, "threshold", "images")}
            for level in levels
        },
        "passing": _passing(report, levels),
    }


def _passing(report: Mapping[str, Any], levels: Sequence[str]) -> dict[str, Any] | None:
    """The trays that pass with no question, by level; None in reports that have none."""
    doubt = report.get("doubt")
    rows = doubt.get("levels") if isinstance(doubt, Mapping) else None
    if not isinstance(rows, Mapping) or not all(is_passing_row(rows.get(one)) for one in levels):
        return None
    return {level: dict(rows[level]) for level in levels}


def is_passing_row(row: object) -> bool:
    """Whether a value is a row of `rpc.metrics.Passing` as a report holds it."""
    return (
        isinstance(row, Mapping)
        and all(type(row.get(name)) is int and row[name] >= 0 for name in PASSING_COUNTS)
        and row["right"] <= row["passed"] <= row["images"] > 0
    )
