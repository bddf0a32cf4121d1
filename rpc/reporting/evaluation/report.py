"""The report: the metrics for each level, what they rest on, and where the errors are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from rpc.counting import CurvePoint
from rpc.counting.doubt.doubt import Doubt
from rpc.data import DataError, Dataset, write_json
from rpc.data.file_group import file_group
from rpc.data.files import write_bytes
from rpc.metrics.bootstrap import CONFIDENCE, RESAMPLES
from rpc.metrics.rpctool import RpctoolMetrics
from rpc.reporting.evaluation.breakdown import coverage_table, size_table, supercategory_table
from rpc.reporting.evaluation.doubt_table import doubt_table
from rpc.reporting.evaluation.level_rows import (
    SEED,
    add_box_metrics,
    honest_rows,
    official_rows,
    wanted_rows,
)
from rpc.reporting.evaluation.look_alikes import look_alikes
from rpc.reporting.evaluation.reading import Reading
from rpc.reporting.evaluation.suspicious import suspicions_of
from rpc.reporting.evaluation.tables import cart_table, confusions, fate_table, sku_table
from rpc.reporting.pages.html import report_page
from rpc.reporting.pages.markdown import report_text
from rpc.reporting.supervision import SUPERVISION_TEXT, Supervision

CARTS_KEPT: Final = 100  # of 24,000 carts hundreds may be wrong; the worst ones tell the story
CONFUSIONS_KEPT: Final = 50
FILES: Final = ("report.json", "report.md", "report.html")
NO_BOXES: Final = (
    "The results are shopping lists without boxes: there is no mAP, no threshold and no picture, "
    "and which SKU was taken for which cannot be told (missed and extra ones can)."
)


def build_report(
    dataset: Dataset,
    reading: Reading,
    *,
    manifest: Mapping[str, Any],
    chosen_on: str,
    supervision: Supervision = "E",
    method: str = "",
    levels: Sequence[str] | None = None,
    with_map: bool = True,
    resamples: int = RESAMPLES,
    official: Mapping[str, RpctoolMetrics] | None = None,
    threshold_curve: Sequence[CurvePoint] = (),
    timings: Mapping[str, float] | None = None,
    notes: Sequence[str] = (),
    doubt: Doubt | None = None,
) -> dict[str, Any]:
    """Measure how images were read against the truth.

    Args:
        dataset: the images that are scored, with their true items.
        reading: of these images; by a rule that was chosen before, and not on these images.
        manifest: see `rpc.reporting.manifest`.
        chosen_on: what the rule was chosen on, such as `val`; or `given`.
        supervision: what training saw: E exemplars and at most unlabelled train/val checkout
            images, T also unlabelled test images, V also labelled checkout images.
        method: a name for the table.
        levels: which rows are wanted, of easy, medium, hard, averaged; all where it is None.
        with_map: whether mAP50 and mmAP are computed: the slow part. They are null without.
        resamples: for the intervals, by image; 0 leaves them out.
        official: figures of `rpctool_metrics`: they take the place of the honest count metrics, and
            the protocol is `rpctool`. There are no intervals then.
        threshold_curve: what each threshold gave on the images that it was chosen on.
        timings: seconds by step, or seconds a photo.
        notes: lines that belong beside the numbers.
        doubt: calibration and limit of the receipts, where they are known.

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
    wanted, absent = wanted_rows(levels, dataset)
    boxes = reading.boxes
    quirks: list[str] = []
    if official is None:
        rows = honest_rows(dataset, reading, wanted, resamples)
    else:
        rows, quirks = official_rows(official, wanted)
    add_box_metrics(rows, dataset, boxes.results if boxes and with_map else None)
    drawn = {"resamples": resamples, "seed": SEED, "confidence": CONFIDENCE}
    return {
        "protocol": "honest" if official is None else "rpctool",
        "supervision": supervision,
        "method": method,
        "manifest": dict(manifest),
        "levels": rows,
        "doubt": doubt_table(dataset, reading, doubt),
        "bootstrap": drawn if resamples and official is None else None,
        "suspicions": [one.to_dict() for one in suspicions_of(dataset, reading, with_map=with_map)],
        "notes": [*absent, *quirks, *_notes_of_entries(dataset), *_notes_of(reading), *notes],
        "counting": {"rule": boxes and boxes.rule.to_dict(), "chosen_on": chosen_on},
        "threshold_curve": [list(point) for point in threshold_curve],
        "timings": dict(timings or {}),
        **_errors(dataset, reading),
    }


def _notes_of_entries(dataset: Dataset) -> list[str]:
    """The understanding of the truth's entries, such as boxes that were cut."""
    name = dataset.path.name if dataset.path else "data set"
    return [f"{name}: {note.what}." for note in dataset.notes]


def _notes_of(reading: Reading) -> list[str]:
    absent = f"{reading.absent} images are not in the list; they count as empty shopping lists."
    missing = [NO_BOXES] * (reading.boxes is None) + [absent] * (reading.absent > 0)
    return [*reading.notes, *missing]


def _errors(dataset: Dataset, reading: Reading) -> dict[str, Any]:
    """Where the errors are: over all images, whatever rows are wanted."""
    predicted, truth, taxonomy = reading.counts, dataset.counts(), dataset.taxonomy
    pairs = confusions(reading.boxes.counted, dataset) if reading.boxes else []
    carts = cart_table(predicted, truth, dataset)
    sure = reading.certainty
    return {
        "skus": sku_table(predicted, truth, taxonomy),
        "supercategories": supercategory_table(predicted, truth, taxonomy),
        "sizes": size_table(predicted, truth),
        "item_fates": fate_table(reading.boxes, dataset) if reading.boxes else None,
        "coverage": None if sure is None else coverage_table(sure, predicted, truth),
        "confusions": pairs[:CONFUSIONS_KEPT],
        "look_alikes": look_alikes(pairs, taxonomy),
        "wrong_carts": len(carts),
        "carts": carts[:CARTS_KEPT],
    }


def write_report(folder: str | Path, report: Mapping[str, Any]) -> Path:
    """Write `report.json`, `report.md` and `report.html`; returns the path of the JSON.

    The three take their names together: where one cannot be written, the earlier ones stay.

    Raises:
        DataError: a file cannot be written.
    """
    folder = Path(folder)
    with file_group(folder):
        write_bytes(folder / "report.md", report_text(report).encode("utf-8"))
        write_bytes(folder / "report.html", report_page(report).encode("utf-8"))
        return write_json(folder / "report.json", report, indent=1)
