"""The tables, the same on SQLite and PostgreSQL. Times are texts of `rpc.serving.times`.

`events` is only appended to: triggers of the first migration refuse anything else.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from rpc.serving.times import LENGTH

Time = String(LENGTH)
Name = String(200)


class Base(DeclarativeBase):
    """All tables."""


class ProductRow(Base):
    """A product of the shop."""

    __tablename__ = "products"
    sku: Mapped[str] = mapped_column(Name, primary_key=True)
    title: Mapped[str] = mapped_column(Name)
    price_cents: Mapped[int | None]
    ean: Mapped[str | None] = mapped_column(String(14), index=True)
    retired: Mapped[bool]
    changed_at: Mapped[str] = mapped_column(Time)


class SaleRow(Base):
    """A sale as it stands; what happened to it stands in `events`.

    `items` are those of now; `passed` is whether nothing was asked when it was counted; `closed_at`
    is when it was accepted or voided; `look` is what `rpc.serving.health.tray_looks` measured.
    """

    __tablename__ = "sales"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    state: Mapped[str] = mapped_column(String(8), index=True)
    created_at: Mapped[str] = mapped_column(Time, index=True)
    accepted_at: Mapped[str | None] = mapped_column(Time, index=True)
    closed_at: Mapped[str | None] = mapped_column(Time)
    till: Mapped[str] = mapped_column(Name)
    by: Mapped[str] = mapped_column(Name)
    currency: Mapped[str] = mapped_column(String(3))
    model: Mapped[str] = mapped_column(Name)
    picture: Mapped[str | None] = mapped_column(String(64))
    width: Mapped[int]
    height: Mapped[int]
    seconds: Mapped[float]
    certainty: Mapped[float]
    passed: Mapped[bool]
    questions: Mapped[int]
    corrections: Mapped[int]
    total_cents: Mapped[int]
    unpriced: Mapped[int]
    lines_count: Mapped[int]
    items_count: Mapped[int]
    items: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    look: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    idempotency: Mapped[str | None] = mapped_column(String(64), unique=True)


class EventRow(Base):
    """Something that happened."""

    __tablename__ = "events"
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    id: Mapped[str] = mapped_column(String(36), unique=True)
    type: Mapped[str] = mapped_column(String(40))
    at: Mapped[str] = mapped_column(Time)
    actor: Mapped[str] = mapped_column(Name)
    till: Mapped[str] = mapped_column(Name)
    sale: Mapped[str | None] = mapped_column(String(36), index=True)
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
    __table_args__ = (Index("ix_events_type_at", "type", "at"),)


class SequenceRow(Base):
    """A number that is counted up within a transaction: its order is that of the commits."""

    __tablename__ = "sequences"
    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    value: Mapped[int]


class KeyRow(Base):
    """A key of the interface; the key itself is kept by nobody."""

    __tablename__ = "keys"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Name, unique=True)
    role: Mapped[str] = mapped_column(String(8))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[str] = mapped_column(Time)
    revoked_at: Mapped[str | None] = mapped_column(Time)


class SessionRow(Base):
    """A browser that has shown a key."""

    __tablename__ = "sessions"
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    key_id: Mapped[int] = mapped_column(ForeignKey("keys.id"))
    csrf: Mapped[str] = mapped_column(String(64))
    expires_at: Mapped[str] = mapped_column(Time)


class WebhookRow(Base):
    """An address that is told what happens."""

    __tablename__ = "webhooks"
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    url: Mapped[str] = mapped_column(String(2000))
    types: Mapped[list[str]] = mapped_column(JSON)
    secret: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[str] = mapped_column(Time)
    disabled_at: Mapped[str | None] = mapped_column(Time)


class DeliveryRow(Base):
    """An event on its way to a webhook (the outbox)."""

    __tablename__ = "deliveries"
    id: Mapped[int] = mapped_column(primary_key=True)
    webhook: Mapped[str] = mapped_column(ForeignKey("webhooks.id"))
    event: Mapped[int] = mapped_column(ForeignKey("events.seq"))
    state: Mapped[str] = mapped_column(String(9))  # waiting, delivered, failed
    attempts: Mapped[int]
    next_at: Mapped[str] = mapped_column(Time)
    status: Mapped[int | None]  # of HTTP, of the last attempt; None where nobody answered
    __table_args__ = (
        UniqueConstraint("webhook", "event"),
        Index("ix_deliveries_state_next_at", "state", "next_at"),
    )


class ConfirmationRow(Base):
    """A crop of an accepted sale that a person named."""

    __tablename__ = "confirmations"
    id: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(Name, index=True)
    sale: Mapped[str] = mapped_column(ForeignKey("sales.id"), index=True)
    item: Mapped[int]
    box: Mapped[list[float]] = mapped_column(JSON)
    at: Mapped[str] = mapped_column(Time)
    state: Mapped[str] = mapped_column(String(9))  # waiting, entered, withdrawn
    __table_args__ = (UniqueConstraint("sale", "item"),)


class GalleryChangeRow(Base):
    """Photos that went into the gallery together, so that they can be taken out again."""

    __tablename__ = "gallery_changes"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[str] = mapped_column(Time)
    actor: Mapped[str] = mapped_column(Name)
    generation: Mapped[int]
    photos: Mapped[dict[str, list[str]]] = mapped_column(JSON)  # by SKU, names of sources
    confirmations: Mapped[list[int]] = mapped_column(JSON)
    undone_at: Mapped[str | None] = mapped_column(Time)
