"""Sales in lists: by state and time, page by page, as CSV, and the sums of today."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, func, select

from rpc.data.plain_text import csv_cell
from rpc.serving.database.database import Database
from rpc.serving.database.models import SaleRow
from rpc.serving.products.catalogue_csv import price_text
from rpc.serving.sale import lines_of
from rpc.serving.sales.sale_rows import items_of_row, summary_to_dict
from rpc.serving.times import iso

AT_ONCE: Final = 200  # sales that are in memory while a CSV is written
COLUMNS: Final = (
    "sale", "state", "created_at", "accepted_at", "till", "by", "sku", "title", "count",
    "price", "sum", "currency", "corrections",
)  # fmt: skip


@dataclass(frozen=True)
class Filter:
    """Which sales: None leaves a field open.

    Attributes:
        state: `open`, `accepted` or `void`.
        start: the first moment.
        end: the moment after the last.
        corrected: whether a correction stands.
    """

    state: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    corrected: bool | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """As conditions on `SaleRow`."""
        found: list[ColumnElement[bool]] = []
        if self.state is not None:
            found.append(SaleRow.state == self.state)
        if self.start is not None:
            found.append(SaleRow.created_at >= iso(self.start))
        if self.end is not None:
            found.append(SaleRow.created_at < iso(self.end))
        if self.corrected is not None:
            more = SaleRow.corrections > 0
            found.append(more if self.corrected else ~more)
        return found


def list_sales(
    database: Database, wanted: Filter, limit: int, before: str | None = None
) -> dict[str, Any]:
    """A page of sales, newest first, and the id that the next page comes before."""
    chosen = select(SaleRow).where(*wanted.conditions()).order_by(SaleRow.id.desc())
    if before is not None:
        chosen = chosen.where(SaleRow.id < before)
    with database.reading() as session:
        rows = list(session.scalars(chosen.limit(limit + 1)))
        told = [summary_to_dict(row) for row in rows[:limit]]
    return {"sales": told, "next": rows[limit - 1].id if len(rows) > limit else None}


def sales_csv(database: Database, wanted: Filter) -> Iterator[str]:
    """Sales as CSV, a row a line of a sale, oldest first, in pieces."""
    yield _csv([COLUMNS])
    after = ""
    while True:
        chosen = select(SaleRow).where(*wanted.conditions(), SaleRow.id > after)
        with database.reading() as session:
            rows = list(session.scalars(chosen.order_by(SaleRow.id).limit(AT_ONCE)))
            text = _csv([line for row in rows for line in _lines(row)])
        if not rows:
            return
        after = rows[-1].id
        yield text


def sums_since(database: Database, start: datetime) -> dict[str, int]:
    """How many sales were accepted since then, and what they come to."""
    chosen = select(func.count(), func.coalesce(func.sum(SaleRow.total_cents), 0)).where(
        SaleRow.state == "accepted", SaleRow.accepted_at >= iso(start)
    )
    with database.reading() as session:
        trays, cents = session.execute(chosen).one()
    return {"trays": int(trays), "total_cents": int(cents)}


def _lines(row: SaleRow) -> Iterator[Sequence[object]]:
    head = (row.id, row.state, row.created_at, row.accepted_at or "", row.till, row.by)
    for line in lines_of(items_of_row(row)):
        price = "" if line.price_cents is None else price_text(line.price_cents)
        total = "" if line.sum_cents is None else price_text(line.sum_cents)
        about = (line.sku, line.title, line.count, price, total, row.currency, row.corrections)
        yield (*head, *about)


def _csv(rows: Sequence[Sequence[object]]) -> str:
    file = io.StringIO()
    csv.writer(file, lineterminator="\r\n").writerows([map(csv_cell, row) for row in rows])
    return file.getvalue()
