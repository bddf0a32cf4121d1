"""Questions of a receipt: what a cashier is asked about one place on the tray, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rpc.checkout.seen import Seen
from rpc.counting import CountingRule
from rpc.counting.doubt.decisions import decisions
from rpc.counting.doubt.doubt import Doubt
from rpc.counting.doubt.judge import SPLIT, Judgement, Reason, judge
from rpc.data.taxonomy import Taxonomy
from rpc.structures.boxes import FloatArray, box_areas, intersection_areas

QuestionReason: TypeAlias = Reason | Literal["unknown"]

DIGITS: Final = 4  # of scores and probabilities in JSON
TOLD: Final = 3  # SKUs that a question names
# A box is asked about as an unknown product from this detector's score and this probability of
# 'no single product' on, where it shares no more than APART of its area with a box that counts or
# is asked about, nor of that box's: parts of items and boxes around two lie on those.
UNKNOWN_SCORE: Final = 0.5
UNKNOWN_SHARE: Final = 0.5
APART: Final = 0.3


@dataclass(frozen=True)
class Question:
    """One place on the tray that a cashier should look at.

    Attributes:
        box: x1, y1, x2, y2 in pixels of the photo.
        reason: `view`: these SKUs look alike from this side, nobody can tell; `name`: the counter
            is not sure which SKU it is; `item`: it is not sure whether this is an item at all;
            `unknown`: something lies there that looks like none of the SKUs.
        text: the question in words.
        counted: whether the receipt counts it as an item: `sku`.
        sku: the likeliest SKU.
        alternatives: (SKU, probability that it is this one) of the likeliest, best first.
        item: probability that it is an item at all; None where that is not known apart.
    """

    box: tuple[float, float, float, float]
    reason: QuestionReason
    text: str
    counted: bool
    sku: str
    alternatives: tuple[tuple[str, float], ...]
    item: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "box": list(self.box),
            "reason": self.reason,
            "text": self.text,
            "counted": self.counted,
            "sku": self.sku,
            "alternatives": [[sku, round(share, DIGITS)] for sku, share in self.alternatives],
            "item": None if self.item is None else round(self.item, DIGITS),
        }


@dataclass(frozen=True, eq=False)
class Judged:
    """A photo's decisions with their probabilities.

    Attributes:
        rows: (M,) of the detections, those that count first, in the rule's order.
        counted: how many of them count.
        judgement: of the decisions.
        pairs: labels of SKUs that cannot be told apart from some views.
    """

    rows: tuple[int, ...]
    counted: int
    judgement: Judgement
    pairs: frozenset[frozenset[int]] = frozenset()

    def alternatives(self, place: int, most: int) -> list[tuple[int, float]]:
        """The likeliest labels of a decision, with their calibrated probabilities."""
        names: FloatArray = self.judgement.names[place]
        best = np.argsort(-names, kind="stable")[:most].tolist()
        return [(label, float(names[label])) for label in best]


def judge_seen(
    seen: Seen, rule: CountingRule, doubt: Doubt | None, taxonomy: Taxonomy
) -> Judged | None:
    """The decisions of a photo and their probabilities; None where no calibration is known."""
    if doubt is None or seen.probabilities is None:
        return None
    made = decisions(seen.detections, seen.probabilities, rule)
    pairs = doubt.pairs(taxonomy.names)
    found = judge(made, doubt.calibration, doubt.limit, pairs, worth=doubt.target)
    return Judged(tuple(made.rows.tolist()), made.counted, found, pairs)


def questions_of(judged: Judged, seen: Seen, taxonomy: Taxonomy) -> tuple[Question, ...]:
    """The questions about one photo, least sure first."""
    asked = zip(judged.judgement.questions, judged.judgement.reasons, strict=True)
    return tuple(_question(judged, place, reason, seen, taxonomy) for place, reason in asked)


def unknown_questions(
    seen: Seen, taken: Sequence[int], taxonomy: Taxonomy, most: int
) -> tuple[Question, ...]:
    """Questions about what the detector found and the recogniser takes for none of the SKUs.

    They are not counted. A thing that is no product of the shop needs no answer but a glance; a
    product that nobody photographed would leave unpaid.

    Args:
        seen: on one photo.
        taken: rows of the detections that count, or are asked about for another reason.
        taxonomy: the SKUs.
        most: SKUs that are told as alternatives.
    """
    questions = []
    for row in unknown_rows(seen, taken).tolist():
        likeliest = seen.likeliest(row, most)
        named = [(taxonomy.category(label).name, share) for label, share in likeliest]
        nearest = taxonomy.category(likeliest[0][0])
        titles = [(nearest.title or nearest.name, likeliest[0][1])]
        x1, y1, x2, y2 = seen.detections.boxes[row].tolist()
        questions.append(
            Question(
                box=(x1, y1, x2, y2),
                reason="unknown",
                text=question_text("unknown", titles, counted=False),
                counted=False,
                sku=named[0][0],
                alternatives=tuple(named),
            )
        )
    return tuple(questions)


def unknown_rows(seen: Seen, taken: Sequence[int]) -> NDArray[np.int64]:
    """Rows of detections that are sure to be something, and likely to be none of the SKUs.

    Args:
        seen: on one photo.
        taken: rows of the detections that count, or are asked about for another reason.
    """
    found, table = seen.detections, seen.probabilities
    if table is None or found.item_scores is None or not len(found):
        return np.zeros(0, np.int64)
    nothing = table[:, -1]
    # The item score is the detector's score times 1 - `nothing`.
    scores = found.item_scores / np.maximum(1 - nothing, np.finfo(np.float64).eps)
    asked = (nothing >= UNKNOWN_SHARE) & (scores >= UNKNOWN_SCORE)
    shared = intersection_areas(found.boxes, found.boxes)
    areas = box_areas(found.boxes)
    near = shared > APART * np.minimum(areas[:, None], areas[None, :])
    others, rows = list(taken), []
    for row in np.flatnonzero(asked)[np.argsort(-scores[asked], kind="stable")].tolist():
        if not near[row, others].any():
            others.append(row)
            rows.append(row)
    return np.array(rows, dtype=np.int64)


def _question(
    judged: Judged, place: int, reason: Reason, seen: Seen, taxonomy: Taxonomy
) -> Question:
    likeliest = judged.alternatives(place, 5)
    named = [(taxonomy.category(label).name, share) for label, share in likeliest]
    first = likeliest[0][0]
    titles = [
        (taxonomy.category(label).title or taxonomy.category(label).name, share)
        for label, share in likeliest
        if reason != "view" or label == first or frozenset((first, label)) in judged.pairs
    ]
    x1, y1, x2, y2 = seen.detections.boxes[judged.rows[place]].tolist()
    counted = place < judged.counted
    item = float(judged.judgement.items[place])
    return Question(
        box=(x1, y1, x2, y2),
        reason=reason,
        text=question_text(reason, titles, counted=counted, item=item),
        counted=counted,
        sku=named[0][0],
        alternatives=tuple(named),
        item=item,
    )


def question_text(
    reason: QuestionReason,
    titles: list[tuple[str, float]],
    *,
    counted: bool = True,
    item: float | None = None,
) -> str:
    """A question in words.

    Args:
        reason: why it is asked.
        titles: names for people with their probabilities, best first.
        counted: whether the receipt counts it.
        item: probability that it is an item at all.
    """
    if reason == "unknown":
        return f"looks like none of the products, not counted; the nearest is {titles[0][0]}"
    if reason == "item":
        share = "" if item is None else f", {share_text(item)}"
        how = "counted" if counted else "not counted"
        return f"not sure whether this is an item at all{share}: {titles[0][0]}, {how}"
    real = titles[:1] + [pair for pair in titles[1:TOLD] if pair[1] >= SPLIT]
    if reason == "view":
        return f"cannot be told from this view: {' or '.join(title for title, _ in real)}"
    told = real if len(real) > 1 else titles[:2]
    return f"not sure which: {', '.join(f'{title} {share_text(share)}' for title, share in told)}"


def share_text(share: float) -> str:
    """A probability in whole percent; never 0 or 100, which no counter can know."""
    if share < 0.01:
        return "< 1 %"
    return "> 99 %" if share > 0.99 else f"{100 * share:.0f} %"
