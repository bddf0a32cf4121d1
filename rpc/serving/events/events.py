"""Events: what happened, in the order of the commits, written with what it is about.

An event, its sale and its places in the outbox are one transaction. The number `seq` is counted up
in that transaction, so that nobody who reads on from a number misses one that was committed late.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from rpc.serving.database.models import DeliveryRow, EventRow, SequenceRow, WebhookRow

SCHEMA: Final = 1  # of an event's data
TYPES: Final = (
    "sale.counted",
    "sale.corrected",
    "sale.accepted",
    "sale.voided",
    "sale.reopened",
    "product.changed",
    "gallery.changed",
    "health.warning",
)
MOST: Final = 1000  # events of one answer


@dataclass(frozen=True)
class Who:
    """Who did something.

    Attributes:
        actor: the name of the key; `open` where no keys were made, else a part of the server.
        till: where.
    """

    actor: str
    till: str


def append_event(
    session: Session,
    kind: str,
    who: Who,
    at: str,
    data: Mapping[str, Any],
    sale: str | None = None,
) -> EventRow:
    """Write an event and its places in the outbox, in the session's transaction.

    Raises:
        ValueError: there is no such type.
    """
    if kind not in TYPES:
        raise ValueError(f"event: expected a type of {TYPES}, got {kind!r}")
    session.flush()  # what it is about, before it
    counted = update(SequenceRow).where(SequenceRow.name == "events")
    session.execute(counted.values(value=SequenceRow.value + 1))
    seq = session.scalars(select(SequenceRow.value).where(SequenceRow.name == "events")).one()
    row = EventRow(
        seq=seq,
        id=str(uuid.uuid4()),
        type=kind,
        at=at,
        actor=who.actor,
        till=who.till,
        sale=sale,
        data={"schema": SCHEMA, **data},
    )
    session.add(row)
    session.flush()
    for hook in session.scalars(select(WebhookRow).where(WebhookRow.disabled_at.is_(None))):
        if not hook.types or kind in hook.types:
            session.add(
                DeliveryRow(webhook=hook.id, event=seq, state="waiting", attempts=0, next_at=at)
            )
    return row


def event_to_dict(row: EventRow) -> dict[str, Any]:
    """Plain values, for JSON."""
    return {
        "seq": row.seq,
        "id": row.id,
        "type": row.type,
        "at": row.at,
        "actor": row.actor,
        "till": row.till,
        "sale": row.sale,
        "data": row.data,
    }


def events_after(session: Session, seq: int, limit: int = MOST) -> list[dict[str, Any]]:
    """The events after a number, oldest first."""
    chosen = select(EventRow).where(EventRow.seq > seq).order_by(EventRow.seq).limit(limit)
    return [event_to_dict(row) for row in session.scalars(chosen)]


def events_of_sale(session: Session, sale: str) -> list[EventRow]:
    """All that happened to a sale, oldest first."""
    chosen = select(EventRow).where(EventRow.sale == sale).order_by(EventRow.seq)
    return list(session.scalars(chosen))


def last_seq(session: Session) -> int:
    """The number of the newest event; 0 before the first."""
    return session.scalars(select(SequenceRow.value).where(SequenceRow.name == "events")).one()
