"""A tray counted: what the counter says, as items of a sale with the shop's titles and prices."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from rpc.serving.sale import Alternative, Box, Item, PricedSku
from rpc.structures import box_iou

if TYPE_CHECKING:
    from rpc.checkout.receipt import Receipt
    from rpc.checkout.seen import Seen
    from rpc.data.taxonomy import Taxonomy
    from rpc.recognition.box_classifier import BoxClassifier

Rgb = NDArray[np.uint8]
DIGITS: Final = 4  # of probabilities
TOLD: Final = 5  # alternatives of an item
SAME: Final = 0.5  # IoU from which two boxes are one place


class CountsTrays(Protocol):
    """Counts a tray: `rpc.Checkout`, from a model file or an exported folder."""

    @property
    def taxonomy(self) -> Taxonomy:
        """Its SKUs."""
        ...

    @property
    def name(self) -> str:
        """Of its model, for people."""
        ...

    @property
    def recogniser(self) -> BoxClassifier | None:
        """Names boxes; None where the detector does."""
        ...

    def look(self, photos: Sequence[Rgb]) -> list[Seen]:
        """Find and name, before the counting rule."""
        ...

    def receipt_of(self, seen: Seen, photo: Any) -> Receipt:
        """The list, and the questions."""
        ...


@dataclass(frozen=True, eq=False)
class CountedTray:
    """The counter's word about one photo.

    Attributes:
        receipt: items and questions.
        seen: all detections, for later questions about a place.
        width: of the photo, px.
        height: of the photo, px.
        seconds: that counting took.
        model: the counter's name.
    """

    receipt: Receipt
    seen: Seen
    width: int
    height: int
    seconds: float
    model: str


def count_tray(counter: CountsTrays, rgb: Rgb) -> CountedTray:
    """Count what lies on a photo (H, W, 3)."""
    began = time.perf_counter()
    seen = counter.look([rgb])[0]
    return counted_of(counter, seen, rgb, time.perf_counter() - began)


def counted_of(counter: CountsTrays, seen: Seen, rgb: Rgb, seconds: float) -> CountedTray:
    """The counted tray of what was seen on a photo, or on several of a still tray."""
    # Without its photo: the newest trays are kept in memory.
    receipt = replace(counter.receipt_of(seen, rgb), photo=np.zeros((1, 1, 3), np.uint8))
    height, width = rgb.shape[:2]
    return CountedTray(receipt, seen, width, height, round(seconds, DIGITS), model_name(counter))


def model_name(counter: CountsTrays) -> str:
    """The counter's name without the folders of this machine."""
    return counter.name.replace("\\", "/").rstrip("/").rpartition("/")[2]


def skus_of(tray: CountedTray) -> set[str]:
    """The SKUs that the items and questions of a counted tray name."""
    named = [(item.sku, item.alternatives) for item in tray.receipt.items]
    named += [(question.sku, question.alternatives) for question in tray.receipt.questions]
    return {sku for own, shares in named for sku in (own, *(one for one, _ in shares[:TOLD]))}


def items_of(tray: CountedTray, products: Mapping[str, PricedSku]) -> list[Item]:
    """The items of a counted tray, numbered from 1: those that count, then other questions.

    Args:
        tray: what was counted.
        products: the shop's, by SKU; one that is missing is shown under the counter's title.
    """
    receipt = tray.receipt
    asked = {(question.box, question.counted): question for question in receipt.questions}
    items = []
    for number, item in enumerate(receipt.items, start=1):
        question = asked.pop((item.box, True), None)
        product = products.get(item.sku) or PricedSku(item.sku, item.title)
        items.append(
            Item(
                number,
                product.sku,
                product.title,
                product.price_cents,
                _rounded(item.box),
                None if item.probability is None else round(item.probability, DIGITS),
                open=question is not None,
                reason=None if question is None else question.reason,
                text="" if question is None else question.text,
                alternatives=named(receipt, item.alternatives, products),
            )
        )
    for number, question in enumerate(asked.values(), start=len(items) + 1):
        product = products.get(question.sku) or PricedSku(question.sku, question.sku)
        items.append(
            Item(
                number,
                product.sku,
                product.title,
                product.price_cents,
                _rounded(question.box),
                None if question.item is None else round(question.item, DIGITS),
                counted=question.counted,
                open=True,
                reason=question.reason,
                text=question.text,
                alternatives=named(receipt, question.alternatives, products),
            )
        )
    return items


def named(
    receipt: Receipt,
    shares: Sequence[tuple[str, float]],
    products: Mapping[str, PricedSku],
) -> tuple[Alternative, ...]:
    """Alternatives with the shop's titles, at most five."""
    titles = {one.name: one.title or one.name for one in receipt.taxonomy.categories}
    return tuple(
        Alternative(
            sku,
            products[sku].title if sku in products else titles.get(sku, sku),
            round(float(share), DIGITS),
        )
        for sku, share in shares[:TOLD]
    )


def place_at(tray: CountedTray, x: float, y: float, taken: Sequence[Box]) -> Box:
    """The box of what may lie at a point: one that the counter passed over, else one around it.

    Args:
        tray: what was counted.
        x: px of the photo.
        y: px of the photo.
        taken: boxes of the sale's items, which are passed over.
    """
    boxes = tray.seen.detections.boxes
    places = np.array(taken, dtype=np.float64).reshape(-1, 4)
    for row in np.argsort(-tray.seen.detections.scores, kind="stable"):
        x1, y1, x2, y2 = boxes[row].tolist()
        inside = x1 <= x <= x2 and y1 <= y <= y2
        if inside and box_iou(boxes[row : row + 1], places).max(initial=0.0) < SAME:
            return x1, y1, x2, y2
    return _around(tray, x, y, places)


def _around(tray: CountedTray, x: float, y: float, places: NDArray[np.float64]) -> Box:
    """A box around a point, as large as the tray's items commonly are."""
    if len(places):
        sizes = places[:, 2:] - places[:, :2]
        wide, high = np.median(sizes, axis=0).tolist()
    else:
        wide = high = 0.2 * min(tray.width, tray.height)
    left = min(max(x - wide / 2, 0.0), max(tray.width - wide, 0.0))
    top = min(max(y - high / 2, 0.0), max(tray.height - high, 0.0))
    return left, top, min(left + wide, tray.width), min(top + high, tray.height)


def alternatives_at(
    counter: CountsTrays, rgb: Rgb, tray: CountedTray, box: Box
) -> list[tuple[str, float]]:
    """The likeliest SKUs in a box of a photo, best first."""
    names = counter.taxonomy.names
    if counter.recogniser is not None:
        rows = counter.recogniser.probabilities(rgb, np.array([box], dtype=np.float64))
        shares = np.asarray(rows)[0, :-1]
        best = np.argsort(-shares, kind="stable")[:TOLD]
        return [(names[label], float(shares[label])) for label in best]
    found = tray.seen.detections
    near = box_iou(np.array([box], dtype=np.float64), found.boxes)[0] >= SAME
    scores: dict[str, float] = {}
    for label, score in zip(found.labels[near].tolist(), found.scores[near].tolist(), strict=True):
        scores[names[label]] = max(score, scores.get(names[label], 0.0))
    return sorted(scores.items(), key=lambda pair: -pair[1])[:TOLD]


def _rounded(box: Box) -> Box:
    x1, y1, x2, y2 = (round(float(value), 1) for value in box)
    return x1, y1, x2, y2
