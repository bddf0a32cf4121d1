"""Score results in a program: one call from a truth and results to figures, pages and tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from rpc.counting import CountingRule
from rpc.data import DataError, Dataset
from rpc.data.file_group import file_group
from rpc.metrics.specs import METRICS
from rpc.reporting.evaluation.counts import write_counts
from rpc.reporting.evaluation.reading import Reading
from rpc.reporting.evaluation.report import build_report, write_report
from rpc.reporting.evaluation.scored import (
    CountBy,
    Protocol,
    Source,
    Truth,
    read_scored,
    read_truth,
)
from rpc.reporting.evaluation.tables import cart_table
from rpc.reporting.manifest import manifest
from rpc.reporting.pages.markdown import report_text
from rpc.reporting.pages.paper_table import write_paper_table
from rpc.reporting.provenance import Watched
from rpc.reporting.supervision import Supervision


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Scored results.

    Attributes:
        dataset: the N images that were scored, with their true items.
        reading: the shopping lists that were scored.
        report: the object of `report.json`, see docs/metrics.md; plain values, JSON-able.
    """

    dataset: Dataset
    reading: Reading
    report: dict[str, Any]

    @property
    def levels(self) -> dict[str, dict[str, float | None]]:
        """The metrics by clutter level; rates as fractions, None where there is no figure."""
        rows = self.report["levels"]
        return {level: {name: row[name] for name in METRICS} for level, row in rows.items()}

    @property
    def averaged(self) -> dict[str, float | None]:
        """The metrics over all images.

        Raises:
            DataError: this row was not asked for.
        """
        if "averaged" not in self.levels:
            raise DataError("levels: the row 'averaged' was left out; ask for it to have it")
        return self.levels["averaged"]

    @cached_property
    def carts(self) -> list[dict[str, Any]]:
        """Every cart that is wrong, worst first: `file_name`, `wrong`, `missed`, `extra`, ..."""
        return cart_table(self.reading.counts, self.dataset.counts(), self.dataset)

    def to_markdown(self) -> str:
        """The text of `report.md`."""
        return report_text(self.report)

    def write(self, folder: str | Path) -> Path:
        """Write `report.json`, `report.md`, `report.html`, `counts.json` and `table.*`.

        Returns:
            The path of `report.json`.

        Raises:
            DataError: a file cannot be written.
        """
        folder = Path(folder)
        reading = self.reading
        with file_group(folder):
            write_counts(
                folder / "counts.json",
                self.dataset,
                reading.counts,
                reading.certainty,
                reading.questions,
            )
            write_paper_table(folder, [self.report])
            return write_report(folder, self.report)


def evaluate(
    truth: Truth,
    results: Source,
    *,
    rule: CountingRule | None = None,
    threshold: float | None = None,
    validation: tuple[Truth, Source] | None = None,
    suppress: bool = False,
    by_score: bool = False,
    protocol: Protocol = "honest",
    bootstrap: int = 0,
    levels: Sequence[str] | None = None,
    with_map: bool = True,
    method: str = "",
    supervision: Supervision = "E",
    argv: Sequence[str] | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Evaluation:
    """Score results on automatic checkout: cAcc, ACD, mCCD, mCIoU, mAP50, mmAP by clutter level.

    Every image counts, with and without detections. Boxes need one way to become counts: `rule`,
    `threshold`, or `validation`; counts per image are scored as they are and have no mAP.

    Example:
        >>> import rpc
        >>> truth = "examples/ministore/instances_val.json"
        >>> one = {"image_id": 1, "counts": [{"category_id": 1, "count": 2}]}
        >>> scored = rpc.evaluate(truth, [one])
        >>> scored.averaged["cAcc"], round(scored.averaged["ACD"], 1)
        (0.0, 12.4)

    Args:
        truth: an instances JSON, or a data set such as `Store.open(root).split("test")`.
        results: a COCO results file or a `counts.json`, or the list of entries of one.
        rule: the rule that a model was given, see `rpc.counting.CountingRule`.
        threshold: the score from which a box counts, 0 to 1; duplicates count too.
        validation: truth and COCO results of other images, to choose the threshold on.
        suppress: drop duplicate boxes before counting.
        by_score: count by the scores also where the results have item scores.
        protocol: `honest`, or `rpctool` for the figures of the field's older tool.
        bootstrap: resamples by image for 95 % intervals; 0 leaves them out.
        levels: rows wanted, of easy, medium, hard, averaged; all that have images where it is None.
        with_map: whether mAP50 and mmAP are computed: the slow part. They are None without.
        method: a name for the tables.
        supervision: what training saw: E, T or V, see `rpc.reporting.SUPERVISION_TEXT`.
        argv: the command line that the manifest names; that of this process where it is None.
        say: is told what is done.

    Raises:
        DataError: a file is missing or damaged; the results are not about these images or SKUs; no
            way to count, or several.
        ValueError: a threshold, level or supervision that does not exist.
    """
    if bootstrap < 0:
        raise DataError(f"bootstrap: expected 0 (no intervals) or more, got {bootstrap}")
    files = _files(truth, results, validation)
    watched = Watched(files.values())
    by = CountBy(rule, threshold, validation, suppress, protocol, by_score)
    dataset = read_truth(truth)
    scored = read_scored(results, dataset, by, say)
    say(f"scoring {len(dataset)} images")
    boxes = scored.reading.boxes
    report = build_report(
        dataset,
        scored.reading,
        manifest=manifest(
            threshold=boxes.rule.threshold if boxes else None,
            chosen_on=scored.chosen_on,
            split=dataset.path.name if dataset.path else "in memory",
            files=files,
            argv=argv,
        ),
        chosen_on=scored.chosen_on,
        supervision=supervision,
        method=method,
        levels=levels,
        with_map=with_map,
        resamples=bootstrap,
        official=scored.official,
        threshold_curve=scored.curve,
    )
    watched.require_unchanged()
    return Evaluation(dataset, scored.reading, report)


def _files(
    truth: Truth, results: Source, validation: tuple[Truth, Source] | None
) -> dict[str, str | Path]:
    """The files that the numbers rest on, by the names that the manifest gives them."""
    val_truth, val_results = validation or (None, None)
    sources = {
        "gt": truth.path if isinstance(truth, Dataset) else truth,
        "results": results,
        "val_gt": val_truth.path if isinstance(val_truth, Dataset) else val_truth,
        "val_results": val_results,
    }
    return {name: one for name, one in sources.items() if isinstance(one, str | Path)}
