"""The result of a checkout: what lies on a tray, what is sure, and what a cashier is asked."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rpc.checkout.questions import (
    DIGITS,
    Question,
    judge_seen,
    question_text,
    questions_of,
    unknown_questions,
)
from rpc.checkout.seen import Seen
from rpc.counting import CountingRule, certainty
from rpc.counting.doubt.doubt import Doubt
from rpc.data.images import Photo, read_photo
from rpc.data.plain_text import plain_text
from rpc.data.taxonomy import Taxonomy
from rpc.pictures import draw_tray
from rpc.structures import Detections

ALTERNATIVES: Final = 5  # SKUs that are told of an item
# Without a calibration, an item is asked about where its SKU has less probability than LIKELY, or
# less than MARGIN more than the second one.
LIKELY: Final = 0.5
MARGIN: Final = 0.2


@dataclass(frozen=True)
class ReceiptItem:
    """One item on the tray.

    Example:
        >>> tea = ReceiptItem((0, 0, 9, 9), "tea", "Tea", 0.6, (("tea", 0.6), ("soap", 0.3)))
        >>> tea.doubtful
        False

    Attributes:
        box: x1, y1, x2, y2 in pixels of the photo.
        sku: the SKU's name.
        title: its name for people; the SKU's name where it has none.
        score: detector's score times the probability of the SKU, 0 to 1.
        alternatives: (SKU, probability) of the likeliest, best first, the item's own among them:
            calibrated where the model has a calibration, as the recogniser says it elsewhere.
        probability: that this line is right: it is an item, and of this SKU. None without a
            calibration.
        asked: whether a cashier is asked about it; None where the plain limits decide.
    """

    box: tuple[float, float, float, float]
    sku: str
    title: str
    score: float
    alternatives: tuple[tuple[str, float], ...]
    probability: float | None = None
    asked: bool | None = None

    @property
    def doubtful(self) -> bool:
        """Whether a cashier should look.

        Without a calibration: below `LIKELY`, or less than `MARGIN` before another SKU.
        """
        if self.asked is not None:
            return self.asked
        own = dict(self.alternatives).get(self.sku, 0.0)
        others = [share for sku, share in self.alternatives if sku != self.sku]
        return own < LIKELY or own - max(others, default=0.0) < MARGIN

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "sku": self.sku,
            "title": self.title,
            "box": list(self.box),
            "score": round(self.score, DIGITS),
            "alternatives": [[sku, round(share, DIGITS)] for sku, share in self.alternatives],
            "doubtful": self.doubtful,
            "probability": None if self.probability is None else round(self.probability, DIGITS),
        }


@dataclass(frozen=True)
class Receipt:
    """A shopping list, as `rpc.Checkout` gives it.

    Example:
        >>> counter = rpc.load()
        >>> receipt = counter("examples/ministore/val/val_00003_easy.jpg")
        >>> sorted(item.title for item in receipt.items if item.sku.startswith("chips"))
        ['Crispee Salt & Vinegar 90 g', 'Crispee Sour Cream 90 g']
        >>> receipt.passes == (len(receipt.questions) == 0)  # as this counter knows its doubt
        True
        >>> receipt.draw().dtype
        dtype('uint8')

    Attributes:
        items: what counts, in the order of the counting rule: best first.
        certainty: how sure the whole list is, 0 to 1: the probability that it is right, where the
            model has a calibration. Elsewhere it only orders receipts, the least sure first; see
            `rpc.counting.certainty`.
        photo: what was counted, as it was given.
        taxonomy: the counter's SKUs.
        questions: what a cashier is asked, least sure first: of items, and of boxes that nearly
            count as one; then of what looks like none of the SKUs.
        calibrated: whether the counter has learnt how sure it is (`rpc.counting.doubt`).
    """

    items: tuple[ReceiptItem, ...]
    certainty: float
    photo: Photo = field(repr=False, compare=False)
    taxonomy: Taxonomy = field(repr=False, compare=False)
    questions: tuple[Question, ...] = ()
    calibrated: bool = True

    @property
    def passes(self) -> bool:
        """Whether the tray needs no cashier: nothing is asked, by a counter that knows its doubt.

        A counter that has not learnt how sure it is lets no tray pass, whatever its scores.
        """
        return self.calibrated and not self.questions

    @property
    def sure(self) -> tuple[ReceiptItem, ...]:
        """The items about which nothing is asked."""
        return tuple(item for item in self.items if not item.doubtful)

    @property
    def counts(self) -> dict[str, int]:
        """How often each SKU lies there: largest count first, then by name."""
        found = Counter(item.sku for item in self.items)
        return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))

    @property
    def doubtful(self) -> tuple[ReceiptItem, ...]:
        """The items that a cashier should look at, see `ReceiptItem.doubtful`."""
        return tuple(item for item in self.items if item.doubtful)

    def draw(self) -> NDArray[np.uint8]:
        """The photo with its boxes and the shopping list beside it, RGB (H', W', 3).

        A photo that was given by its path is read again.

        Raises:
            DataError: its file is not there any more.
        """
        labels = {name: label for label, name in enumerate(self.taxonomy.names)}
        found = Detections(
            np.array([item.box for item in self.items]).reshape(-1, 4),
            np.array([item.score for item in self.items]),
            np.array([labels[item.sku] for item in self.items], dtype=np.int64),
        )
        near = [question.box for question in self.questions if not question.counted]
        return draw_tray(
            read_photo(self.photo),
            found,
            self.taxonomy,
            asked=[row for row, item in enumerate(self.items) if item.doubtful],
            near=np.array(near).reshape(-1, 4),
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON.

        `photo` (its file's name, or None), `counts`, `certainty`, `passes`, `items`, `questions`.
        """
        return {
            "photo": self.photo.name if isinstance(self.photo, Path) else None,
            "counts": self.counts,
            "certainty": round(self.certainty, DIGITS),
            "passes": self.passes,
            "items": [item.to_dict() for item in self.items],
            "questions": [question.to_dict() for question in self.questions],
        }

    def to_json(self) -> str:
        """The values of `to_dict` as JSON text."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=1)

    def __str__(self) -> str:
        titles = {item.sku: item.title for item in self.items}
        lines = [f"{count:3d} x {plain_text(titles[sku])}" for sku, count in self.counts.items()]
        items, products = len(self.items), len(titles)
        end = f"{items} item{'s' * (items != 1)}, {products} product{'s' * (products != 1)}"
        asked = [f"  ? {plain_text(question.text)}" for question in self.questions]
        return "\n".join([*lines, *asked, end + (f", {len(asked)} to look at" if asked else "")])

    def _repr_png_(self) -> bytes:
        """The annotated photo, for notebooks."""
        file = io.BytesIO()
        Image.fromarray(self.draw()).save(file, "PNG")
        return file.getvalue()


def make_receipt(
    seen: Seen, rule: CountingRule, taxonomy: Taxonomy, photo: Photo, doubt: Doubt | None = None
) -> Receipt:
    """The receipt of what was seen on a photo.

    Args:
        seen: before the counting rule.
        rule: what counts.
        taxonomy: the SKUs.
        photo: for the picture of the receipt.
        doubt: calibration and limit; None takes the plain limits of `ReceiptItem.doubtful`.
    """
    judged = judge_seen(seen, rule, doubt, taxonomy)
    if judged is None:
        rows = rule.rows(seen.detections).tolist()
        items = tuple(_item(seen, row, seen.likeliest(row, ALTERNATIVES), taxonomy) for row in rows)
        questions = tuple(_plain_question(item, taxonomy) for item in items if item.doubtful)
        unknown = unknown_questions(seen, rows, taxonomy, ALTERNATIVES)
        sure = certainty(seen.detections, rule)
        return Receipt(items, sure, photo, taxonomy, (*questions, *unknown), calibrated=False)
    found, asked = judged.judgement, set(judged.judgement.questions)
    items = tuple(
        replace(
            _item(seen, row, judged.alternatives(place, ALTERNATIVES), taxonomy),
            probability=float(found.right[place]),
            asked=place in asked,
        )
        for place, row in enumerate(judged.rows[: judged.counted])
    )
    questions = questions_of(judged, seen, taxonomy)
    taken = [
        row for place, row in enumerate(judged.rows) if place < judged.counted or place in asked
    ]
    unknown = unknown_questions(seen, taken, taxonomy, ALTERNATIVES)
    return Receipt(items, found.certainty, photo, taxonomy, (*questions, *unknown))


def _item(
    seen: Seen, row: int, likeliest: Sequence[tuple[int, float]], taxonomy: Taxonomy
) -> ReceiptItem:
    category = taxonomy.category(int(seen.detections.labels[row]))
    x1, y1, x2, y2 = seen.detections.boxes[row].tolist()
    return ReceiptItem(
        box=(x1, y1, x2, y2),
        sku=category.name,
        title=category.title or category.name,
        score=float(seen.detections.scores[row]),
        alternatives=tuple((taxonomy.category(label).name, share) for label, share in likeliest),
    )


def _plain_question(item: ReceiptItem, taxonomy: Taxonomy) -> Question:
    """The question about an item that the plain limits find doubtful."""
    titles = [(taxonomy.by_name(sku).title or sku, share) for sku, share in item.alternatives]
    return Question(
        box=item.box,
        reason="name",
        text=question_text("name", titles),
        counted=True,
        sku=item.sku,
        alternatives=item.alternatives,
    )
