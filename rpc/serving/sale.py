"""A sale as plain values: items, what a cashier changes about them, lines and totals in cents.

Nothing here knows a database, a clock or a picture. A sale is what was counted and the changes
after it, in their order: `replay` gives its items again from these alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

Box: TypeAlias = tuple[float, float, float, float]
Reason: TypeAlias = Literal["view", "name", "item", "unknown"]
Kind: TypeAlias = Literal["renamed", "added", "removed", "confirmed", "count", "undone"]


class CorrectionError(ValueError):
    """A correction that this sale can not have; the text says why."""


@dataclass(frozen=True)
class Alternative:
    """A SKU that an item may be, and how likely that is."""

    sku: str
    title: str
    probability: float


@dataclass(frozen=True)
class PricedSku:
    """A product as it enters a sale: its name for people and its price at that moment."""

    sku: str
    title: str
    price_cents: int | None = None


@dataclass(frozen=True)
class Item:
    """One item of a sale, or a place on the tray about which a question is open.

    Attributes:
        id: within the sale; never given twice.
        sku: what it is taken for.
        title: of the SKU, for people.
        price_cents: when it came in; None where the product has no price.
        box: x1, y1, x2, y2 px of the picture; None where it was added without a place.
        probability: that the counter is right about it; None where unknown, or a person said so.
        counted: whether it is part of the sum.
        open: whether its question waits for an answer.
        reason: why it was asked; None where nothing was asked.
        text: the question in English; empty where nothing was asked.
        alternatives: as counted, best first.
        source: whether the counter or a person brought it.
    """

    id: int
    sku: str
    title: str
    price_cents: int | None = None
    box: Box | None = None
    probability: float | None = None
    counted: bool = True
    open: bool = False
    reason: Reason | None = None
    text: str = ""
    alternatives: tuple[Alternative, ...] = ()
    source: Literal["counted", "added"] = "counted"


@dataclass(frozen=True)
class Change:
    """The effect of a correction, with everything it needs: it can be replayed.

    Attributes:
        kind: of the correction.
        item: id of the item that it is about; None for `count` and `undone`.
        sku_before: what the item was taken for; None where there was none.
        product: what it is now, or what is added.
        box: of the item.
        added: ids that new items get.
        removed: ids that go.
    """

    kind: Kind
    item: int | None = None
    sku_before: str | None = None
    product: PricedSku | None = None
    box: Box | None = None
    added: tuple[int, ...] = ()
    removed: tuple[int, ...] = ()


@dataclass(frozen=True)
class Line:
    """A line of the list: all items of a SKU at one price."""

    sku: str
    title: str
    count: int
    price_cents: int | None

    @property
    def sum_cents(self) -> int | None:
        """Count times price."""
        return None if self.price_cents is None else self.count * self.price_cents


def lines_of(items: Iterable[Item]) -> list[Line]:
    """The lines of counted items, by title."""
    counts: dict[tuple[str, str, int | None], int] = {}
    for item in items:
        if item.counted:
            key = (item.sku, item.title, item.price_cents)
            counts[key] = counts.get(key, 0) + 1
    lines = [Line(sku, title, count, price) for (sku, title, price), count in counts.items()]
    return sorted(lines, key=lambda line: (line.title.casefold(), line.sku, line.price_cents or 0))


def total_cents(items: Iterable[Item]) -> int:
    """The sum of all counted items that have a price."""
    return sum(item.price_cents or 0 for item in items if item.counted)


def unpriced(items: Iterable[Item]) -> int:
    """How many counted items have no price."""
    return sum(item.counted and item.price_cents is None for item in items)


def open_questions(items: Iterable[Item]) -> int:
    """How many questions wait for an answer."""
    return sum(item.open for item in items)


def shown(items: Iterable[Item]) -> list[Item]:
    """Items as people see them: open questions first, then the largest probability."""
    return sorted(items, key=lambda item: (not item.open, -(item.probability or 0.0), item.id))


def renamed(items: Sequence[Item], item: int, product: PricedSku) -> Change:
    """The change that makes an item another SKU.

    Raises:
        CorrectionError: there is no such item.
    """
    found = _item(items, item)
    return Change("renamed", item, found.sku, product, found.box)


def removed(items: Sequence[Item], item: int) -> Change:
    """The change that takes an item away.

    Raises:
        CorrectionError: there is no such item.
    """
    found = _item(items, item)
    return Change("removed", item, found.sku, None, found.box, removed=(item,))


def confirmed(items: Sequence[Item], item: int) -> Change:
    """The change that answers an item's question with what it says.

    Raises:
        CorrectionError: there is no such item.
    """
    found = _item(items, item)
    product = PricedSku(found.sku, found.title, found.price_cents)
    return Change("confirmed", item, found.sku, product, found.box)


def added(fresh: int, product: PricedSku, box: Box | None = None) -> Change:
    """The change that brings an item of which the counter said nothing.

    Args:
        fresh: an id that no item of the sale ever had.
        product: what it is.
        box: where it lies; None where nobody says.
    """
    return Change("added", fresh, None, product, box, added=(fresh,))


def set_count(items: Sequence[Item], fresh: int, product: PricedSku, count: int) -> Change:
    """The change after which so many items of a SKU count.

    Items without a box go first, then those that are least probable.

    Args:
        items: of the sale.
        fresh: the first id that no item of the sale ever had.
        product: the SKU.
        count: 0 or more.
    """
    own = [item for item in items if item.counted and item.sku == product.sku]
    extra = count - len(own)
    if extra >= 0:
        ids = tuple(range(fresh, fresh + extra))
        return Change("count", None, product.sku, product, added=ids)
    own.sort(key=lambda item: (item.box is not None, item.probability or 0.0, -item.id))
    gone = tuple(item.id for item in own[:-extra])
    return Change("count", None, product.sku, product, removed=gone)


def applied(items: Sequence[Item], change: Change) -> tuple[Item, ...]:
    """The items after a change; `undone` needs the ones before, see `replay`."""
    kept = [item for item in items if item.id not in change.removed]
    product = change.product
    if change.kind in ("renamed", "confirmed"):
        assert product is not None
        for place, item in enumerate(kept):
            if item.id == change.item:
                answered = replace(item, counted=True, open=False)
                kept[place] = answered if change.kind == "confirmed" else _named(answered, product)
    for number in change.added:
        assert product is not None
        kept.append(
            Item(
                number, product.sku, product.title, product.price_cents, change.box, source="added"
            )
        )
    return tuple(kept)


def standing(changes: Iterable[Change]) -> list[Change]:
    """The changes that count: each `undone` has taken the last one before it away."""
    left: list[Change] = []
    for change in changes:
        if change.kind != "undone":
            left.append(change)
        elif left:
            left.pop()
    return left


def replay(counted: Sequence[Item], changes: Iterable[Change]) -> tuple[Item, ...]:
    """The items of a sale, from what was counted and all that was changed since."""
    items = tuple(counted)
    for change in standing(changes):
        items = applied(items, change)
    return items


def next_id(counted: Sequence[Item], changes: Iterable[Change]) -> int:
    """An id that no item of a sale ever had, undone ones too."""
    ids = [item.id for item in counted]
    ids += [number for change in changes for number in change.added]
    return max(ids, default=0) + 1


def item_to_dict(item: Item) -> dict[str, Any]:
    """Plain values, for JSON."""
    return {
        "id": item.id,
        "sku": item.sku,
        "title": item.title,
        "price_cents": item.price_cents,
        "box": None if item.box is None else list(item.box),
        "probability": item.probability,
        "counted": item.counted,
        "open": item.open,
        "reason": item.reason,
        "text": item.text,
        "alternatives": [
            {"sku": one.sku, "title": one.title, "probability": one.probability}
            for one in item.alternatives
        ],
        "source": item.source,
    }


def item_from_dict(values: Mapping[str, Any]) -> Item:
    """The item of `item_to_dict`."""
    fields = dict(values)
    fields["box"] = _box(fields["box"])
    fields["alternatives"] = tuple(Alternative(**one) for one in fields["alternatives"])
    return Item(**fields)


def change_to_dict(change: Change) -> dict[str, Any]:
    """Plain values, for the data of an event."""
    product = change.product
    return {
        "kind": change.kind,
        "item": change.item,
        "sku_before": change.sku_before,
        "sku": None if product is None else product.sku,
        "title": None if product is None else product.title,
        "price_cents": None if product is None else product.price_cents,
        "box": None if change.box is None else list(change.box),
        "added": list(change.added),
        "removed": list(change.removed),
    }


def change_from_dict(values: Mapping[str, Any]) -> Change:
    """The change of `change_to_dict`; other values beside them are passed over."""
    product = None
    if values["sku"] is not None:
        product = PricedSku(values["sku"], values["title"], values["price_cents"])
    return Change(
        values["kind"],
        values["item"],
        values["sku_before"],
        product,
        _box(values["box"]),
        tuple(values["added"]),
        tuple(values["removed"]),
    )


def _item(items: Sequence[Item], number: int) -> Item:
    for item in items:
        if item.id == number:
            return item
    raise CorrectionError(f"item {number} is not in this sale; load the sale again")


def _named(item: Item, product: PricedSku) -> Item:
    return replace(
        item,
        sku=product.sku,
        title=product.title,
        price_cents=product.price_cents,
        probability=None,  # what the counter thought of another SKU
    )


def _box(values: Sequence[float] | None) -> Box | None:
    if values is None:
        return None
    x1, y1, x2, y2 = values
    return x1, y1, x2, y2
