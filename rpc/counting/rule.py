"""The rule that turns detections into a shopping list; it is stored with the checkpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from rpc.counting.suppression import Overlaps, best_first, suppress
from rpc.structures import Detections, ShoppingList
from rpc.structures.boxes import FloatArray

CountsBy = Literal["score", "item_score"]
OVERLAP_LIMITS: Final = ("nms_iou", "agnostic_iou", "containment", "agnostic_containment")
# Fields that files of former versions lack; without them a rule counts as it did then.
LATER_FIELDS: Final = frozenset(
    {"agnostic_containment", "counts_by", "repeat_gain", "foreign_odds"}
)
MOST_GAIN: Final = 1000.0


@dataclass(frozen=True)
class CountingRule:
    """Which detections count as items: first the threshold, then overlaps, then the best ones.

    Attributes:
        threshold: a box counts from this score on, 0 to 1.
        nms_iou: of two boxes of the same SKU with an IoU above it, the better one stays.
        agnostic_iou: of two boxes of different SKUs with an IoU above it, the better one stays:
            the same item was named twice.
        containment: of two boxes of the same SKU, the worse one goes where the intersection is
            more than this share of the smaller box: a part of an item beside the whole.
        max_items: at most so many boxes count, the best ones.
        agnostic_containment: as `containment`, of two boxes of different SKUs.
        counts_by: the score that all steps look at, and 'better' means: `score` (an item, and of
            this SKU), or `item_score` (an item, of whatever SKU), so that doubt about the name
            costs no item its count. Detections without item scores are counted by their scores.
        repeat_gain: how much likelier a SKU is that lies on the tray already, see
            `rpc.counting.repeats`; it acts on the names, before the rule is applied; 0 is off.
        foreign_odds: the odds of 'no single product' at a counter, as a share of what the
            recogniser says: it learnt on more foreign products than lie on trays. Above 0 to 1; it
            acts on the item scores, before the rule is applied; 1 is off.

    The four limits on overlap are fractions above 0; 1 switches the step off, as no overlap is
    larger.

    Raises:
        ValueError: a value is out of its range.
    """

    threshold: float = 0.5
    nms_iou: float = 0.65
    agnostic_iou: float = 1.0
    containment: float = 1.0
    max_items: int = 100
    agnostic_containment: float = 1.0
    counts_by: CountsBy = "score"
    repeat_gain: float = 0.0
    foreign_odds: float = 1.0

    def __post_init__(self) -> None:
        for name in ("threshold", *OVERLAP_LIMITS):
            value = getattr(self, name)
            number = isinstance(value, int | float) and not isinstance(value, bool)
            # Written so that NaN, which compares false with everything, is refused as well.
            if not (number and 0 <= value <= 1) or (name != "threshold" and value == 0):
                low = "0 <=" if name == "threshold" else "0 <"
                raise ValueError(f"counting rule: {name}: expected {low} value <= 1, got {value!r}")
            object.__setattr__(self, name, float(value))
        if type(self.max_items) is not int or self.max_items < 1:
            raise ValueError(
                f"counting rule: max_items: expected an integer >= 1, got {self.max_items!r}"
            )
        gain = self.repeat_gain
        number = isinstance(gain, int | float) and not isinstance(gain, bool)
        if not (number and 0 <= gain <= MOST_GAIN):
            raise ValueError(
                f"counting rule: repeat_gain: expected 0 to {MOST_GAIN:g}, got {gain!r:.40}"
            )
        object.__setattr__(self, "repeat_gain", float(gain))
        odds = self.foreign_odds
        if isinstance(odds, bool) or not (isinstance(odds, int | float) and 0 < odds <= 1):
            raise ValueError(
                f"counting rule: foreign_odds: expected 0 < value <= 1, got {odds!r:.40}"
            )
        object.__setattr__(self, "foreign_odds", float(odds))
        if self.counts_by not in get_args(CountsBy):
            raise ValueError(
                f"counting rule: counts_by: expected one of {', '.join(get_args(CountsBy))}, "
                f"got {self.counts_by!r:.40}"
            )

    @classmethod
    def plain(cls, threshold: float, counts_by: CountsBy = "score") -> CountingRule:
        """The rule that counts every box from `threshold` on, duplicates or not.

        This is how the field scores a results file whose duplicates were dealt with before.
        """
        return cls(threshold=threshold, nms_iou=1.0, max_items=1_000_000, counts_by=counts_by)

    def scores_of(self, detections: Detections) -> FloatArray:
        """The scores (N,) that this rule looks at, see `counts_by`."""
        items = detections.item_scores
        return detections.scores if self.counts_by == "score" or items is None else items

    def apply(self, detections: Detections) -> Detections:
        """The detections that count, best first; equal scores by label, then box."""
        return detections.select(self.rows(detections))

    def rows(self, detections: Detections) -> NDArray[np.int64]:
        """Which detections count: their rows, in the order of `apply`."""
        scores = self.scores_of(detections)
        rows = np.flatnonzero(scores >= self.threshold)
        rows = rows[best_first(detections.select(rows), scores[rows])]
        if self.suppresses:
            limits = (getattr(self, name) for name in OVERLAP_LIMITS)
            rows = rows[suppress(Overlaps.of(detections.select(rows)), *limits)[0]]
        return rows[: self.max_items]

    @property
    def suppresses(self) -> bool:
        """Whether overlaps matter at all."""
        return any(getattr(self, name) < 1 for name in OVERLAP_LIMITS)

    def count(self, detections: Detections) -> ShoppingList:
        """The shopping list of one photo."""
        return ShoppingList.from_labels(self.apply(detections).labels.tolist())

    def counts(self, detections: Sequence[Detections], num_labels: int) -> NDArray[np.int64]:
        """Shopping lists of N photos as (N, K) counts, for K = `num_labels` SKUs.

        Raises:
            ValueError: a label is K or more.
        """
        rows = [self.count(one).to_array(num_labels) for one in detections]
        return np.array(rows, dtype=np.int64).reshape(len(rows), num_labels)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON and for a checkpoint."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> CountingRule:
        """The rule of `to_dict`, of this version or of a former one.

        Raises:
            ValueError: not a mapping, a field is missing or unknown, or a value is out of range.
        """
        if not isinstance(values, Mapping):
            raise ValueError(f"counting rule: expected an object, got {values!r:.80}")
        names = {field.name for field in fields(cls)}
        if missing := names - LATER_FIELDS - values.keys():
            raise ValueError(f"counting rule: the field '{min(missing)}' is missing")
        if unknown := values.keys() - names:
            raise ValueError(
                f"counting rule: the field {min(map(str, unknown))!r} is not known; "
                f"expected {', '.join(sorted(names))}"
            )
        return cls(**values)


def scores_to_count_by(detections: Sequence[Detections]) -> CountsBy:
    """`item_score` where all boxes of N photos have item scores, else `score`."""
    boxes = [one for one in detections if len(one)]
    return "item_score" if boxes and all(one.item_scores is not None for one in boxes) else "score"
