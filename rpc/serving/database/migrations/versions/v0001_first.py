"""The first version: products, sales, events, keys, webhooks and what is learnt."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

NAME: Final = sa.String(200)
TIME: Final = sa.String(27)
UUID: Final = sa.String(36)
ONLY_APPENDED: Final = "events are only appended"


def upgrade() -> None:
    """Make the tables and the triggers."""
    _products_and_sales()
    _events()
    _keys()
    _webhooks()
    _learning()


def _products_and_sales() -> None:
    op.create_table(
        "products",
        sa.Column("sku", NAME, primary_key=True),
        sa.Column("title", NAME, nullable=False),
        sa.Column("price_cents", sa.Integer),
        sa.Column("ean", sa.String(14)),
        sa.Column("retired", sa.Boolean, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
    )
    op.create_index("ix_products_ean", "products", ["ean"])
    op.create_table(
        "sales",
        sa.Column("id", UUID, primary_key=True),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("accepted_at", TIME),
        sa.Column("closed_at", TIME),
        sa.Column("till", NAME, nullable=False),
        sa.Column("by", NAME, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("model", NAME, nullable=False),
        sa.Column("picture", sa.String(64)),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("seconds", sa.Double, nullable=False),
        sa.Column("certainty", sa.Double, nullable=False),
        sa.Column("passed", sa.Boolean, nullable=False),
        sa.Column("questions", sa.Integer, nullable=False),
        sa.Column("corrections", sa.Integer, nullable=False),
        sa.Column("total_cents", sa.Integer, nullable=False),
        sa.Column("unpriced", sa.Integer, nullable=False),
        sa.Column("lines_count", sa.Integer, nullable=False),
        sa.Column("items_count", sa.Integer, nullable=False),
        sa.Column("items", sa.JSON, nullable=False),
        sa.Column("look", sa.JSON),
        sa.Column("idempotency", sa.String(64), unique=True),
    )
    for column in ("state", "created_at", "accepted_at"):
        op.create_index(f"ix_sales_{column}", "sales", [column])


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("id", UUID, nullable=False, unique=True),
        sa.Column("type", sa.String(40), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("actor", NAME, nullable=False),
        sa.Column("till", NAME, nullable=False),
        sa.Column("sale", UUID),
        sa.Column("data", sa.JSON, nullable=False),
    )
    op.create_index("ix_events_sale", "events", ["sale"])
    op.create_index("ix_events_type_at", "events", ["type", "at"])
    sequences = op.create_table(
        "sequences",
        sa.Column("name", sa.String(20), primary_key=True),
        sa.Column("value", sa.Integer, nullable=False),
    )
    op.bulk_insert(sequences, [{"name": "events", "value": 0}])
    for statement in _triggers(op.get_bind().dialect.name):
        op.execute(statement)


def _triggers(dialect: str) -> list[str]:
    """Statements that let nobody change or remove an event."""
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER events_no_{verb.lower()} BEFORE {verb} ON events "
            f"BEGIN SELECT RAISE(ABORT, '{ONLY_APPENDED}'); END"
            for verb in ("UPDATE", "DELETE")
        ]
    function = (
        "CREATE FUNCTION events_only_appended() RETURNS trigger AS $$ "
        f"BEGIN RAISE EXCEPTION '{ONLY_APPENDED}'; END $$ LANGUAGE plpgsql"
    )
    rows = (
        "CREATE TRIGGER events_no_change BEFORE UPDATE OR DELETE ON events "
        "FOR EACH ROW EXECUTE FUNCTION events_only_appended()"
    )
    whole = (
        "CREATE TRIGGER events_no_truncate BEFORE TRUNCATE ON events "
        "FOR EACH STATEMENT EXECUTE FUNCTION events_only_appended()"
    )
    return [function, rows, whole]


def _keys() -> None:
    op.create_table(
        "keys",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", NAME, nullable=False, unique=True),
        sa.Column("role", sa.String(8), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("revoked_at", TIME),
    )
    op.create_table(
        "sessions",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("key_id", sa.Integer, sa.ForeignKey("keys.id"), nullable=False),
        sa.Column("csrf", sa.String(64), nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
    )


def _webhooks() -> None:
    op.create_table(
        "webhooks",
        sa.Column("id", UUID, primary_key=True),
        sa.Column("url", sa.String(2000), nullable=False),
        sa.Column("types", sa.JSON, nullable=False),
        sa.Column("secret", sa.String(100), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("disabled_at", TIME),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("webhook", UUID, sa.ForeignKey("webhooks.id"), nullable=False),
        sa.Column("event", sa.Integer, sa.ForeignKey("events.seq"), nullable=False),
        sa.Column("state", sa.String(9), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_at", TIME, nullable=False),
        sa.Column("status", sa.Integer),
        sa.UniqueConstraint("webhook", "event"),
    )
    op.create_index("ix_deliveries_state_next_at", "deliveries", ["state", "next_at"])


def _learning() -> None:
    op.create_table(
        "confirmations",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("sku", NAME, nullable=False),
        sa.Column("sale", UUID, sa.ForeignKey("sales.id"), nullable=False),
        sa.Column("item", sa.Integer, nullable=False),
        sa.Column("box", sa.JSON, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("state", sa.String(9), nullable=False),
        sa.UniqueConstraint("sale", "item"),
    )
    for column in ("sku", "sale"):
        op.create_index(f"ix_confirmations_{column}", "confirmations", [column])
    op.create_table(
        "gallery_changes",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", TIME, nullable=False),
        sa.Column("actor", NAME, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("photos", sa.JSON, nullable=False),
        sa.Column("confirmations", sa.JSON, nullable=False),
        sa.Column("undone_at", TIME),
    )
