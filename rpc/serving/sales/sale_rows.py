"""A sale's row to plain values and back: whole, or as a line of a list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rpc.serving import sale as core
from rpc.serving.database.models import SaleRow
from rpc.serving.sale import Item


def items_of_row(row: SaleRow) -> list[Item]:
    """The items of a sale as it stands."""
    return [core.item_from_dict(values) for values in row.items]


def put_items(row: SaleRow, items: Sequence[Item], corrections: int) -> None:
    """Give a row its items, and the sums that lists show.

    Args:
        row: of the sale.
        items: all of them.
        corrections: how many stand.
    """
    row.items = [core.item_to_dict(item) for item in items]
    row.corrections = corrections
    row.questions = core.open_questions(items)
    row.total_cents, row.unpriced = core.total_cents(items), core.unpriced(items)
    row.lines_count = len(core.lines_of(items))
    row.items_count = sum(item.counted for item in items)


def sale_to_dict(row: SaleRow) -> dict[str, Any]:
    """A sale, for JSON."""
    items = items_of_row(row)
    return {**_head(row), **listing(items)}


def summary_to_dict(row: SaleRow) -> dict[str, Any]:
    """A sale as a line of a list, for JSON."""
    return {
        **_head(row),
        "total_cents": row.total_cents,
        "unpriced": row.unpriced,
        "lines_count": row.lines_count,
        "items_count": row.items_count,
    }


def listing(items: Sequence[Item]) -> dict[str, Any]:
    """Items, lines and sums, for JSON."""
    return {
        "items": [core.item_to_dict(item) for item in core.shown(items)],
        "lines": [
            {
                "sku": line.sku,
                "title": line.title,
                "count": line.count,
                "price_cents": line.price_cents,
                "sum_cents": line.sum_cents,
            }
            for line in core.lines_of(items)
        ],
        "total_cents": core.total_cents(items),
        "unpriced": core.unpriced(items),
    }


def _head(row: SaleRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "state": row.state,
        "created_at": row.created_at,
        "accepted_at": row.accepted_at,
        "till": row.till,
        "by": row.by,
        "currency": row.currency,
        "picture": None if row.picture is None else f"/v1/sales/{row.id}/picture",
        "width": row.width,
        "height": row.height,
        "seconds": row.seconds,
        "certainty": row.certainty,
        "passes": row.questions == 0,
        "questions": row.questions,
        "corrections": row.corrections,
        "can_undo": row.state == "open" and row.corrections > 0,
    }
