"""The detections on one photo: where items are, how sure that is, and which SKUs they may be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rpc.structures.boxes import FloatArray, as_boxes


@dataclass(frozen=True, eq=False)
class Detections:
    """Boxes of one photo with scores and labels, one row an item.

    Whether a box holds an item, and which item it is, are two questions: `item_scores` answer the
    first one, `scores` both at once. An item whose name is in doubt has a low score and a high item
    score; it has to be counted all the same.

    Attributes:
        boxes: (N, 4) float, xyxy in pixels of the original photo.
        scores: (N,) float in [0, 1]: how likely there is one item and it is of this SKU. Average
            precision ranks by it.
        labels: (N,) int, 0-based SKU index (see `rpc.data.Taxonomy`).
        item_scores: (N,) float in [0, 1]: how likely there is one item, of whatever SKU; None where
            that is not known apart from the SKU, as with detectors that name items themselves.

    Raises:
        ValueError: lengths differ, a score is not finite, or a label is negative.
    """

    boxes: FloatArray
    scores: FloatArray
    labels: NDArray[np.int64]
    item_scores: FloatArray | None = None

    def __post_init__(self) -> None:
        boxes = as_boxes(self.boxes)
        scores = np.asarray(self.scores, dtype=np.float64).reshape(-1)
        labels = np.asarray(self.labels, dtype=np.int64).reshape(-1)
        if not len(boxes) == len(scores) == len(labels):
            raise ValueError(
                "detections: expected as many scores and labels as boxes, got "
                f"{len(boxes)} boxes, {len(scores)} scores, {len(labels)} labels"
            )
        _require_finite(scores, "score")
        if (labels < 0).any():
            raise ValueError(f"detections: labels must be >= 0, got {int(labels.min())}")
        for name, value in (("boxes", boxes), ("scores", scores), ("labels", labels)):
            object.__setattr__(self, name, value)
        if self.item_scores is not None:
            items = np.asarray(self.item_scores, dtype=np.float64).reshape(-1)
            if len(items) != len(boxes):
                raise ValueError(
                    "detections: expected as many item scores as boxes, got "
                    f"{len(boxes)} boxes, {len(items)} item scores"
                )
            _require_finite(items, "item score")
            object.__setattr__(self, "item_scores", items)

    def __len__(self) -> int:
        return len(self.scores)

    @classmethod
    def empty(cls) -> Detections:
        """No item at all."""
        return cls(np.zeros((0, 4)), np.zeros(0), np.zeros(0, dtype=np.int64))

    def select(self, keep: ArrayLike) -> Detections:
        """The rows that `keep` names, by a boolean mask (N,) or by indices."""
        index = np.asarray(keep)
        items = None if self.item_scores is None else self.item_scores[index]
        return Detections(self.boxes[index], self.scores[index], self.labels[index], items)


def _require_finite(scores: FloatArray, what: str) -> None:
    if not np.isfinite(scores).all():
        row = int(np.flatnonzero(~np.isfinite(scores))[0])
        raise ValueError(f"detections: {what} {row} is not finite: {scores[row]}")
