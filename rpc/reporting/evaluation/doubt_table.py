"""Trays that pass with no question, and whether stated probabilities hold. Rows for JSON."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from rpc.counting.doubt.doubt import Doubt
from rpc.data import Dataset
from rpc.metrics import ece_interval, level_groups, passing, reliability
from rpc.metrics.bootstrap import CONFIDENCE
from rpc.reporting.evaluation.reading import Lines, Reading

RESAMPLES: Final = 300
SEED: Final = 0


def doubt_table(dataset: Dataset, reading: Reading, doubt: Doubt | None) -> dict[str, Any] | None:
    """The headline of doubt: which share of the trays passes, and how many of these are right.

    Args:
        dataset: N images.
        reading: of these.
        doubt: what the receipts were made by, where it is known.

    Returns:
        None where nothing is asked. `levels`: `rpc.metrics.Passing` of each level and of all
        (`averaged`); `questions`: how many on all trays; `limit`, `target`, `chosen_on` and
        `trays` of the doubt, null where it is not known; `confidence` of the intervals;
        `reliability` of the lines with its `interval`, null without probabilities; `alike`: SKUs
        that cannot be told apart from some views.
    """
    if reading.questions is None:
        return None
    right = (reading.counts == dataset.counts()).all(axis=1)
    passes = reading.questions == 0
    groups = level_groups(dataset.levels())
    chosen = {} if doubt is None else doubt.to_dict()
    names = ("limit", "target", "chosen_on", "trays")
    return {
        "levels": {
            name: passing(passes[rows], right[rows]).to_dict() for name, rows in groups.items()
        },
        "questions": int(reading.questions.sum()),
        **{name: chosen.get(name) for name in names},
        "confidence": CONFIDENCE,
        "reliability": None if reading.lines is None else _reliability(reading.lines),
        "alike": chosen.get("alike", []),
    }


def _reliability(lines: Lines) -> dict[str, Any]:
    found = reliability(lines.probabilities, lines.right)
    rng = np.random.default_rng(SEED)
    ends = ece_interval(lines.probabilities, lines.right, lines.trays, rng, resamples=RESAMPLES)
    return {**found.to_dict(), "interval": list(ends), "lines": len(lines.right)}
