"""How the images were read: shopping lists, and the boxes behind them where there are any."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rpc.counting import CountingRule, certainties
from rpc.data.files import DataError
from rpc.metrics.checkout import Counts
from rpc.reporting.evaluation.counts import CountedCarts
from rpc.reporting.evaluation.results import Results
from rpc.structures import Detections
from rpc.structures.boxes import FloatArray


@dataclass(frozen=True, eq=False)
class Boxes:
    """The detections that shopping lists were counted from.

    Attributes:
        results: the raw boxes.
        rule: how they became counts.
        counted: what counts as items on each of the N images.
    """

    results: Results
    rule: CountingRule
    counted: tuple[Detections, ...]

    @property
    def scores(self) -> FloatArray:
        """The scores (M,) that the rule looked at, in the order of the results."""
        items = self.results.item_scores
        return self.results.scores if self.rule.counts_by == "score" or items is None else items


@dataclass(frozen=True, eq=False)
class Lines:
    """Lines of receipts, of which a probability was stated that they are right.

    Attributes:
        probabilities: (L,) 0 to 1.
        right: (L,) whether each is an item of this SKU.
        trays: (L,) row of its image.
    """

    probabilities: FloatArray
    right: NDArray[np.bool_]
    trays: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Reading:
    """Shopping lists of the N images of a data set over its K SKUs, in its order.

    Attributes:
        counts: (N, K) items predicted.
        certainty: (N,) 0 to 1, how sure each list is; None where it is not known.
        boxes: what was counted; None where only the lists are known.
        absent: how many images the source did not list; they have empty lists.
        notes: lines on how the source names images and SKUs, where not by plain ids.
        questions: (N,) how many questions a cashier is asked about each image; None where the
            source asks none. An image without a question passes.
        lines: of the receipts, with their probabilities; None where there are none.
    """

    counts: Counts
    certainty: FloatArray | None
    boxes: Boxes | None
    absent: int = 0
    notes: tuple[str, ...] = ()
    questions: NDArray[np.int64] | None = None
    lines: Lines | None = None


def read_boxes(results: Results, rule: CountingRule) -> Reading:
    """Count boxes by a rule, with the certainty of each list (see `rpc.counting.certainty`).

    Raises:
        DataError: the rule counts by item scores, and the results have boxes without them.
    """
    if rule.counts_by == "item_score" and len(results) and results.item_scores is None:
        raise DataError(
            "the rule counts by item_score, which the results lack: detect again with the model "
            "that the rule belongs to, or choose a rule for these results"
        )
    num_labels = len(results.dataset.taxonomy)
    counted = tuple(rule.apply(one) for one in results.detections)
    rows = [np.bincount(one.labels, minlength=num_labels) for one in counted]
    return Reading(
        counts=np.array(rows, dtype=np.int64).reshape(len(rows), num_labels),
        certainty=certainties(results.detections, rule),
        boxes=Boxes(results, rule, counted),
        notes=results.notes,
    )


def read_carts(carts: CountedCarts) -> Reading:
    """A file of shopping lists as it is."""
    return Reading(carts.counts, carts.certainty, None, carts.absent, carts.notes, carts.questions)
