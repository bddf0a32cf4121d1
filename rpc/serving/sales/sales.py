"""Sales: opened by a counted tray, corrected, accepted or voided; each step is one transaction.

A step writes the sale as it stands, its event and the event's places in the outbox together. Who
got an answer finds the sale again, whatever happens to the process.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from rpc.serving import sale as core
from rpc.serving.counting.counted_trays import DIGITS, CountedTray, items_of, skus_of
from rpc.serving.database.database import Database
from rpc.serving.database.models import EventRow, SaleRow
from rpc.serving.errors import ApiError, not_found
from rpc.serving.events.event_bus import EventBus
from rpc.serving.events.events import Who, append_event, events_of_sale
from rpc.serving.ids import new_id
from rpc.serving.products.products import all_products, product_of
from rpc.serving.sale import Box, Change, Item, PricedSku
from rpc.serving.sales.confirmations import note_confirmations, withdraw_confirmations
from rpc.serving.sales.sale_rows import items_of_row, put_items, sale_to_dict
from rpc.serving.times import Clock, iso, parse_time

REOPEN: Final = timedelta(minutes=10)


@dataclass(frozen=True)
class Correction:
    """A correction as it was asked for.

    Attributes:
        kind: `rename`, `remove`, `confirm`, `add`, `count` or `undo`.
        item: of the first three.
        sku: of `rename`, `add` and `count`.
        box: of `add`; None where nobody says.
        count: of `count`.
    """

    kind: str
    item: int = 0
    sku: str = ""
    box: Box | None = None
    count: int = 0


@dataclass(frozen=True, eq=False)
class Taken:
    """A counted tray on its way to a sale.

    Attributes:
        tray: what was counted.
        picture: name of the kept picture; None where none is kept.
        look: what was measured on the picture, see `rpc.serving.health.tray_looks`.
    """

    tray: CountedTray
    picture: str | None
    look: Mapping[str, Any] | None = None


class Sales:
    """The sales of a database.

    Args:
        database: that keeps them.
        bus: hears of changes.
        clock: the time.
        currency: of all prices, three letters.
    """

    def __init__(self, database: Database, bus: EventBus, clock: Clock, currency: str) -> None:
        self._database, self._bus, self._clock = database, bus, clock
        self._currency = currency

    def open(self, taken: Taken, who: Who, idempotency: str | None = None) -> dict[str, Any]:
        """A new sale of a counted tray; the same one again for the same key of its sender."""
        mark = None if idempotency is None else idempotency_mark(who, idempotency)
        try:
            with self._database.writing() as session:
                row = self._opened(session, taken, who, mark)
                told = sale_to_dict(row)
        except IntegrityError:
            known = None if idempotency is None else self.known(who, idempotency)
            if known is None:
                raise
            return known
        self._bus.committed()
        return told

    def known(self, who: Who, idempotency: str) -> dict[str, Any] | None:
        """The sale that was opened with this key of its sender; None where there is none."""
        mark = idempotency_mark(who, idempotency)
        with self._database.reading() as session:
            row = session.scalars(select(SaleRow).where(SaleRow.idempotency == mark)).first()
            return None if row is None else sale_to_dict(row)

    def get(self, number: str) -> dict[str, Any]:
        """A sale.

        Raises:
            ApiError: there is none.
        """
        with self._database.reading() as session:
            return sale_to_dict(_row(session, number))

    def row(self, number: str) -> SaleRow:
        """A sale's row, for reading.

        Raises:
            ApiError: there is none.
        """
        with self._database.reading() as session:
            return _row(session, number)

    def correct(
        self, number: str, asked: Correction, who: Who, idempotency: str | None = None
    ) -> dict[str, Any]:
        """Change an open sale; the same key of its sender again changes nothing more.

        Raises:
            ApiError: it is not open, or the correction does not fit it.
        """
        mark = None if idempotency is None else idempotency_mark(who, idempotency)

        def step(session: Session, row: SaleRow, events: Sequence[EventRow]) -> None:
            _require_open(row)
            change = self._change(session, row, events, asked)
            before = items_of_row(row)
            if change.kind == "undone":
                items = replayed(events, change)
            else:
                items = core.applied(before, change)
            changes = [*changes_of(events), change]
            put_items(row, items, len(core.standing(changes)))
            data = {**_event_data(row, before, change), **_request(mark)}
            append_event(session, "sale.corrected", who, iso(self._clock()), data, number)

        return self._step(number, step, mark)

    def accept(self, number: str, who: Who, idempotency: str | None = None) -> dict[str, Any]:
        """Make an open sale a sold one; the same key of its sender again changes nothing more.

        Raises:
            ApiError: it is not open.
        """
        mark = None if idempotency is None else idempotency_mark(who, idempotency)

        def step(session: Session, row: SaleRow, events: Sequence[EventRow]) -> None:
            _require_open(row)
            now = iso(self._clock())
            row.state, row.accepted_at, row.closed_at = "accepted", now, now
            told = sale_to_dict(row)
            data = {name: told[name] for name in ("lines", "total_cents", "unpriced", "currency")}
            append_event(session, "sale.accepted", who, now, {**data, **_request(mark)}, number)
            changes = core.standing(changes_of(events))
            note_confirmations(session, row, changes, now)

        return self._step(number, step, mark)

    def void(self, number: str, who: Who, *, manager: bool) -> dict[str, Any]:
        """Take a sale back: an open one, or, for a manager, an accepted one.

        Raises:
            ApiError: it is void, or accepted and nobody is a manager.
        """

        def step(session: Session, row: SaleRow, _: Sequence[EventRow]) -> None:
            if row.state == "void" or (row.state == "accepted" and not manager):
                raise _not_open(row, "; a manager may void an accepted one")
            now = iso(self._clock())
            data = {"state_before": row.state, "total_cents": row.total_cents}
            row.state, row.accepted_at, row.closed_at = "void", None, now
            append_event(session, "sale.voided", who, now, data, number)
            withdraw_confirmations(session, number)

        return self._step(number, step)

    def replace(self, number: str, who: Who) -> None:
        """Void a sale whose tray was read anew, unless a person has touched it."""

        def step(session: Session, row: SaleRow, events: Sequence[EventRow]) -> None:
            if row.state == "open" and not changes_of(events):
                now = iso(self._clock())
                data = {"state_before": "open", "total_cents": row.total_cents, "replaced": True}
                row.state, row.closed_at = "void", now
                append_event(session, "sale.voided", who, now, data, number)

        self._step(number, step)

    def reopen(self, number: str, who: Who) -> dict[str, Any]:
        """Open a sale again that was closed at this till a short time ago.

        Raises:
            ApiError: it is open, of another till, or was closed too long ago.
        """

        def step(session: Session, row: SaleRow, _: Sequence[EventRow]) -> None:
            if row.state == "open":
                raise ApiError(409, "not_closed", f"sale {number}: is open already")
            if row.till != who.till:
                raise ApiError(
                    409, "other_till", f"sale {number}: belongs to the till {row.till!r}"
                )
            now = self._clock()
            if row.closed_at is None or now - parse_time(row.closed_at) > REOPEN:
                raise ApiError(409, "too_late", f"sale {number}: was closed over 10 minutes ago")
            data = {"state_before": row.state, "total_cents": row.total_cents}
            row.state, row.accepted_at, row.closed_at = "open", None, None
            append_event(session, "sale.reopened", who, iso(now), data, number)
            withdraw_confirmations(session, number)

        return self._step(number, step)

    def _opened(self, session: Session, taken: Taken, who: Who, mark: str | None) -> SaleRow:
        tray, now = taken.tray, iso(self._clock())
        known = all_products(session, skus_of(tray))  # a shop may have thousands
        items = items_of(tray, {sku: product.priced for sku, product in known.items()})
        row = SaleRow(
            id=new_id(),
            state="open",
            created_at=now,
            till=who.till,
            by=who.actor,
            currency=self._currency,
            model=tray.model[:200],
            picture=taken.picture,
            width=tray.width,
            height=tray.height,
            seconds=tray.seconds,
            certainty=round(tray.receipt.certainty, DIGITS),
            passed=tray.receipt.passes,
            idempotency=mark,
            look=None if taken.look is None else dict(taken.look),
        )
        put_items(row, items, 0)
        session.add(row)
        data = {
            "items": [core.item_to_dict(item) for item in items],
            "certainty": row.certainty,
            "passes": row.passed,
            "picture": row.picture,
            "size": [row.width, row.height],
            "model": row.model,
            "seconds": row.seconds,
        }
        append_event(session, "sale.counted", who, now, data, row.id)
        return row

    def _change(
        self, session: Session, row: SaleRow, events: Sequence[EventRow], asked: Correction
    ) -> Change:
        """The change that a correction means.

        Raises:
            ApiError: it does not fit the sale.
        """
        changes = changes_of(events)
        if asked.kind == "undo":
            if not core.standing(changes):
                raise ApiError(409, "nothing_to_undo", f"sale {row.id}: no correction to undo")
            return Change("undone", core.standing(changes)[-1].item)
        items, fresh = items_of_row(row), core.next_id(counted_of(events), changes)
        try:
            match asked.kind:
                case "remove":
                    return core.removed(items, asked.item)
                case "confirm":
                    return core.confirmed(items, asked.item)
                case "rename":
                    return core.renamed(items, asked.item, _priced(session, asked.sku))
                case "add":
                    box = None if asked.box is None else _inside(asked.box, row)
                    return core.added(fresh, _priced(session, asked.sku), box)
                case _:
                    product = _priced(session, asked.sku)
                    return core.set_count(items, fresh, product, asked.count)
        except core.CorrectionError as error:
            raise not_found(str(error)) from error

    def _step(
        self,
        number: str,
        step: Callable[[Session, SaleRow, Sequence[EventRow]], None],
        mark: str | None = None,
    ) -> dict[str, Any]:
        """A step of a sale, in one transaction; one whose mark is there already is left out.

        Args:
            number: of the sale.
            step: gets the sale's row, and all that happened to it, read once.
            mark: of the request.
        """
        with self._database.writing() as session:
            row = _row(session, number, locked=True)
            events = events_of_sale(session, number)
            if mark is None or not _was_done(events, mark):
                step(session, row, events)
            told = sale_to_dict(row)
        self._bus.committed()
        return told


def counted_of(events: Sequence[EventRow]) -> list[Item]:
    """The items of a sale as they were counted, from its events."""
    first = next(event for event in events if event.type == "sale.counted")
    return [core.item_from_dict(values) for values in first.data["items"]]


def changes_of(events: Sequence[EventRow]) -> list[Change]:
    """The changes of a sale, from its events."""
    corrected = (event for event in events if event.type == "sale.corrected")
    return [core.change_from_dict(event.data) for event in corrected]


def replayed(events: Sequence[EventRow], *more: Change) -> tuple[Item, ...]:
    """The items of a sale from its events alone, and from changes after them."""
    return core.replay(counted_of(events), [*changes_of(events), *more])


def idempotency_mark(who: Who, key: str) -> str:
    """The kept trace of an idempotency key: two senders may use the same one."""
    return hashlib.sha256(f"{who.actor}\n{key}".encode()).hexdigest()


def _request(mark: str | None) -> dict[str, str]:
    """The trace of a request in its event, by which its repetition is known."""
    return {} if mark is None else {"request": mark}


def _was_done(events: Sequence[EventRow], mark: str) -> bool:
    return any(event.data.get("request") == mark for event in events)


def _event_data(row: SaleRow, before: Sequence[Item], change: Change) -> dict[str, Any]:
    """Values that training will read: the correction, what was counted there, the picture."""
    about = next((item for item in before if item.id == change.item), None)
    shares = () if about is None else about.alternatives
    return {
        **core.change_to_dict(change),
        "alternatives": [
            {"sku": one.sku, "title": one.title, "probability": one.probability} for one in shares
        ],
        "picture": row.picture,
        "size": [row.width, row.height],
        "model": row.model,
    }


def _row(session: Session, number: str, *, locked: bool = False) -> SaleRow:
    chosen = select(SaleRow).where(SaleRow.id == number)
    usable = number.isascii() and number.isprintable()
    found = session.scalars(chosen.with_for_update() if locked else chosen) if usable else None
    row = None if found is None else found.first()
    if row is None:
        raise not_found(f"sale {number!r:.60}: there is none of this id")
    return row


def _require_open(row: SaleRow) -> None:
    if row.state != "open":
        raise _not_open(row, "; reopen it first")


def _not_open(row: SaleRow, what: str) -> ApiError:
    return ApiError(409, "not_open", f"sale {row.id}: is {row.state}, not open{what}")


def _priced(session: Session, sku: str) -> PricedSku:
    return product_of(session, sku).priced


def _inside(box: Box, row: SaleRow) -> Box:
    """A box cut at the edges of its picture.

    Raises:
        ApiError: nothing of it is in the picture.
    """
    x1, y1, x2, y2 = box
    cut = (max(x1, 0.0), max(y1, 0.0), min(x2, float(row.width)), min(y2, float(row.height)))
    if not (cut[0] < cut[2] and cut[1] < cut[3]):
        raise ApiError(
            422, "invalid", f"box: expected x1 < x2 and y1 < y2 inside {row.width} x {row.height}"
        )
    return cut
