"""The fate of each true item: counted, counted under another name, or lost, and at which step."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from rpc.counting.matching import SAME_PLACE, match_items
from rpc.counting.rule import CountingRule
from rpc.structures import Detections, box_areas, box_iou
from rpc.structures.boxes import intersection_areas

# A box that counts too much and lies with at least half of its area on a true item shows that item
# (or a part of it) a second time.
ON_ITEM = 0.5


@dataclass(frozen=True)
class ItemFates:
    """The true items of some photos by what became of them, and the boxes that count too much.

    Attributes:
        right: counted under their own SKU.
        misnamed: counted under another SKU.
        suppressed: a box on their place has the score to count, and went as a duplicate.
        below_threshold: all boxes on their place have too low a score.
        no_box: no box at all on their place (IoU of at least 0.5).
        doubles: boxes that count and show an item a second time, or a part of it.
        background: boxes that count and show no item.
    """

    right: int = 0
    misnamed: int = 0
    suppressed: int = 0
    below_threshold: int = 0
    no_box: int = 0
    doubles: int = 0
    background: int = 0

    def __add__(self, other: ItemFates) -> ItemFates:
        mine, theirs = asdict(self), asdict(other)
        return ItemFates(**{name: mine[name] + theirs[name] for name in mine})

    @property
    def items(self) -> int:
        """How many true items there are."""
        lost = self.suppressed + self.below_threshold + self.no_box
        return self.right + self.misnamed + lost


def item_fates(
    found: Detections, counted: Detections, truth: Detections, rule: CountingRule
) -> ItemFates:
    """The fates of the items of one photo.

    Args:
        found: raw detections.
        counted: `rule.apply(found)`.
        truth: the true items; their scores do not matter.
        rule: what counts.
    """
    match = match_items(counted, truth)
    missed = truth.boxes[list(match.missed)].reshape(-1, 4)
    there = box_iou(missed, found.boxes) >= SAME_PLACE  # (missed, found)
    enough = there & (rule.scores_of(found) >= rule.threshold)
    has_box, has_score = there.any(axis=1), enough.any(axis=1)
    extra = counted.boxes[list(match.extra)].reshape(-1, 4)
    shared = intersection_areas(extra, truth.boxes).max(axis=1, initial=0.0)
    doubles = int(((shared > 0) & (shared >= ON_ITEM * box_areas(extra))).sum())
    return ItemFates(
        right=len(match.right),
        misnamed=len(match.confused),
        suppressed=int(has_score.sum()),
        below_threshold=int((has_box & ~has_score).sum()),
        no_box=int((~has_box).sum()),
        doubles=doubles,
        background=len(extra) - doubles,
    )
